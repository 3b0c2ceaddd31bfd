"""A surveillance camera: position, projection, boxes around people, and the electronics that turn light into pixels."""

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
    """The part of a camera's view that becomes an image: a rectangle on the plane at distance 1, x right and y down.

    Args:
        left: x of the left edge.
        top: y of the upper edge.
        width: of the rectangle.
        height: of the rectangle.
    """

    left: float
    top: float
    width: float
    height: float


class Camera:
    """A camera whose position and electronics, drawn once, are the same in all its pictures.

    Args:
        seed: of the data set.
        number: of the camera, from 1.
    """

    def __init__(self, seed: int, number: int):
        random = np.random.default_rng(seed_for(seed, "camera", number))
        self.height = random.uniform(2.2, 4.2)
        self.position = np.array([0.0, -random.uniform(6, 13), self.height])
        self.heading = random.uniform(0, 360)  # direction, in degrees, in or against which most people walk
        ahead = np.array([0, 0, 1.0]) - self.position
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, [0, 0, 1])
        right /= np.linalg.norm(right)
        self.axes = np.stack([right, -np.cross(right, ahead), ahead])  # right, down, ahead
        # Electronics.
        self.level = random.uniform(0.88, 1.14)  # brightness that the automatic exposure aims at, 1 being usual
        self.tint = np.exp(random.normal(0, 0.04, 3) * (1, 0.5, 1))  # white balance
        self.gamma = random.uniform(0.94, 1.08)
        self.black = random.uniform(0.0, 0.05)
        self.contrast = random.uniform(1.10, 1.28)
        self.saturation = random.uniform(0.45, 0.70)
        self.detail = random.uniform(0.75, 1.3)  # sensor pixels for one image pixel, along an axis
        self.blur = random.uniform(0.45, 0.7)  # sigma of the lens's blur, in pixels
        self.sharpen = random.uniform(0.1, 0.6)  # strength of unsharp masking
        self.noise = random.uniform(0.003, 0.008)  # standard deviation, of values in [0, 1]
        self.quality = int(random.integers(72, 90))  # of the JPEG stream

    def project(self, points: Points) -> NDArray[np.floating]:
        """Perspective projection (N, 2) of points (N, 3) to the plane at distance 1, x right and y down."""
        from_camera = (points - self.position) @ self.axes.T
        return from_camera[:, :2] / from_camera[:, 2:]

    def frame(self, points: Points, random: np.random.Generator) -> Frame:
        """A detector's box around a person, given as points (N, 3), with a detector's errors of size and position."""
        projected = self.project(points)
        low, high = projected.min(0), projected.max(0)
        person_height = high[1] - low[1]
        height = person_height * random.uniform(0.97, 1.18)
        middle = (low + high) / 2 + random.normal(0, (0.02, 0.03)) * person_height
        if random.random() < 0.10:  # the box cuts off the legs or the head
            cut = random.uniform(0.10, 0.28) * person_height
            height -= cut
            middle[1] += cut / 2 if random.random() < 0.2 else -cut / 2
        width = max(0.5 * height * random.uniform(0.9, 1.12), 0.86 * (high[0] - low[0]))
        return Frame(middle[0] - width / 2, middle[1] - height / 2, width, height)

    def directions(self, frame: Frame, samples: int) -> NDArray[np.floating]:
        """Unit vectors (HEIGHT * samples * WIDTH * samples, 3) through a grid over the frame, in raster order."""
        down = frame.top + frame.height * (np.arange(HEIGHT * samples) + 0.5) / (HEIGHT * samples)
        right = frame.left + frame.width * (np.arange(WIDTH * samples) + 0.5) / (WIDTH * samples)
        y, x = np.meshgrid(down, right, indexing="ij")
        rays = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3) @ self.axes
        return (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)

    def pixels(self, points: Points, frame: Frame) -> NDArray[np.floating]:
        """(N, 2) x and y of points (N, 3) in the image, in pixels; the centre of the top left pixel is (0, 0)."""
        projected = self.project(points)
        return (projected - (frame.left, frame.top)) / (frame.width, frame.height) * (WIDTH, HEIGHT) - 0.5

    def exposure(self, light: NDArray[np.floating]) -> float:
        """The factor by which the automatic exposure multiplies an image (H, W, 3) of linear light."""
        return float(0.20 * self.level / max(0.02, float(light.mean())) ** 0.85)

    def develop(
        self, light: NDArray[np.floating], exposure: float, random: np.random.Generator, shake: bool
    ) -> NDArray[np.uint8]:
        """An image (HEIGHT, WIDTH, 3) of linear light as the camera stores it: uint8 RGB.

        Exposure and white balance, the sensor's resolution, blur of lens and motion (`shake`), the tone curve,
        saturation, black level and contrast, noise, sharpening.
        """
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
