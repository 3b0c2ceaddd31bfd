"""Re-ID training on an idle machine and next to other busy programs, with a number of threads and with `threads: auto`.

python -m benchmarks.busy_machine
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack

import torch

from benchmarks.compare import command
from pipelines.runtime import Threads, bound_threads
from reid.networks import IDE

BUSY = "while True: pass"


def train(threads: Threads, iterations: int, batch: int) -> None:
    """Print the threads, and the seconds that so many iterations of IDE take."""
    bound_threads(threads)
    torch.manual_seed(0)
    network = IDE(100, "mobilenet-v2", (96, 48), freeze_batch_norm=True, pretrained=False).train()
    images, labels = torch.rand(batch, 3, 128, 64) * 2 - 1, torch.randint(0, 100, (batch,))
    smoothing = torch.zeros(batch)
    optimiser = torch.optim.SGD(network.parameters(), 1e-4)
    for iteration in range(-3, iterations):
        if iteration == 0:
            start = time.perf_counter()
        optimiser.zero_grad()
        network.loss(images, labels, smoothing).mean().backward()
        optimiser.step()
    print(torch.get_num_threads(), time.perf_counter() - start)


def measure(threads: Threads, busy: int, iterations: int, batch: int) -> tuple[int, float]:
    """Of a new process, with so many busy ones beside it."""
    with ExitStack() as stack:
        for _ in range(busy):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            stack.callback(process.kill)
        time.sleep(0.5)
        code = f"from benchmarks.busy_machine import train; train({threads!r}, {iterations}, {batch})"
        printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    count, seconds = printed.split()
    return int(count), float(seconds)


def main(iterations: int = 100, batch: int = 32, most: int = 2, rounds: int = 3) -> None:
    """All versions in turn, the fastest of all rounds each."""
    versions: list[tuple[Threads, int]] = [(threads, busy) for busy in (0, 1) for threads in (most, 1, "auto")]
    measured = [[measure(*version, iterations, batch) for version in versions] for _ in range(rounds)]
    best = [min(column, key=lambda result: result[1]) for column in zip(*measured, strict=True)]
    for (threads, busy), (count, seconds) in zip(versions, best, strict=True):
        title = f"threads: {threads}, {busy} busy processes beside it, {iterations} iterations in {count} threads"
        print(f"{title}: {seconds:.3g} s, ratio {seconds / best[0][1]:.3g}")


if __name__ == "__main__":
    command(main)()
