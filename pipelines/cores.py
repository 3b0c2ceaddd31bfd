"""How many CPU cores other programs leave to this process."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of the cores' time in each period, and the period


class Watch:
    """What the cores did since the moment before: since the watch began, or since it was last asked."""

    def __init__(self) -> None:
        self._before = _idle_and_all()
        self._own = _own()

    def left(self) -> float:
        """How many cores other programs left to this process: those that were idle, as a sum of shares, and its own."""
        (cores, seconds), before, own = _idle_and_all(), self._before, self._own
        self._before, self._own = (cores, seconds), _own()
        known = {core: was for core, was in before[0].items() if core in cores}  # the set may have changed
        shares = [(cores[core][0] - idle) / max(1, cores[core][1] - whole) for core, (idle, whole) in known.items()]
        return min(sum(shares) + (self._own - own) / max(1e-3, seconds - before[1]), len(shares), quota())


def quota() -> float:
    """How many cores a container lets its processes use, whatever is idle; infinite where nothing is said."""
    try:
        most, period = QUOTA.read_text().split()
    except (OSError, ValueError):
        return math.inf
    return math.inf if most == "max" else int(most) / int(period)


def _own() -> float:
    """Seconds of cores that this process has used, in all its threads."""
    used = os.times()
    return used.user + used.system


def _idle_and_all() -> tuple[dict[int, tuple[int, int]], float]:
    """Of each core that this process may use, the time that it was idle, and all time, in ticks; and the clock's."""
    allowed, found = os.sched_getaffinity(0), {}
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in allowed:
            # user, nice, system, idle, waiting for disks, two kinds of interrupts, stolen by other virtual machines
            counted = [int(tick) for tick in ticks[:8]]
            found[int(name[3:])] = (counted[3] + counted[4], sum(counted))
    return found, time.monotonic()
