import numpy as np
import pytest
import torch

from augment.scores.detectors import DETECTORS, detection_score
from augment.scores.ssd300 import SSD300
from reid.files import weights

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ssd300(tmp_path_factory):
    """The network with random weights."""
    from torchvision.models.detection import ssd300_vgg16

    torch.manual_seed(0)
    whole = ssd300_vgg16(weights=None, weights_backbone=None)
    path = tmp_path_factory.mktemp("ssd300") / "weights.pth"
    torch.save(whole.state_dict(), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "locate", lambda name: {"ssd300": path}[name])
        return SSD300()


def test_the_score_is_that_of_the_surest_person(ssd300, monkeypatch):
    person = {"labels": torch.tensor([1, 3, 1, 2]), "scores": torch.tensor([0.3, 0.9, 0.4, 0.8])}
    nobody = {"labels": torch.tensor([3]), "scores": torch.ones(1)}
    seen = []
    monkeypatch.setattr(ssd300.network, "forward", lambda images: seen.extend(images) or [person, nobody])
    images = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 4, 6, 3)
    np.testing.assert_allclose(ssd300.scores(images), [0.4, 0])
    np.testing.assert_allclose(torch.stack(seen), images.transpose(0, 3, 1, 2) / 255, rtol=1e-6)


def test_images_are_stretched_to_the_networks_square(ssd300):
    sizes = []
    ssd300.network.backbone.register_forward_pre_hook(lambda module, inputs: sizes.append(inputs[0].shape))
    scores = ssd300.scores(np.random.default_rng(0).integers(0, 256, (2, 128, 64, 3), dtype=np.uint8))
    assert sizes == [(2, 3, 300, 300)]
    assert ((scores >= 0) & (scores <= 1)).all()


def test_ssd300_needs_its_file(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        weights.MissingWeights, match=r"ssd300_vgg16_coco-b556d3b4.pth was found neither in data/weights"
    ):
        DETECTORS["ssd300"]("cpu")


def test_detection_score_is_the_mean():
    class Detector:
        def scores(self, images):
            return images.mean((1, 2, 3)) / 255

    images = np.stack([np.full((2, 2, 3), value, np.uint8) for value in (0, 51, 255) * 7])
    assert detection_score(Detector(), images) == pytest.approx((0 + 0.2 + 1) / 3)
