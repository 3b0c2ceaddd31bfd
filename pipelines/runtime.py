"""The device and the CPU threads that a stage computes with."""

from __future__ import annotations

import ctypes
import os

import cv2
import pyarrow as pa
import torch
from threadpoolctl import threadpool_limits

from reid.common.errors import InputError
from reid.common.workers import THREAD_VARIABLES

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # of glibc's malloc.h


def set_up(device: str, threads: int) -> torch.device:
    """Bound the number of CPU threads, on which the rounding of results depends, and choose the device.

    Args:
        device: `cpu`, `cuda`, or `auto` for an NVIDIA GPU where there is one.
        threads: on the CPU.

    Raises:
        InputError: `device` is `cuda`, and torch sees no GPU.
    """
    bound_threads(threads)
    keep_memory()
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device: cuda is asked for, but torch sees no NVIDIA GPU; set device to auto or cpu")
    return torch.device(device)


def bound_threads(threads: int) -> None:
    """Let torch, BLAS, OpenMP (faiss, scikit-learn), OpenCV and Arrow work in so many threads each, in this process."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)  # read by libraries that are loaded later: those of faiss, scikit-learn
    threadpool_limits(threads)  # those that are loaded
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    pa.set_cpu_count(threads)


def keep_memory() -> None:
    """Let the C library keep the memory that arrays leave, for the next ones, in this process.

    By default glibc gives large blocks back to the kernel at once, which has to clear them page by page when they are
    asked for again: networks on a CPU do so in every layer. With another C library nothing happens.
    """
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**28)):
        mallopt(option, value)


def describe(device: torch.device, threads: int) -> str:
    """The device in words, for reports: the GPU's name, or the number of CPU threads."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {threads} threads"
