"""A surveillance camera: where it stands, how it frames a person, what it makes of the light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from augment.streets.meshes import Points
from reid.randomness.seeds import seed_for

HEIGHT, WIDTH = 128, 64  # of an image, in pixels


@dataclass(frozen=True)
class Frame:
    """The rectangle of a camera's view that becomes an image: on the plane at distance 1, x right and y down.

    Args:
        left: edge.
        top: edge.
        width: of the rectangle.
        height: of the rectangle.
    """

    left: float
    top: float
    width: float
    height: float


class Camera:
    """One camera; its position and electronics never change.

    Args:
        seed: of the data set.
        number: of the camera.
    """

    def __init__(self, seed: int, number: int):
        random = np.random.default_rng(seed_for(seed, "camera", number))
        self.height = random.uniform(2.2, 4.2)
        self.position = np.array([0.0, -random.uniform(6, 13), self.height])
        self.heading = random.uniform(0, 360)  # the way most people go, in degrees
        ahead = np.array([0, 0, 1.0]) - self.position
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, [0, 0, 1])
        right /= np.linalg.norm(right)
        self.axes = np.stack([right, -np.cross(right, ahead), ahead])  # right, down, ahead
        # Electronics.
        self.level = random.uniform(0.88, 1.14)  # brightness that the exposure aims at, times the usual
        self.tint = np.exp(random.normal(0, 0.04, 3) * (1, 0.5, 1))  # white balance
        self.gamma = random.uniform(0.94, 1.08)
        self.black = random.uniform(0.0, 0.05)
        self.contrast = random.uniform(1.10, 1.28)
        self.saturation = random.uniform(0.45, 0.70)
        self.detail = random.uniform(0.75, 1.3)  # pixels of the sensor for one of the image
        self.blur = random.uniform(0.45, 0.7)  # of the lens, in pixels
        self.sharpen = random.uniform(0.1, 0.6)  # by the electronics
        self.noise = random.uniform(0.003, 0.008)
        self.quality = int(random.integers(72, 90))  # of the JPEG stream

    def project(self, points: Points) -> NDArray[np.floating]:
        """(N, 2) right and down of points (N, 3), on the plane at distance 1."""
        seen = (points - self.position) @ self.axes.T
        return seen[:, :2] / seen[:, 2:]

    def frame(self, points: Points, random: np.random.Generator) -> Frame:
        """The box that a detector puts around a person with these points: never quite right."""
        seen = self.project(points)
        low, high = seen.min(0), seen.max(0)
        tall = high[1] - low[1]
        height = tall * random.uniform(0.97, 1.18)
        middle = (low + high) / 2 + random.normal(0, (0.02, 0.03)) * tall
        if random.random() < 0.10:  # legs or head are missed
            cut = random.uniform(0.10, 0.28) * tall
            height -= cut
            middle[1] += cut / 2 if random.random() < 0.2 else -cut / 2
        width = max(0.5 * height * random.uniform(0.9, 1.12), 0.86 * (high[0] - low[0]))
        return Frame(middle[0] - width / 2, middle[1] - height / 2, width, height)

    def directions(self, frame: Frame, samples: int) -> NDArray[np.floating]:
        """Unit vectors (HEIGHT * samples * WIDTH * samples, 3) through a grid of points of the frame, row by row."""
        down = frame.top + frame.height * (np.arange(HEIGHT * samples) + 0.5) / (HEIGHT * samples)
        right = frame.left + frame.width * (np.arange(WIDTH * samples) + 0.5) / (WIDTH * samples)
        y, x = np.meshgrid(down, right, indexing="ij")
        rays = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3) @ self.axes
        return (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)

    def pixels(self, points: Points, frame: Frame) -> NDArray[np.floating]:
        """(N, 2) x and y of points (N, 3) in the image, in pixels; the first pixel's centre is (0, 0)."""
        seen = self.project(points)
        return (seen - (frame.left, frame.top)) / (frame.width, frame.height) * (WIDTH, HEIGHT) - 0.5

    def exposure(self, light: NDArray[np.floating]) -> float:
        """What an automatic exposure makes of an image (H, W, 3) of linear light."""
        return float(0.20 * self.level / max(0.02, float(light.mean())) ** 0.85)

    def develop(
        self, light: NDArray[np.floating], exposure: float, random: np.random.Generator, shake: bool
    ) -> NDArray[np.uint8]:
        """An image (HEIGHT, WIDTH, 3) of linear light as the camera stores it, uint8 RGB."""
        image: NDArray[Any] = light * (exposure * self.tint).astype(np.float32)
        if self.detail < 0.97:
            small = (max(8, round(WIDTH * self.detail)), max(16, round(HEIGHT * self.detail)))
            image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
            image = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        image = cv2.GaussianBlur(image, (0, 0), self.blur)
        if shake:
            image = cv2.blur(image, (3, 1))
        image = np.clip(image, 0, None)
        image = np.clip(1.2 * image / (1 + 0.25 * image), 0, 1) ** (1 / (2.2 * self.gamma))
        grey = image.mean(2, keepdims=True)
        image = grey + (image - grey) * self.saturation
        image = self.black + ((image - 0.42) * self.contrast + 0.42) * (1 - self.black)
        image = image + random.normal(0, self.noise, image.shape)
        image = image + self.sharpen * (image - cv2.GaussianBlur(image, (0, 0), 1.0))
        return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
