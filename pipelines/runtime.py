"""The device and the CPU threads that a stage computes with."""

from __future__ import annotations

import ctypes
import math
import os
import time
from pathlib import Path
from typing import Literal

import cv2
import pyarrow as pa
import torch
from threadpoolctl import threadpool_limits

from reid.common.errors import InputError
from reid.common.workers import THREAD_VARIABLES

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # of glibc's malloc.h

# A number, or `auto`: as many as cores are idle when a stage begins. Threads that share a core with another busy
# program are worse than fewer threads, since each step waits for the slowest.
Threads = int | Literal["auto"]
MOST_THREADS = 4  # that `auto` gives a network: images of 128x64 have no more to do at once
WATCHED = 0.3  # seconds that `auto` watches the cores for
QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of the cores' time in each period, and the period


def set_up(device: str, threads: Threads) -> torch.device:
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


def bound_threads(threads: Threads) -> None:
    """Let torch, BLAS, OpenMP (faiss, scikit-learn), OpenCV and Arrow work in so many threads each, in this process."""
    count = min(MOST_THREADS, processes(threads)) if threads == "auto" else threads
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(count)  # read by libraries that are loaded later: those of faiss, scikit-learn
    threadpool_limits(count)  # those that are loaded
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    pa.set_cpu_count(count)


def processes(threads: Threads) -> int:
    """How many processes of one thread to work in."""
    return max(1, round(idle_cores())) if threads == "auto" else threads


def idle_cores() -> float:
    """How many of the cores that this process may use are idle now, as a sum of their idle shares."""
    before = _idle_and_all()
    time.sleep(WATCHED)
    after = _idle_and_all()
    shares = [(after[core][0] - idle) / max(1, after[core][1] - whole) for core, (idle, whole) in before.items()]
    return min(sum(shares), quota())


def quota() -> float:
    """How many cores a container lets its processes use, whatever is idle; infinite where nothing is said."""
    try:
        most, period = QUOTA.read_text().split()
    except (OSError, ValueError):
        return math.inf
    return math.inf if most == "max" else int(most) / int(period)


def _idle_and_all() -> dict[int, tuple[int, int]]:
    """Of each core that this process may use, the time that it was idle, and all time, in ticks since it started."""
    allowed, found = os.sched_getaffinity(0), {}
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in allowed:
            # user, nice, system, idle, waiting for disks, two kinds of interrupts, stolen by other virtual machines
            counted = [int(tick) for tick in ticks[:8]]
            found[int(name[3:])] = (counted[3] + counted[4], sum(counted))
    return found


def keep_memory() -> None:
    """Let the C library keep the memory that arrays leave, for the next ones, in this process.

    By default glibc gives large blocks back to the kernel, which has to clear them page by page when they are asked for
    again: networks on a CPU do so in every layer. With another C library nothing happens.
    """
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 2**28)):
        mallopt(option, value)


def describe(device: torch.device) -> str:
    """The device in words, for reports: the GPU's name, or the number of CPU threads."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
