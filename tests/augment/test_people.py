import pytest
import torch
from poses import random_poses

from augment.data.people import People
from augment.data.tuples import Tuples
from reid.common.errors import InputError

RANDOM = torch.Generator().manual_seed(0)
IMAGES, BACKGROUNDS = (torch.randint(0, 256, (6, 3, 16, 8), dtype=torch.uint8, generator=RANDOM) for _ in range(2))

ONE = Tuples.of_pairs(torch.tensor([0]), torch.tensor([1]))


def scaled(image):
    return torch.tensor([[[value / 127.5 - 1 for value in row] for row in plane] for plane in image.tolist()])


def test_a_batch_carries_the_background_of_its_target():
    people = People(IMAGES, random_poses(6, 0), BACKGROUNDS)
    source, target = torch.tensor([0, 3, 5, 0]), torch.tensor([1, 2, 4, 5])
    batch = people.batch(Tuples.of_pairs(source, target))
    for row in range(4):
        torch.testing.assert_close(batch.source[row, 0], scaled(IMAGES[source[row]]))
        torch.testing.assert_close(batch.target[row], scaled(IMAGES[target[row]]))
        torch.testing.assert_close(batch.background[row], scaled(BACKGROUNDS[target[row]]))
        assert torch.equal(batch.target_pose.joints[row], people.poses.joints[target[row]])
    assert people.batch(Tuples.of_pairs(source, target), with_target=False).background is not None
    assert -1 <= batch.background.min() <= batch.background.max() <= 1


def test_without_backgrounds_there_is_none():
    people = People(IMAGES, random_poses(6, 0))
    assert people.to("cpu").batch(ONE).to("cpu").background is None


def test_backgrounds_move_with_people_and_batches():
    people = People(IMAGES, random_poses(6, 0), BACKGROUNDS).to("meta")
    assert people.backgrounds.device.type == "meta"
    batch = People(IMAGES, random_poses(6, 0), BACKGROUNDS).batch(ONE).to("meta")
    assert batch.background.device.type == batch.target.device.type == "meta"


def test_a_background_for_each_image():
    with pytest.raises(InputError, match=r"expected a background for each image, \(6, 3, 16, 8\), got \(5, 3, 16, 8\)"):
        People(IMAGES, random_poses(6, 0), BACKGROUNDS[:5])


def test_several_sources_of_one_person():
    people = People(IMAGES, random_poses(6, 0), identities=torch.tensor([4, 4, 4, 9, 9, 9]))
    valid = torch.tensor([[True, True], [True, False]])
    batch = people.batch(Tuples(torch.tensor([[0, 2], [5, 5]]), valid, torch.tensor([1, 3])))
    assert batch.source.shape == (2, 2, 3, 16, 8)
    torch.testing.assert_close(batch.source[0, 1], scaled(IMAGES[2]))
    assert torch.equal(batch.source_pose.joints[0], people.poses.joints[[0, 2]])
    assert batch.identity.tolist() == [4, 9]
    assert torch.equal(batch.valid(), valid)
    assert torch.equal(batch.to("cpu").valid(), valid)


def test_a_batch_without_pixels_has_all_else():
    people = People(IMAGES, random_poses(6, 0), BACKGROUNDS, torch.arange(6))
    batch = people.batch(ONE, pixels=False)
    assert batch.source.shape == (1, 1, 3, 0, 0)
    assert batch.target is None
    assert batch.background is None
    assert torch.equal(batch.source_pose.joints[0, 0], people.poses.joints[0])
    assert (batch.identity.tolist(), batch.rows.tolist()) == ([0], [[0]])
