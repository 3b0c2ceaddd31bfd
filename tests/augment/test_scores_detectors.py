import numpy as np
import pytest
import torch

from augment.scores.detectors import DETECTORS, detection_score
from augment.scores.ssd300 import SSD300
from reid import weights


@pytest.fixture
def ssd300(tmp_path, monkeypatch):
    """The network with random weights that finds something everywhere."""
    from torchvision.models.detection import ssd300_vgg16

    torch.manual_seed(0)
    whole = ssd300_vgg16(weights=None, weights_backbone=None)
    torch.save(whole.state_dict(), tmp_path / "weights.pth")
    monkeypatch.setattr(weights, "locate", lambda name: {"ssd300": tmp_path / "weights.pth"}[name])
    return SSD300()


def test_the_score_is_that_of_the_surest_person(ssd300, monkeypatch):
    found = {"labels": torch.tensor([1, 3, 1, 2]), "scores": torch.tensor([0.3, 0.9, 0.4, 0.8])}
    seen = []
    monkeypatch.setattr(ssd300.network, "forward", lambda images: seen.extend(images) or [found])
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    assert ssd300.score(image) == pytest.approx(0.4)
    np.testing.assert_allclose(seen[0], image.transpose(2, 0, 1) / 255, rtol=1e-6)
    monkeypatch.setattr(
        ssd300.network, "forward", lambda images: [{"labels": torch.tensor([3]), "scores": torch.ones(1)}]
    )
    assert ssd300.score(image) == 0, "no person"


def test_images_are_stretched_to_the_networks_square(ssd300):
    sizes = []
    ssd300.network.backbone.register_forward_pre_hook(lambda module, inputs: sizes.append(inputs[0].shape))
    score = ssd300.score(np.random.default_rng(0).integers(0, 256, (128, 64, 3), dtype=np.uint8))
    assert sizes == [(1, 3, 300, 300)]
    assert 0 <= score <= 1


def test_ssd300_needs_its_file(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        weights.MissingWeights, match=r"ssd300_vgg16_coco-b556d3b4.pth was found neither in data/weights"
    ):
        DETECTORS["ssd300"]()


def test_detection_score_is_the_mean():
    class Detector:
        def score(self, image):
            return float(image.mean()) / 255

    images = np.stack([np.full((2, 2, 3), value, np.uint8) for value in (0, 51, 255)])
    assert detection_score(Detector(), images) == pytest.approx((0 + 0.2 + 1) / 3)
