"""People of the rendered data set: clothes, hair, what they carry."""

import numpy as np
import pytest

from augment.poses import JOINTS as POSE_JOINTS
from augment.streets.garments import TUCKED
from augment.streets.outfit import SHOP_TOPS, open_shop
from augment.streets.people import JOINTS, Person
from augment.streets.rendering import FAR, Layer
from augment.streets.solids import Solid


@pytest.fixture(scope="module")
def crowd():
    shop = open_shop(0)
    return [Person(0, number, shop) for number in range(1, 41)]


def test_joints_have_the_order_of_poses():
    assert JOINTS == POSE_JOINTS


def test_a_person_is_the_same_each_time(crowd):
    again = Person(0, 5, open_shop(0))
    assert np.array_equal(again.shape.vertices, crowd[4].shape.vertices)
    assert all(np.array_equal(a[1].vertices, b[1].vertices) for a, b in zip(again.parts, crowd[4].parts, strict=True))
    assert not np.array_equal(Person(1, 5, open_shop(1)).shape.vertices, crowd[4].shape.vertices)


def test_people_share_clothes_of_the_shop(crowd):
    shop = open_shop(0)
    products = [top for tops in shop.tops.values() for top in tops]
    assert len(products) == 2 * SHOP_TOPS
    bought = sum(any(np.array_equal(person.outfit.top.colour, top.colour) for top in products) for person in crowd)
    assert 8 <= bought <= 30


def test_the_top_ends_at_its_hem_in_a_straight_line(crowd):
    for person in crowd:
        mesh = dict(person.parts)["top"]
        hem = person.at.hip - person.outfit.top.hem * person.at.scale
        if person.outfit.bottom.cut in ("skirt", "dress"):
            skirt = np.unique(person.body.faces["skirt"])
            hem = person.shape.vertices[skirt, 2].max() - TUCKED
        trunk = mesh.vertices[np.abs(mesh.vertices[:, 0]) < 0.12]
        assert trunk[:, 2].min() == pytest.approx(hem, abs=1e-6)
        on_hem = mesh.vertices[np.abs(mesh.vertices[:, 2] - hem) < 1e-6]
        assert len(on_hem) > 20, "the cut runs around the body"


def test_no_layer_shows_through_the_one_above(crowd):
    """Rays at the trunk from all around meet the top first, not skin or trousers."""
    for person in crowd:
        names = [name for name, _ in person.parts]
        layer = Layer([Solid(mesh.vertices, mesh.faces, mesh.vertices, np.zeros_like) for _, mesh in person.parts])
        low = person.at.hip - person.outfit.top.hem * person.at.scale + 0.03
        heights = np.linspace(low, person.at.neck[2] - 0.22 * person.at.scale, 24)
        angles = np.radians([60, 75, 90, 105, 120, 240, 255, 270, 285, 300])  # in front and behind, past the arms
        height, angle = (grid.ravel() for grid in np.meshgrid(heights, angles))
        outward = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
        origins = (outward + np.stack([0 * height, 0 * height, height], 1)).astype(np.float32)
        found = layer._scene.run(origins, (-outward).astype(np.float32), output=1)["primID"]
        met = [names[layer._solid[face]] for face in found[found >= 0]]
        wrong = sum(name in ("skin", "bottom") for name in met)
        assert len(met) > 200, "rays miss the trunk"
        if person.outfit.bottom.cut in ("skirt", "dress"):  # worn over the top
            wrong = sum(name == "skin" for name in met)
        assert wrong <= 0.005 * len(met), (person.outfit.top, wrong, len(met))


def test_colours_are_possible_and_stay(crowd):
    for person in crowd[:10]:
        for name, mesh in person.parts:
            colours = person.paints[name](mesh.vertices)
            assert colours.shape == mesh.vertices.shape
            assert (colours >= 0).all()
            assert (colours < 1.6).all()
            assert np.array_equal(colours, person.paints[name](mesh.vertices))


def test_a_moment_stands_on_the_ground_and_faces_its_way(crowd):
    random = np.random.default_rng(0)
    activities = set()
    for person in crowd:
        posed = person.moment(random, 90.0, (1.0, 2.0))
        activities.add(posed.activity.split(",")[0])
        low = posed.outline()[:, 2].min()
        assert low == pytest.approx(0, abs=1e-6) or posed.activity == "ride a bicycle"
        assert low > -0.05
        at = dict(zip(JOINTS, posed.joints, strict=True))
        assert np.abs(posed.joints[:, :2] - (1, 2)).max() < 1.2
        assert at["nose"][2] > at["neck"][2] > at["right_hip"][2] > at["right_ankle"][2]
        assert at["left_hip"][1] > at["right_hip"][1], "at 90 degrees they face +x, so their left is +y"
    assert {"walk", "stand"} <= activities


def test_layers_say_what_is_far(crowd):
    posed = crowd[0].moment(np.random.default_rng(0), 0, (0, 0))
    layer = Layer(posed.solids)
    up = np.array([[*posed.joints[0, :2] + (0, 0.08), 5]], np.float32)  # above the crown, a little behind the nose
    away = np.array([[0.0, 0, 1]], np.float32)
    assert layer.reach(up, away)[0] > FAR
    top = max(solid.vertices[:, 2].max() for solid in layer.solids)
    assert layer.reach(up, -away)[0] == pytest.approx(5 - top, abs=0.1)
    assert layer.blocked(up, -away)[0]
    assert not layer.blocked(up, away)[0]
