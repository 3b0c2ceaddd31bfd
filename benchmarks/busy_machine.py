"""Re-ID training alone, and when a busy program begins beside it, with a number of threads and with `threads: auto`.

python -m benchmarks.busy_machine
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack

import torch

from benchmarks.compare import command
from pipelines.runtime import Threads, bound_threads, describe
from reid.networks import IDE

BUSY = "while True: pass"
READY = "ready"


def train(threads: Threads, iterations: int, batch: int) -> None:
    """Print a word when training has begun; then the seconds that so many iterations of IDE take, and the threads."""
    bound_threads(threads)
    torch.manual_seed(0)
    network = IDE(100, "mobilenet-v2", (96, 48), freeze_batch_norm=True, pretrained=False).train()
    images, labels = torch.rand(batch, 3, 128, 64) * 2 - 1, torch.randint(0, 100, (batch,))
    smoothing = torch.zeros(batch)
    optimiser = torch.optim.SGD(network.parameters(), 1e-4)
    for iteration in range(-3, iterations):
        if iteration == 0:
            print(READY, flush=True)
            start = time.perf_counter()
        optimiser.zero_grad()
        network.loss(images, labels, smoothing).mean().backward()
        optimiser.step()
    print(time.perf_counter() - start, describe(torch.device("cpu")))


def measure(threads: Threads, busy: int, iterations: int, batch: int) -> tuple[float, str]:
    """Seconds and threads of a new process; so many busy ones begin when it has begun."""
    code = f"from benchmarks.busy_machine import train; train({threads!r}, {iterations}, {batch})"
    with ExitStack() as stack:
        training = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        )
        assert training.stdout is not None
        while training.stdout.readline().strip() != READY:
            if training.poll() is not None:
                raise RuntimeError(f"the training ended with exit status {training.returncode}")
        for _ in range(busy):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            stack.callback(process.kill)
        seconds, device = training.stdout.read().split(maxsplit=1)
    return float(seconds), device.strip()


def main(iterations: int = 100, batch: int = 32, most: int = 2, rounds: int = 3) -> None:
    """All versions in turn, the fastest of all rounds each."""
    numbers: list[Threads] = list(dict.fromkeys((most, 1, "auto")))
    versions = [(threads, busy) for busy in (0, 1) for threads in numbers]
    measured = [[measure(*version, iterations, batch) for version in versions] for _ in range(rounds)]
    best = [min(column) for column in zip(*measured, strict=True)]
    for (threads, busy), (seconds, device) in zip(versions, best, strict=True):
        title = f"threads: {threads}, {busy} busy processes beside it, {iterations} iterations on {device}"
        print(f"{title}: {seconds:.3g} s, ratio {seconds / best[0][0]:.3g}")


if __name__ == "__main__":
    command(main)()
