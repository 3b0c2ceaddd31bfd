"""What the images of a rendered set look like to a computer, beside real ones; how fast they are rendered.

python -m benchmarks.streets
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from augment.scores.detection import PersonDetector
from augment.streets.studio import render
from benchmarks.compare import command
from reid.files.images import Archive

# 55 crops of Market-1501, measured with `statistics`; the crops themselves are not in this repository.
REAL = {"luma": 100.0, "sd of luma": 45.0, "saturation": 37.0, "mid frequencies (%)": 12.9, "high frequencies (%)": 2.9}


def statistics(image: NDArray[np.uint8]) -> list[float]:
    """Mean and spread of brightness, saturation, % of the spectrum's energy at 0.1 to 0.25 cycles a pixel and above."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
    energy = np.abs(np.fft.fft2(luma - luma.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(side) for side in luma.shape), indexing="ij"))
    middle, high = (frequency > 0.1) & (frequency <= 0.25), frequency > 0.25
    shares = [100 * energy[band].sum() / energy.sum() for band in (middle, high)]
    saturation = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)[..., 1].mean()
    return [luma.mean(), luma.std(), saturation, *shares]


def main(path: Path = Path("data/raw/streets.zip"), identities: int = 24, processes: int = 2) -> None:
    """Statistics of the set at `path`, the person detector's scores on it, and the renderer's speed."""
    folders = ("bounding_box_train", "query", "bounding_box_test")
    with Archive(path) as archive:
        names = [name for name in archive.names() if name.split("/")[0] in folders and "/-1_" not in name]
        images = [archive.image(name) for name in names[::3]]
    found = np.mean([statistics(image) for image in images], axis=0)
    print(f"every third image of {path}: {len(images)}")
    for (name, real), value in zip(REAL.items(), found, strict=True):
        print(f"{name:24} {value:6.1f}   real {real:6.1f}   {100 * (value / real - 1):+.0f} %")
    detector = PersonDetector()
    for height in (0.8, 0.6):
        scores = np.array([detector.score(image, height) for image in images[::8]])
        share = 100 * (scores > 0.5).mean()
        print(
            f"person score of {len(scores)} images, height {height}: mean {scores.mean():.3f}, {share:.0f} % above 0.5"
        )
    for at_once in range(1, processes + 1):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            count = render(identities, 0, Path(folder) / "set", at_once)
            seconds = time.perf_counter() - start
        print(f"{at_once} at once: {count} images with masks and backgrounds, {count / seconds:.1f} a second")
    print(f"largest process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    command(main)()
