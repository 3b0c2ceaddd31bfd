import numpy as np
import pytest
from scipy.spatial.distance import cdist

from reid.distances import DISTANCES
from reid.features import normalise
from reid.search import nearest

RANDOM = np.random.default_rng(0)
QUERY, GALLERY = (RANDOM.standard_normal((n, 16)).astype(np.float32) for n in (5, 40))


@pytest.mark.parametrize("name", DISTANCES)
def test_contract(name):
    distance = DISTANCES[name]().fit(GALLERY, np.arange(40) % 4, np.arange(40) % 3)
    matrix = distance.matrix(QUERY, GALLERY)
    assert matrix.shape == (5, 40)
    assert np.isfinite(matrix).all()
    assert isinstance(distance.learns, bool)


def test_euclidean():
    np.testing.assert_allclose(DISTANCES["euclidean"]().matrix(QUERY, GALLERY), cdist(QUERY, GALLERY), rtol=1e-5)


def test_normalise():
    lengths = np.linalg.norm(normalise(np.vstack([QUERY, np.zeros((1, 16), np.float32)])), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 1, 0], rtol=1e-6)


def test_nearest_is_the_head_of_a_sort():
    expected = np.argsort(cdist(QUERY, GALLERY), axis=1)[:, :7]
    np.testing.assert_array_equal(nearest(QUERY, GALLERY, 7), expected)
    assert nearest(QUERY, GALLERY, 100).shape == (5, 40)
