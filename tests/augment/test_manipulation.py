"""People composed of their factors by DPIG: redrawn, of noise, exchanged, between two."""

from dataclasses import replace

import torch
from disentangled import PEOPLE, SIZE, TINY, taught

from augment.data.tuples import Tuples
from augment.geometry.discs import discs
from augment.methods.disentangled.appearance import Appearance
from augment.methods.disentangled.manipulation import (
    Factors,
    between,
    composed,
    encoded,
    from_noise,
    interpolated,
    noise,
    recomposed,
    to_noise,
)
from augment.methods.disentangled.method import CODES, Disentangled
from augment.methods.disentangled.vectors import Mapping
from augment.poses import Pose


def test_people_are_redrawn_and_made_of_noise():
    torch.manual_seed(0)
    method = Disentangled(SIZE, **TINY)
    batch = PEOPLE.batch(Tuples.of_pairs(torch.tensor([0, 1]), torch.tensor([2, 3])), with_target=False)
    images = method.generate(batch)
    foreground = method.embeddings("foreground", batch.source[:, 0], batch.source_pose[:, 0])
    background = method.embeddings("background", batch.source[:, 0], batch.source_pose[:, 0])
    codes = torch.cat([foreground, background], 1)[:, :, None, None].expand(-1, -1, *SIZE)
    maps = torch.cat([codes, discs(batch.target_pose, SIZE)], 1)
    torch.testing.assert_close(images, method.composer.unet(maps).clamp(-1, 1), atol=1e-5, rtol=1e-4)
    assert -1 <= images.min() <= images.max() <= 1
    codes = {name: method.from_noise(name, method.noise(name, 2)) for name in CODES}
    made = method.compose(Appearance(codes["foreground"], codes["background"]), method.decode_pose(codes["pose"]))
    assert made.shape == (2, 3, *SIZE)


def test_a_sampled_person_has_one_foreground_and_many_backgrounds(monkeypatch):
    torch.manual_seed(0)
    method = Disentangled(SIZE, **TINY)
    seen = []
    monkeypatch.setattr(method.composer, "forward", lambda appearance, poses: seen.append(appearance) or torch.zeros(1))
    method.sample(PEOPLE.poses[:3])
    (appearance,) = seen
    assert (appearance.foreground == appearance.foreground[0]).all()
    assert len(appearance.background.unique(dim=0)) == 3


def test_noise_is_found_from_its_embedding():
    torch.manual_seed(0)
    mapping = Mapping(4, 4, 16)
    wanted = 0.2 * torch.randn(3, 4)
    with torch.no_grad():
        codes = mapping(wanted)
        found = to_noise(mapping, codes)
        error, before = (mapping(found) - codes).norm(), (mapping(torch.zeros_like(wanted)) - codes).norm()
    assert error < 0.01 * before
    assert all(parameter.grad is None for parameter in mapping.parameters())


def test_noise_between_two_is_evenly_spaced():
    ends = Factors(torch.randn(2, 224), torch.randn(2, 128), torch.randn(2, 32))
    found = between(ends, 5)
    for part, (first, last) in zip(found, ends, strict=True):
        assert len(part) == 5
        torch.testing.assert_close(part[0], first)
        torch.testing.assert_close(part[4], last)
        torch.testing.assert_close(part[1], 0.75 * first + 0.25 * last)


def test_between_two_people_only_the_chosen_factors_change():
    method = taught(**TINY)
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(2), torch.arange(2)))
    with torch.no_grad():
        own, ends = encoded(method, *batch.single_source()), noise(method, 2)
        made = from_noise(method, ends)
        found = interpolated(method, own.of([0]), ends, ["foreground"], 3)
        middle = method.from_noise("foreground", ends.foreground.mean(0, keepdim=True))
        for place, foreground in enumerate((made.foreground[:1], middle, made.foreground[1:])):
            expected = composed(method, own.of([0])._replace(foreground=foreground))
            torch.testing.assert_close(found[place : place + 1], expected, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            interpolated(method, own.of([0]), ends, list(CODES), 2), composed(method, made), atol=1e-5, rtol=1e-4
        )


def test_a_person_in_the_background_is_left_out():
    method = taught(**TINY)
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(1), torch.arange(1)))
    behind, there = PEOPLE.batch(Tuples.of_pairs(torch.arange(1, 2), torch.arange(1, 2))).single_source()
    with torch.no_grad():
        given = replace(batch, background=behind)
        found = recomposed(method, given, background_poses=there)
        appearance = method.encode(*batch.single_source())._replace(background=method.encode(behind, there).background)
        torch.testing.assert_close(found, method.compose(appearance, batch.target_pose))
        assert not torch.equal(found, recomposed(method, given)), "there all of the picture is background"


def test_one_factor_at_a_time_is_exchanged():
    """What is composed with a factor of another image has the other two of its own."""
    torch.manual_seed(0)
    method = Disentangled(SIZE, **TINY)
    known = torch.ones(4, 18, dtype=torch.bool)
    method.decode_pose = lambda codes: Pose(32 + (20 * codes[:, :2]).clamp(-9, 9)[:, None].expand(-1, 18, -1), known)
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(4), torch.arange(4)))
    own = encoded(method, *batch.single_source())
    order = [1, 2, 3, 0]
    other = own.of(order)
    pose, other_pose = method.decode_pose(own.pose), method.decode_pose(other.pose)
    for factor, appearance, drawn in (
        ("foreground", Appearance(other.foreground, own.background), pose),
        ("background", Appearance(own.foreground, other.background), pose),
        ("pose", Appearance(own.foreground, own.background), other_pose),
    ):
        found = composed(method, own._replace(**{factor: getattr(other, factor)}))
        torch.testing.assert_close(found, method.compose(appearance, drawn))
        assert not torch.equal(found, composed(method, own))
