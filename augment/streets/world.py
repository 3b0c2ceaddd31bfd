"""The cameras and people of a data set, and the pictures that can be taken of them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augment.streets.camera import HEIGHT, WIDTH, Camera, Frame
from augment.streets.collection import CAMERAS
from augment.streets.outfit import open_shop
from augment.streets.people import JOINTS, Person, Posed
from augment.streets.rendering import Layer, in_sight, render
from augment.streets.scene import NEAREST, Scene
from augment.streets.solids import Solid
from reid.files.images import encode_jpeg
from reid.randomness.seeds import seed_for

STRANGERS = 40  # number of passers-by, who are not among the set's identities
# Share of the pictures with a passer-by behind the person, with one in front, and with an object in front.
BEHIND, BEFORE, OBSTACLE = 0.18, 0.05, 0.07
LEAST = 0.09  # share of the image that must show the person; if less does, what is in front of them is left out
# Metres between a joint and the body's surface in front of it, at most.
RADII = {"nose": 0.045, "neck": 0.14, "shoulder": 0.13, "elbow": 0.09, "wrist": 0.08, "hip": 0.19, "knee": 0.12,
         "ankle": 0.10, "eye": 0.04, "ear": 0.05}  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A picture of a person with its annotations.

    Args:
        image: JPEG, 128 x 64.
        background: JPEG, the same without the person.
        mask: PNG, 1 bit: where the person is.
        truth: activity; box (left, top, right, bottom in pixels, None without a visible pixel); joints; visible.
    """

    image: bytes
    background: bytes
    mask: bytes
    truth: dict[str, Any]


class World:
    """The cameras and people of a seed.

    A picture depends on the seed and on the arguments of `shoot` alone, so pictures can be taken in any order.
    """

    def __init__(self, seed: int):
        self.seed = seed
        self.shop = open_shop(seed)
        self.cameras = [Camera(seed, number) for number in range(1, CAMERAS + 1)]
        self.scenes = [Scene(seed, number) for number in range(1, CAMERAS + 1)]
        self._grounds = [Layer(scene.solids) for scene in self.scenes]
        self.person = lru_cache(maxsize=2 * STRANGERS)(self._person)

    def _person(self, number: int | str) -> Person:
        return Person(self.seed, number, self.shop)

    def shoot(self, number: int, camera_number: int, name: str, bad_box: bool = False) -> Shot:
        """Take a picture.

        Args:
            number: of the person.
            camera_number: from 1.
            name: of the moment; stance, place, box and other people are drawn anew for each name.
            bad_box: whether the box is like a detector's false alarm, which holds a part of the person at most.
        """
        random = np.random.default_rng(seed_for(self.seed, "shot", number, camera_number, name))
        camera, scene = self.cameras[camera_number - 1], self.scenes[camera_number - 1]
        position = (random.uniform(-2.2, 2.2), random.uniform(-1.8, 1.8))
        yaw = camera.heading + random.choice([0, 180]) + random.normal(0, 25)
        posed = self.person(number).moment(random, yaw, position)
        frame = camera.frame(posed.outline(), random)
        if bad_box:
            frame = _bad(frame, random)
        behind, before = self._company(position, random, scene, camera)
        around = [self._grounds[camera_number - 1], *map(Layer, behind)]
        person = Layer(posed.solids)
        grain = seed_for(self.seed, "grain", number, camera_number, name)
        with_front = [*around, *map(Layer, before)]
        picture = render(scene, camera, frame, with_front, person, np.random.default_rng(grain))
        if before and picture.mask.mean() < LEAST and not bad_box:  # too little is left of the person
            picture = render(scene, camera, frame, around, person, np.random.default_rng(grain))
        else:
            around = with_front
        shake = bool(random.random() < 0.2)
        exposure = camera.exposure(picture.empty)
        image, background = (
            encode_jpeg(camera.develop(light, exposure, np.random.default_rng(grain + 1), shake), camera.quality)
            for light in (picture.light, picture.empty)
        )
        mask = picture.mask > 0.5
        return Shot(image, background, _png(mask), self._truth(camera, frame, around, person, posed, mask))

    def _company(
        self, position: tuple[float, float], random: np.random.Generator, scene: Scene, camera: Camera
    ) -> tuple[list[list[Solid]], list[list[Solid]]]:
        """Other people and objects behind the person, and in front of the person."""
        behind, before = [], []
        aside = float(random.choice([-1, 1]))
        stranger = self.person(f"stranger {random.integers(STRANGERS)}")
        chance = random.random()
        if chance < BEHIND:
            x = position[0] + aside * random.uniform(0.3, 0.9)
            place = (x, min(position[1] + random.uniform(0.8, 3), NEAREST - 0.2))
            behind.append(stranger.moment(random, random.uniform(0, 360), place).solids)
        elif chance < BEHIND + BEFORE:
            place = (position[0] + aside * random.uniform(0.22, 0.5), position[1] - random.uniform(0.6, 1.2))
            before.append(stranger.moment(random, random.uniform(0, 360), place).solids)
        elif chance < BEHIND + BEFORE + OBSTACLE:
            toward = (camera.position - (*position, 0)) * (1, 1, 0)
            spot = (*position, 0) + toward / np.linalg.norm(toward) * random.uniform(0.6, 1.3)
            before.append(scene.obstacle(random, spot + (random.normal(0, 0.35), 0, 0)))
        return behind, before

    def _truth(
        self, camera: Camera, frame: Frame, around: list[Layer], person: Layer, posed: Posed, mask: NDArray[np.bool_]
    ) -> dict[str, Any]:
        """The annotations of a picture: activity, box, joints, and which joints are in the line of sight."""
        radii = np.array([RADII[name.rpartition("_")[2]] for name in JOINTS])
        at = camera.pixels(posed.joints, frame)
        inside = ((at > -0.5) & (at < (WIDTH - 0.5, HEIGHT - 0.5))).all(1)
        visible = inside & in_sight(camera, around, person, posed.joints, radii)
        across, down = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        box = [int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1] if mask.any() else None
        return {
            "activity": posed.activity,
            "box": box,
            "joints": [[round(float(x), 2), round(float(y), 2)] for x, y in at],
            "visible": [int(in_view) for in_view in visible],
        }


def _bad(frame: Frame, random: np.random.Generator) -> Frame:
    """A box around a part of the person, or beside the person."""
    share = random.uniform(0.4, 0.65)
    left = frame.left + frame.width * random.uniform(-0.35, 1.35 - share)
    top = frame.top + frame.height * random.uniform(0, 1 - share)
    return Frame(left, top, frame.width * share, frame.height * share)


def _png(mask: NDArray[np.bool_]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
