import pytest
import torch
from conftest import random_poses

from augment.data.people import People
from reid.common.errors import InputError

RANDOM = torch.Generator().manual_seed(0)
IMAGES, BACKGROUNDS = (torch.randint(0, 256, (6, 3, 16, 8), dtype=torch.uint8, generator=RANDOM) for _ in range(2))


def scaled(image):
    return torch.tensor([[[value / 127.5 - 1 for value in row] for row in plane] for plane in image.tolist()])


def test_a_batch_carries_the_background_of_its_target():
    people = People(IMAGES, random_poses(6, 0), BACKGROUNDS)
    source, target = torch.tensor([0, 3, 5, 0]), torch.tensor([1, 2, 4, 5])
    batch = people.batch(source, target)
    for row in range(4):
        torch.testing.assert_close(batch.source[row, 0], scaled(IMAGES[source[row]]))
        torch.testing.assert_close(batch.target[row], scaled(IMAGES[target[row]]))
        torch.testing.assert_close(batch.background[row], scaled(BACKGROUNDS[target[row]]))
        assert torch.equal(batch.target_pose.joints[row], people.poses.joints[target[row]])
    assert people.batch(source, target, with_target=False).background is not None
    assert -1 <= batch.background.min() <= batch.background.max() <= 1


def test_without_backgrounds_there_is_none():
    people = People(IMAGES, random_poses(6, 0))
    assert people.to("cpu").batch(torch.tensor([0]), torch.tensor([1])).to("cpu").background is None


def test_backgrounds_move_with_people_and_batches():
    people = People(IMAGES, random_poses(6, 0), BACKGROUNDS).to("meta")
    assert people.backgrounds.device.type == "meta"
    batch = People(IMAGES, random_poses(6, 0), BACKGROUNDS).batch(torch.tensor([0]), torch.tensor([1])).to("meta")
    assert batch.background.device.type == batch.target.device.type == "meta"


def test_a_background_for_each_image():
    with pytest.raises(InputError, match=r"expected a background for each image, \(6, 3, 16, 8\), got \(5, 3, 16, 8\)"):
        People(IMAGES, random_poses(6, 0), BACKGROUNDS[:5])
