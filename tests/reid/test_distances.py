import numpy as np
import pytest
from scipy.spatial.distance import cdist

from reid.common import parameters
from reid.distances import DISTANCES
from reid.distances.k_reciprocal import k_reciprocal
from reid.evaluation.features import normalise
from reid.evaluation.search import nearest, smallest

RANDOM = np.random.default_rng(0)
QUERY, GALLERY = (RANDOM.standard_normal((n, 16)).astype(np.float32) for n in (5, 40))
QUERY_40 = RANDOM.standard_normal((4, 40)).astype(np.float32)


@pytest.mark.parametrize("name", DISTANCES)
def test_contract(name):
    distance = DISTANCES[name]().fit(GALLERY, np.arange(40) % 4, np.arange(40) % 3)
    matrix = distance.matrix(QUERY, GALLERY)
    assert matrix.shape == (5, 40)
    assert np.isfinite(matrix).all()
    assert isinstance(distance.learns, bool)


@pytest.mark.parametrize("name", DISTANCES)
def test_the_signature_describes_the_options(name):
    found = parameters.options(DISTANCES[name], {}, {"seed"})
    seed = {"seed": 3} if DISTANCES[name].learns else {}
    assert DISTANCES[name](**found, **seed)
    for option, value in found.items():
        with pytest.raises(ValueError, match=f"{option}\n  Input should be .*input_value={-abs(value)}"):
            parameters.options(DISTANCES[name], {option: -abs(value)}, {"seed"})


def test_euclidean():
    np.testing.assert_allclose(DISTANCES["euclidean"]().matrix(QUERY, GALLERY), cdist(QUERY, GALLERY), rtol=1e-5)


def test_normalise():
    lengths = np.linalg.norm(normalise(np.vstack([QUERY, np.zeros((1, 16), np.float32)])), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 1, 0], rtol=1e-6)


@pytest.mark.parametrize("name", [name for name, distance in DISTANCES.items() if not distance.whole])
def test_parts_of_a_matrix_that_does_not_need_the_whole(name):
    distance = DISTANCES[name]().fit(GALLERY, np.arange(40) % 4, np.arange(40) % 3)
    part = distance.matrix(QUERY[1:3], GALLERY[10:30])
    np.testing.assert_allclose(part, distance.matrix(QUERY, GALLERY)[1:3, 10:30], rtol=1e-5)


def test_k_reciprocal_is_the_re_ranking():
    np.testing.assert_array_equal(DISTANCES["k-reciprocal"]().matrix(QUERY, GALLERY), k_reciprocal(QUERY, GALLERY))
    other = DISTANCES["k-reciprocal"](k1=5, k2=2, weight=0.5).matrix(QUERY, GALLERY)
    np.testing.assert_array_equal(other, k_reciprocal(QUERY, GALLERY, 5, 2, 0.5))


@pytest.mark.parametrize(("count", "alpha"), [(5, 3.0), (3, 0.0), (1, 0.5), (100, 2.0)])
def test_query_expansion(count, alpha):
    found = DISTANCES["query-expansion"](count=count, alpha=alpha).matrix(3 * QUERY, GALLERY)
    gallery = [g / np.sqrt((g**2).sum()) for g in GALLERY.astype(float)]
    for row, q in enumerate(QUERY.astype(float)):
        q = q / np.sqrt((q**2).sum())
        nearest_first = sorted(gallery, key=lambda g: -(q @ g))
        expanded = q.copy()
        for g in nearest_first[:count]:
            expanded += max(q @ g, 0) ** alpha * g
        expanded /= np.sqrt((expanded**2).sum())
        np.testing.assert_allclose(found[row], [np.sqrt(((expanded - g) ** 2).sum()) for g in gallery], atol=2e-6)


def test_nearest_is_the_head_of_a_sort():
    expected = np.argsort(cdist(QUERY, GALLERY), axis=1)[:, :7]
    np.testing.assert_array_equal(nearest(QUERY, GALLERY, 7), expected)
    assert nearest(QUERY, GALLERY, 100).shape == (5, 40)


def test_nearest_and_smallest_break_ties_by_the_order_of_the_gallery(monkeypatch):
    # Few different features, many times each: every list ends among equals.
    random = np.random.default_rng(1)
    few = random.standard_normal((6, 40)).astype(np.float32)
    gallery = few[random.integers(0, 6, 3000)]
    for count in (1, 5, 100, 700, 3000):
        exact = ((QUERY_40[:, None].astype(float) - gallery) ** 2).sum(2)
        expected = np.argsort(exact, axis=1, kind="stable")[:, :count]
        np.testing.assert_array_equal(nearest(QUERY_40, gallery, count), expected)
        np.testing.assert_array_equal(smallest(exact, count), expected)
    monkeypatch.setattr("reid.evaluation.search.BLOCK_BYTES", 1)
    np.testing.assert_array_equal(nearest(QUERY_40, gallery, 3000), expected)


def test_nearest_is_exact_far_from_the_origin():
    # |q|^2 + |g|^2 - 2 q g loses all digits here: faiss's own order is wrong.
    gallery = (GALLERY * 0.01 + 100).astype(np.float32).repeat(5, 0)
    gallery += (0.001 * np.random.default_rng(1).standard_normal(gallery.shape)).astype(np.float32)
    query = (QUERY * 0.01 + 100).astype(np.float32)
    exact = ((query[:, None].astype(float) - gallery) ** 2).sum(2)
    np.testing.assert_array_equal(nearest(query, gallery, 9), np.argsort(exact, axis=1)[:, :9])


def test_nearest_by_cosine_is_nearest_of_normalised():
    expected = np.argsort(cdist(QUERY, GALLERY, "cosine"), axis=1)[:, :7]
    np.testing.assert_array_equal(nearest(normalise(QUERY), normalise(GALLERY), 7), expected)
