import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from augment.scores.l1 import l1
from augment.scores.ssim import SETTINGS, ssim
from reid.common.errors import InputError


def pairs(count=3, size=(40, 24), low=40, high=190):
    """Smooth images and noisy versions of them, (B, 3, H, W) uint8; the last pair has nearly no contrast."""
    random = np.random.default_rng(0)
    smooth = gaussian_filter(random.uniform(0, 255, (count, 3, *size)), (0, 0, 3, 3))
    smooth = low + (high - low) * (smooth - smooth.min()) / np.ptp(smooth)
    noisy = smooth + random.normal(0, 12, smooth.shape)
    smooth[-1], noisy[-1] = 100 + smooth[-1] / 60, 100 + noisy[-1] / 60
    return (torch.from_numpy(images.round().clip(0, 255).astype(np.uint8)) for images in (noisy, smooth))


def plain(x, y):
    """The released SSIM of one pair (3, H, W), step by step; scipy's Gaussian has 13 taps for sigma 1.5."""
    span = float(x.max()) - float(x.min())
    x, y = x.astype(float), y.astype(float)
    channels = []
    for a, b in zip(x, y, strict=True):
        mean_a, mean_b, aa, bb, ab = (gaussian_filter(image, 1.5) for image in (a, b, a * a, b * b, a * b))
        c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
        values = (2 * mean_a * mean_b + c1) * (2 * (ab - mean_a * mean_b) + c2)
        values /= (mean_a**2 + mean_b**2 + c1) * (aa - mean_a**2 + bb - mean_b**2 + c2)
        channels.append(values[5:-5, 5:-5].mean())
    return np.mean(channels)


def test_released_against_scipys_filter():
    generated, reference = pairs()
    found = ssim(generated, reference)
    expected = [plain(x, y) for x, y in zip(generated.numpy(), reference.numpy(), strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert found.dtype == torch.float64
    assert 0.1 < found.min() < found.max() < 0.95


def test_released_is_near_scikit_images_window_of_11():
    generated, reference = pairs()
    expected = [
        structural_similarity(
            y, x, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=0,
            data_range=int(x.max()) - int(x.min()),
        )
        for x, y in zip(generated.numpy(), reference.numpy(), strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(ssim(generated, reference), expected, atol=2e-3)


def test_pg2_is_scikit_images_default():
    generated, reference = pairs()
    expected = [
        structural_similarity(y, x, channel_axis=0) for x, y in zip(generated.numpy(), reference.numpy(), strict=True)
    ]
    np.testing.assert_allclose(ssim(generated, reference, "pg2"), expected, atol=1e-6)


def test_the_range_is_the_generated_images_own():
    generated, reference = pairs(low=100, high=130)
    assert not torch.allclose(ssim(generated, reference), ssim(reference, generated))
    assert torch.allclose(ssim(generated, reference, "pg2"), ssim(reference, generated, "pg2"))
    assert (ssim(generated, reference, "pg2") > ssim(generated, reference) + 0.01).all(), "low contrast, high score"


@pytest.mark.parametrize("settings", SETTINGS)
def test_equal_images_score_one_and_floats_are_pixels(settings):
    generated, reference = pairs()
    torch.testing.assert_close(ssim(generated, generated, settings), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(
        ssim(generated.float(), reference.float(), settings), ssim(generated, reference, settings)
    )


def test_images_without_contrast():
    black, grey = torch.zeros(1, 3, 20, 20), torch.full((1, 3, 20, 20), 9.0)
    assert ssim(black, black).tolist() == [1]
    assert ssim(black, grey).tolist() == [0]


@pytest.mark.parametrize(
    ("first", "second", "settings"),
    [
        ((1, 3, 20, 20), (1, 3, 20, 21), "released"),
        ((1, 3, 9, 20), (1, 3, 9, 20), "released"),
        ((1, 3, 6, 20), (1, 3, 6, 20), "pg2"),
        ((3, 20, 20), (3, 20, 20), "pg2"),
    ],
)
def test_other_shapes_are_an_error(first, second, settings):
    with pytest.raises(InputError, match=r"expected two batches of images \(B, 3, H, W\) of equal shape and at least"):
        ssim(torch.zeros(first), torch.zeros(second), settings)


def test_l1_is_in_units_of_the_generators():
    generated, reference = pairs()
    in_units = [2 * (images.numpy() / 255 - 0.5) for images in (generated, reference)]
    np.testing.assert_allclose(l1(generated, reference), np.abs(in_units[0] - in_units[1]).mean((1, 2, 3)), atol=1e-12)
    assert l1(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 255)).tolist() == [2]
