"""Device and threads."""

from __future__ import annotations

import torch

from reid.common.errors import InputError


def set_up(device: str, threads: int) -> torch.device:
    """Fix the number of CPU threads (another number gives other rounding) and choose the device.

    Raises:
        InputError: `cuda` is asked for and not there.
    """
    torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device: cuda is asked for, but torch sees no NVIDIA GPU; set device to auto or cpu")
    return torch.device(device)


def describe(device: torch.device, threads: int) -> str:
    """For reports: the GPU's name, or the CPU's number of threads."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {threads} threads"
