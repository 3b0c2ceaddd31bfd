"""Cameras and ray casting of the rendered data set."""

from dataclasses import replace

import numpy as np
import pytest

from augment.streets.camera import HEIGHT, WIDTH, Camera, Frame
from augment.streets.meshes import box
from augment.streets.noise import SIDE, cells, noise
from augment.streets.outfit import open_shop
from augment.streets.people import Person
from augment.streets.rendering import Layer, in_sight, render
from augment.streets.scene import Scene
from augment.streets.solids import moved, plain


@pytest.fixture(scope="module")
def camera():
    return Camera(0, 3)


@pytest.fixture(scope="module")
def scene():
    return Scene(0, 3)


def around(camera, points):
    seen = camera.project(points)
    low, high = seen.min(0) - 0.02, seen.max(0) + 0.02
    return Frame(low[0], low[1], high[0] - low[0], high[1] - low[1])


def test_rays_and_pixels_agree(camera):
    frame = Frame(-0.1, -0.2, 0.2, 0.4)
    rays = camera.directions(frame, 1).reshape(HEIGHT, WIDTH, 3)
    assert np.allclose(np.linalg.norm(rays, axis=2), 1)
    for row, column in ((0, 0), (17, 40), (127, 63)):
        point = camera.position + 7.3 * rays[row, column]
        assert np.allclose(camera.pixels(point[None], frame), (column, row), atol=1e-3)


def test_the_camera_looks_ahead_and_upright(camera):
    left, right, high, low = np.array([[-1.0, 0, 1], [1, 0, 1], [0, 0, 2], [0, 0, 0]])
    assert camera.project(right[None])[0, 0] > 0 > camera.project(left[None])[0, 0]
    assert camera.project(low[None])[0, 1] > camera.project(high[None])[0, 1]


def test_frames_hold_most_of_the_person(camera):
    person = Person(0, 1, open_shop(0))
    inside = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        outline = person.moment(random, 0, (0, 0)).outline()
        at = camera.pixels(outline, camera.frame(outline, random))
        inside.append(((at > -0.5) & (at < (WIDTH - 0.5, HEIGHT - 0.5))).all(1).mean())
    assert np.mean(inside) > 0.9
    assert min(inside) > 0.5


def test_a_box_covers_the_pixels_that_it_should(camera, scene):
    vertices, faces = box((0.5, 0.3, 1.6), (0.2, 0.1, 0.8))
    target = Layer([replace(plain(vertices, faces, np.array([0.5, 0.1, 0.1])), of_person=True)])
    frame = around(camera, vertices)
    picture = render(scene, camera, frame, [Layer(_far_away())], target, np.random.default_rng(0))
    # A convex body covers a pixel where the pixel's ray passes through all three of the box's slabs at once.
    rays = camera.directions(frame, 2)
    with np.errstate(divide="ignore"):
        first = (vertices.min(0) - camera.position) / rays
        second = (vertices.max(0) - camera.position) / rays
    enter, leave = np.minimum(first, second).max(1), np.maximum(first, second).min(1)
    expected = (enter <= leave).reshape(HEIGHT, 2, WIDTH, 2).mean((1, 3))
    assert 0.1 < expected.mean() < 0.9
    assert np.abs(picture.mask - expected).mean() < 0.002


def _far_away():
    vertices, faces = box((0.1, 0.1, 0.1), (0, 500, 0.05))
    return [plain(vertices, faces, np.zeros(3))]


def test_the_background_is_what_is_seen_without_the_person(camera, scene):
    person = Person(0, 2, open_shop(0)).moment(np.random.default_rng(1), 30, (0, 0))
    frame = around(camera, person.outline())
    street = [Layer(scene.solids)]
    with_person = render(scene, camera, frame, street, Layer(person.solids), np.random.default_rng(5))
    nobody = render(scene, camera, frame, street, Layer(_far_away()), np.random.default_rng(5))
    assert np.array_equal(with_person.empty, nobody.light)
    assert nobody.mask.max() == 0
    changed = np.abs(with_person.light - with_person.empty).max(2) > 1e-6
    assert changed[with_person.mask > 0.9].mean() > 0.99
    untouched = ~changed
    assert untouched.mean() > 0.1, "the shadow cannot be everywhere"


def test_people_throw_shadows(camera):
    scene = Scene(0, 3)
    scene.sun, scene.spread, scene.trees = np.array([0.0, 0.7, 0.71]), 0.01, False  # from behind: shadows fall to us
    scene.sunlight = np.full(3, 2.0)
    vertices, faces = box((0.5, 0.3, 1.6), (0, 0, 0.8))
    target = Layer([plain(vertices, faces, np.array([0.5, 0.5, 0.5]))])
    places = np.array([[0.0, -0.8, 0.0], [1.5, -0.8, 0.0]])  # before the box, and beside it
    frame = around(camera, np.concatenate([places, vertices]))
    picture = render(scene, camera, frame, [Layer(_far_away())], target, np.random.default_rng(0))
    shadow, light = camera.pixels(places, frame).round().astype(int)
    dark = picture.light[shadow[1], shadow[0]] / picture.empty[shadow[1], shadow[0]]
    assert (dark < 0.8).all()
    assert np.allclose(picture.light[light[1], light[0]], picture.empty[light[1], light[0]])


def test_line_of_sight(camera):
    person = Person(0, 3, open_shop(0)).moment(np.random.default_rng(0), 0, (0, 0))
    layer, nothing = Layer(person.solids), Layer(_far_away())
    points, radii = person.joints, np.full(18, 0.2)
    free = in_sight(camera, [nothing], layer, points, radii)
    assert free[[0, 2, 5, 8, 11]].all(), "they face the camera: nose, shoulders and hips are seen"
    toward = camera.position / np.linalg.norm(camera.position)
    wall = box((4, 0.1, 1.0), tuple(np.array([0, 0, 0.5]) + toward * (1, 1, 0)))
    hidden = in_sight(camera, [nothing, Layer([plain(*wall, np.zeros(3))])], layer, points, radii)
    assert not hidden[[9, 10, 12, 13]].any(), "knees and ankles are behind the wall"
    assert hidden[0]


def test_exposure_and_development(camera):
    light = np.random.default_rng(0).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    bright, dark = (
        camera.develop(light * f, camera.exposure(light * f), np.random.default_rng(0), False) for f in (3, 0.3)
    )
    assert bright.dtype == np.uint8
    assert bright.shape == (HEIGHT, WIDTH, 3)
    assert abs(float(bright.mean()) - float(dark.mean())) < 45, "ten times the light hardly changes the image"
    again = camera.develop(light * 3, camera.exposure(light * 3), np.random.default_rng(0), False)
    assert np.array_equal(bright, again)
    shaken = camera.develop(light * 3, camera.exposure(light * 3), np.random.default_rng(0), True)
    assert np.abs(np.diff(shaken.astype(int), axis=1)).mean() < 0.7 * np.abs(np.diff(bright.astype(int), axis=1)).mean()


def test_cameras_and_scenes_are_fixed_by_their_seed():
    assert Camera(4, 2).height == Camera(4, 2).height != Camera(4, 3).height
    points = np.random.default_rng(0).uniform(-5, 5, (50, 3)) * (1, 1, 0)
    assert np.array_equal(Scene(4, 2).ground(points), Scene(4, 2).ground(points))
    assert not np.array_equal(Scene(4, 2).ground(points), Scene(4, 3).ground(points))


def test_noise_is_smooth_periodic_and_normed():
    random = np.random.default_rng(0)
    u, v = random.random(20000), random.random(20000)
    values = noise(u, v)
    assert abs(values.mean()) < 0.05
    assert values.std() == pytest.approx(1, abs=0.1)
    assert np.allclose(noise(u + 1, v - 2), values, atol=2e-2)
    assert np.abs(noise(u + 0.2 / SIDE, v) - values).mean() < 0.1
    assert abs(np.corrcoef(values, noise(u, v, 1))[0, 1]) < 0.2
    shades = cells(40 * u, 40 * v)
    assert 0 <= shades.min() < 0.05 < 0.95 < shades.max() < 1
    assert (cells(np.array([3.1, 3.9]), np.array([7.2, 7.8])) == cells(np.array([3.5]), np.array([7.5]))).all()


def test_moving_turns_to_the_left():
    assert np.allclose(moved(np.array([[0.0, -1, 0]]), 90, np.array([1.0, 0, 0])), [[2, 0, 0]])
