"""The device and the CPU threads that a stage computes with."""

from __future__ import annotations

import atexit
import ctypes
import math
import os
import re
import signal
import time
from contextlib import suppress
from typing import Literal

import cv2
import pyarrow as pa
import torch
from threadpoolctl import threadpool_limits

from pipelines.cores import Watch
from reid.common.errors import InputError
from reid.common.workers import THREAD_VARIABLES

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # of glibc's malloc.h

# A number, or `auto`: as many as other programs leave cores, now and while a stage works. Threads that share a core
# with another busy program are worse than fewer threads, since each step waits for the slowest.
Threads = int | Literal["auto"]
MOST_THREADS = 4  # that `auto` gives a network: images of 128x64 have no more to do at once
WATCHED = 0.3  # seconds that `auto` watches the cores for when a stage begins
FOLLOWS = 3.0  # seconds of this process's computing between two looks at the cores
TOLERANCE = 0.2  # of a core: what little things in the background may take

_counts: list[int] = []  # the threads that this process was bound to since its stage began


def set_up(device: str, threads: Threads) -> torch.device:
    """Bound the number of CPU threads, on which the rounding of results depends, and choose the device.

    Args:
        device: `cpu`, `cuda`, or `auto` for an NVIDIA GPU where there is one.
        threads: on the CPU.

    Raises:
        InputError: `device` is `cuda`, and torch sees no GPU, or has no code for it.
    """
    bound_threads(threads)
    keep_memory()
    if device == "auto":
        device = "cpu" if gpu_fault() else "cuda"
    if device == "cuda" and (fault := gpu_fault()):
        raise InputError(f"device: cuda is asked for, but {fault}; set device to auto or cpu")
    return torch.device(device)


def gpu_fault() -> str | None:
    """Why torch cannot compute on an NVIDIA GPU; None where it can."""
    if not torch.cuda.is_available():
        return "torch sees no NVIDIA GPU"
    own, built = torch.cuda.get_device_capability(), torch.cuda.get_arch_list()
    # sm_86 is code for 8.6 and what follows of 8; compute_86 is what a driver translates for all from 8.6 on. Other
    # names are not NVIDIA's.
    known = [found for arch in built if (found := re.match(r"(sm|compute)_(\d+)(\d)", arch))]
    for kind, major, minor in (found.groups() for found in known):
        if (int(major), int(minor)) <= own and (kind == "compute" or int(major) == own[0]):
            return None
    if not known:
        return None
    name, capability = torch.cuda.get_device_name(), ".".join(map(str, own))
    return f"this torch has no code for the {name} of compute capability {capability}, only {', '.join(built)}"


def bound_threads(threads: Threads) -> None:
    """Let torch, BLAS, OpenMP (faiss, scikit-learn), OpenCV and Arrow work in so many threads each, in this process.

    With `auto` the number follows the load from now on; it is changed, and the change printed, between two steps of the
    main thread. A process that lets others work for it should give a number: it would take these for other programs.
    """
    _unwatch()
    _counts.clear()
    if threads == "auto":
        _bound(min(MOST_THREADS, processes(threads)))
        watch = Watch()
        signal.signal(signal.SIGPROF, lambda number, frame: _look(watch))
        signal.siginterrupt(signal.SIGPROF, False)
        atexit.register(_unwatch)
        # A timer of the processor's time that this process uses: one that waits is not disturbed.
        signal.setitimer(signal.ITIMER_PROF, FOLLOWS, FOLLOWS)
    else:
        _bound(threads)


def processes(threads: Threads) -> int:
    """How many processes of one thread to work in."""
    if threads != "auto":
        return threads
    watch = Watch()
    time.sleep(WATCHED)
    return max(1, round(watch.left()))


def _look(watch: Watch) -> None:
    """What is raised here would come up wherever the main thread happens to be."""
    with suppress(OSError, ValueError):  # of reading what the system says: then nothing changes
        _follow(watch.left())


def _follow(left: float) -> None:
    """Take fewer threads where other programs left too few cores, more where they left another one, almost whole."""
    now = torch.get_num_threads()
    wanted = min(MOST_THREADS, max(1, math.floor(left + TOLERANCE)))
    if wanted > now or (wanted < now and left < now - 2 * TOLERANCE):
        _bound(wanted)
        message = f"CPU threads: {wanted} instead of {now}, other programs left {left:.1f} cores\n"
        os.write(2, message.encode())  # not through a buffer, in which the main thread may be writing


def _unwatch() -> None:
    """A signal that came when Python has ended its own handlers would kill the process."""
    signal.setitimer(signal.ITIMER_PROF, 0)


def _bound(count: int) -> None:
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(count)  # read by libraries that are loaded later: those of faiss, scikit-learn
    threadpool_limits(count)  # those that are loaded
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    pa.set_cpu_count(count)
    _counts.append(count)


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
    """The device in words, for reports: the GPU's name, or the number of CPU threads, all that there were so far."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    counts = _counts or [torch.get_num_threads()]
    fewest, most = min(counts), max(counts)
    return f"CPU, {most} threads" if fewest == most else f"CPU, {fewest} to {most} threads"
