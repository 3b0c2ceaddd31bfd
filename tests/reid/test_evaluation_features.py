import numpy as np
import torch

from reid.evaluation.features import extract
from reid.networks import IDE

IMAGES = torch.randint(0, 256, (5, 3, 64, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def network():
    torch.manual_seed(0)
    return IDE(2, "mobilenet-v2", (64, 32), pretrained=False)


def embedding(image):
    with torch.no_grad():
        return network().eval().embed(image[None].float() / 127.5 - 1)[0].double().numpy()


def test_features_are_the_embeddings_of_one_image_after_the_other():
    found = extract(network(), IMAGES, batch_size=2)
    np.testing.assert_allclose(found, [embedding(image) for image in IMAGES], rtol=1e-4, atol=1e-7)


def test_with_mirror_images_both_embeddings_of_length_1_are_added():
    found = extract(network(), IMAGES, batch_size=2, mirror=True)
    for row, image in zip(found, IMAGES, strict=True):
        both = [embedding(image), embedding(torch.from_numpy(image.numpy()[:, :, ::-1].copy()))]
        expected = sum(one / np.sqrt((one**2).sum()) for one in both)
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(extract(network(), IMAGES.flip(3), mirror=True), found, rtol=1e-4, atol=1e-6)
