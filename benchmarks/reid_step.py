"""A training step of IDE with frozen batch normalisation: folded into the convolutions against left beside them.

python -m benchmarks.reid_step
"""

from __future__ import annotations

import time
from copy import deepcopy

import torch

from benchmarks.compare import command
from reid.networks import IDE
from reid.networks.folding import fold


def seconds(network: IDE, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Of one forward and backward pass."""
    start = time.perf_counter()
    network.zero_grad()
    network.loss(images, labels).mean().backward()
    return time.perf_counter() - start


def main(batch: int = 32, rounds: int = 20, threads: int = 2) -> None:
    """Both in turn, the fastest of all rounds each."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    images, labels = torch.rand(batch, 3, 128, 64) * 2 - 1, torch.randint(0, 100, (batch,))
    for backbone in ("mobilenet-v2", "resnet50"):
        plain = IDE(100, backbone, (128, 64), freeze_batch_norm=False, pretrained=False).eval()
        folded = deepcopy(plain)
        fold(folded.backbone)
        times = [(seconds(plain, images, labels), seconds(folded, images, labels)) for _ in range(rounds)]
        apart, together = (min(column) for column in zip(*times, strict=True))
        print(f"{backbone}: folded {together * 1e3:.0f} ms, apart {apart * 1e3:.0f} ms, ratio {apart / together:.3g}")


if __name__ == "__main__":
    command(main)()
