"""Meshes, bodies and stances of the rendered data set."""

import numpy as np
import pytest

from augment.streets import stance
from augment.streets.belongings import CRANK, HANDLES, PEDAL
from augment.streets.body import Body, load_body, skin, turn
from augment.streets.cycling import SOLE, cycling, saddle_offset
from augment.streets.meshes import Mesh, box, clip, joined, normals, rounded, smoothed, tube


def area(vertices, faces):
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def volume(vertices, faces):
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return (a * np.cross(b, c)).sum() / 6


def plane(cells):
    x, y = np.meshgrid(np.linspace(0, 1, cells + 1), np.linspace(0, 1, cells + 1))
    vertices = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1)
    index = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, 1:].ravel(), index[1:, :-1].ravel()
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return Mesh(vertices, faces, np.ones((len(vertices), 1)))


@pytest.mark.parametrize("tilt", [0.0, 0.31, -0.72])
def test_clip_cuts_exactly_where_the_values_are_zero(tilt):
    mesh = plane(5)
    keep = mesh.vertices[:, 0] - 0.43 + tilt * (mesh.vertices[:, 1] - 0.5)
    part = clip(mesh, keep)
    assert area(part.vertices, part.faces) == pytest.approx(0.57)
    left = part.vertices[:, 0] - 0.43 + tilt * (part.vertices[:, 1] - 0.5)
    assert left.min() == pytest.approx(0, abs=1e-12)
    a, b, c = (part.vertices[part.faces[:, corner]] for corner in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > -1e-12).all(), "triangles are turned over"
    assert part.weights.shape == (len(part.vertices), 1)
    assert len(np.unique(part.vertices.round(9), axis=0)) == len(part.vertices), "the edge is not shared"


def test_clip_of_all_and_of_nothing():
    mesh = plane(3)
    assert area(clip(mesh, np.ones(16)).vertices, clip(mesh, np.ones(16)).faces) == pytest.approx(1)
    assert len(clip(mesh, -np.ones(16)).faces) == 0


def test_smoothing_equals_a_slow_loop():
    mesh = plane(4)
    vertices = mesh.vertices + np.random.default_rng(0).normal(0, 0.05, mesh.vertices.shape)
    neighbours = {number: set() for number in range(len(vertices))}
    for face in mesh.faces:
        for corner in face:
            neighbours[corner] |= set(face) - {corner}
    expected = np.stack([vertices[sorted(neighbours[number])].mean(0) for number in range(len(vertices))])
    assert np.allclose(smoothed(vertices, mesh.faces, 1), expected)


@pytest.mark.parametrize(
    ("solid", "size"),
    [
        (box((1, 2, 3), (4, 5, 6)), 6.0),
        (rounded((0.5, 1.0, 1.5), np.array([1.0, 2, 3]), 1.0, rings=48), 4 / 3 * np.pi * 0.75),
    ],
)
def test_solids_are_closed_and_turned_outwards(solid, size):
    assert volume(*solid) == pytest.approx(size, rel=0.01)


def test_a_tube_faces_outwards():
    vertices, faces = tube((0, 0, 0), (0, 0, 2), 0.5, sides=12)
    outward = normals(vertices, faces)
    assert ((outward * vertices)[:, :2].sum(1) > 0).all()


def test_joined_keeps_both():
    vertices, faces = joined([box((1, 1, 1), (0, 0, 0)), box((1, 1, 1), (3, 0, 0))])
    assert volume(vertices, faces) == pytest.approx(2)


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body()


def people(body, count=6):
    return [body.shape(np.random.default_rng(seed)) for seed in range(count)]


def test_bodies_are_adults(body):
    shapes = people(body, 60)
    skin_vertices = np.unique(body.faces["body"])
    heights = [np.ptp(shape.vertices[skin_vertices, 2]) for shape in shapes]
    assert min(heights) > 1.45
    assert max(heights) < 2.0
    assert 0.2 < np.mean([shape.female for shape in shapes]) < 0.8
    assert {shape.ancestry for shape in shapes} == {0, 1, 2}


def test_at_rest_nothing_moves(body):
    shape = people(body, 1)[0]
    still = skin(shape.vertices, body.weights, body.transforms(shape, {}))
    assert np.allclose(still, shape.vertices)


def test_skinning_equals_a_slow_chain(body):
    shape = people(body, 1)[0]
    random = np.random.default_rng(3)
    turns = {bone: turn(tuple(random.normal(size=3)), random.uniform(-60, 60)) for bone in body.bones}

    def global_map(bone):
        name, head = body.bones[bone], shape.heads[bone]
        to, fro, rotate = np.eye(4), np.eye(4), np.eye(4)
        to[:3, 3], fro[:3, 3], rotate[:3, :3] = head, -head, turns[name]
        local = to @ rotate @ fro
        return local if body.parents[bone] < 0 else global_map(body.parents[bone]) @ local

    maps = [global_map(bone) for bone in range(len(body.bones))]
    moved = skin(shape.vertices, body.weights, body.transforms(shape, turns))
    for vertex in random.integers(len(shape.vertices), size=40):
        place = np.append(shape.vertices[vertex], 1)
        expected = sum(body.weights[vertex, bone] * (maps[bone] @ place) for bone in range(len(maps)))
        assert np.allclose(moved[vertex], expected[:3])


def posed_heads(body, shape, held):
    transforms = body.transforms(shape, stance.rotations(body, shape, held))
    return {
        name: transforms[number][:, :3] @ shape.heads[number] + transforms[number][:, 3]
        for name, number in body.bone.items()
    }


def test_limbs_point_where_the_stance_says(body):
    for shape in people(body):
        legs = {"L": stance.Leg(35, 5, 50), "R": stance.Leg(-12, 3, 20)}
        arms = {"L": stance.Arm(20, 15, 30, 0), "R": stance.Arm(-15, 5, 0, 0)}
        head = posed_heads(body, shape, stance.Stance("test", legs, arms, lean=0, twist=0))
        for side, leg in legs.items():
            thigh = head[f"lowerleg01.{side}"] - head[f"upperleg01.{side}"]
            shank = head[f"foot.{side}"] - head[f"lowerleg01.{side}"]
            assert np.degrees(np.arctan2(-thigh[1], -thigh[2])) == pytest.approx(leg.forward)
            assert np.degrees(np.arctan2(-shank[1], -shank[2])) == pytest.approx(leg.forward - leg.knee)
        for side, arm in arms.items():
            upper = head[f"lowerarm01.{side}"] - head[f"upperarm01.{side}"]
            lower = head[f"wrist.{side}"] - head[f"lowerarm01.{side}"]
            cosine = upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower)
            assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) == pytest.approx(arm.elbow, abs=1e-4)
            assert np.sign(upper[0]) == stance.SIDES[side]
            if arm.elbow:
                assert lower[1] / np.linalg.norm(lower) < upper[1] / np.linalg.norm(upper), "the elbow bends backwards"


def test_strides_keep_feet_near_the_ground(body):
    shape = people(body, 1)[0]
    for seed in range(40):
        head = posed_heads(body, shape, stance.walking(np.random.default_rng(seed)))
        low = min(head["foot.L"][2], head["foot.R"][2])
        legs = shape.heads[body.bone["upperleg01.L"]][2] - shape.heads[body.bone["foot.L"]][2]
        assert 0.8 * legs < head["upperleg01.L"][2] - low < 1.02 * legs


def test_cyclists_feet_are_on_the_pedals_and_hands_at_the_bar(body):
    for number, shape in enumerate(people(body, 8)):
        head = posed_heads(body, shape, cycling(body, shape, np.random.default_rng(number)))
        origin = saddle_offset(body, shape)
        for side, sign in stance.SIDES.items():
            pedal = head[f"foot.{side}"][1:] - SOLE - origin[1:] - CRANK[1:]
            assert np.linalg.norm(pedal) == pytest.approx(PEDAL, abs=0.04)
            handle = origin + (sign * HANDLES[0], HANDLES[1], HANDLES[2])
            assert np.linalg.norm(head[f"wrist.{side}"] - handle) < 0.22


def test_gestures_put_the_hands_where_they_belong(body):
    shape = people(body, 1)[0]
    keypoint = {name: shape.keypoints[number] for name, number in body.keypoint.items()}
    for seed in range(12):
        random = np.random.default_rng(seed)
        free = stance.standing(random)

        def hand(held, side):
            return posed_heads(body, shape, held)[f"wrist.{side}"]

        phone = stance.with_phone(random, free, ["L", "R"])
        if "talk" in phone.name:
            assert np.linalg.norm(hand(phone, "L") - keypoint["left_ear"]) < 0.30
        else:
            assert hand(phone, "L")[1] < keypoint["left_hip"][1] - 0.15, "before the body"
        pockets = hand(stance.with_pockets(random, free, ["R"]), "R")
        assert np.linalg.norm(pockets - keypoint["right_hip"]) < 0.30
        crossed = stance.with_crossed_arms(random, free, ["L", "R"])
        assert np.linalg.norm(hand(crossed, "L") - hand(crossed, "R")) < 0.35
        strap = hand(stance.with_strap(random, free, ["L", "R"]), "L")
        assert np.linalg.norm(strap - keypoint["left_shoulder"]) < 0.30


def test_gestures_leave_a_busy_hand_alone():
    names = set()
    for seed in range(200):
        random = np.random.default_rng(seed)
        held = stance.with_hand_bag(random, stance.draw(random, busy="L"), "L")
        names.add(held.name)
        assert held.arms["L"].elbow == 5
        assert "strap" not in held.name
        assert "cross" not in held.name
    assert any("phone" in name for name in names)


def test_rotation_turns_right_handed():
    assert np.allclose(turn((0, 0, 1), 90) @ (1, 0, 0), (0, 1, 0))
