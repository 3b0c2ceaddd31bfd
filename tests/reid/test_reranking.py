import tracemalloc
import warnings

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from reid.common.errors import InputError
from reid.distances import k_reciprocal as reranking
from reid.distances.k_reciprocal import k_reciprocal
from reid.evaluation.features import normalise


def people(queries, gallery, seed=0, identities=8, spread=0.6):
    """Features of length 1 in clusters."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((identities, 12))
    whose = random.integers(0, identities, queries + gallery)
    features = normalise((centres[whose] + spread * random.standard_normal((queries + gallery, 12))).astype(np.float32))
    return features[:queries], features[queries:]


def literal(query, gallery, k1, k2, weight):
    """The paper's formulas in sets and dense loops, in double precision; equal distances in the order of images."""
    features = np.concatenate([query, gallery]).astype(float)
    total = len(features)
    squared = cdist(features, features, "sqeuclidean")
    scaled = squared / squared.max(1, keepdims=True)
    ranks = [sorted(range(total), key=lambda j: (squared[i, j], j)) for i in range(total)]

    def near(i, k):
        return set(ranks[i][: k + 1])

    def reciprocal(i, k):
        return {j for j in near(i, k) if i in near(j, k)}

    encoding = np.zeros((total, total))
    for i in range(total):
        own = reciprocal(i, k1)
        expanded = set(own)
        for j in own:
            other = reciprocal(j, round(k1 / 2))
            if len(own & other) > 2 / 3 * len(other):
                expanded |= other
        for j in expanded:
            encoding[i, j] = np.exp(-scaled[i, j])
        encoding[i] /= encoding[i].sum()
    if k2 > 1:
        encoding = np.array([np.mean([encoding[j] for j in ranks[i][:k2]], axis=0) for i in range(total)])
    result = np.empty((len(query), len(gallery)))
    for i in range(len(query)):
        for j in range(len(gallery)):
            a, b = encoding[i], encoding[len(query) + j]
            jaccard = 1 - np.minimum(a, b).sum() / np.maximum(a, b).sum()
            result[i, j] = (1 - weight) * jaccard + weight * scaled[i, len(query) + j]
    return result


@pytest.mark.parametrize(
    ("k1", "k2", "weight"), [(20, 6, 0.3), (20, 1, 0.3), (7, 3, 0.0), (5, 2, 1.0), (1, 1, 0.5), (3, 8, 0.1)]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_is_the_papers(k1, k2, weight, seed):
    query, gallery = people(15, 85, seed)
    np.testing.assert_allclose(
        k_reciprocal(query, gallery, k1, k2, weight), literal(query, gallery, k1, k2, weight), atol=1e-6
    )


def test_features_of_any_length():
    query, gallery = people(10, 60)
    query, gallery = 30 * query + 3, 30 * gallery + 3
    np.testing.assert_allclose(k_reciprocal(query, gallery), literal(query, gallery, 20, 6, 0.3), atol=2e-5)


def test_blocks_do_not_change_it(monkeypatch):
    query, gallery = people(15, 85)
    whole = k_reciprocal(query, gallery)
    monkeypatch.setattr(reranking, "BLOCK_BYTES", 4 * 100 * 7)  # 7 rows: the last of queries and the first of gallery
    np.testing.assert_allclose(k_reciprocal(query, gallery), whole, atol=1e-6)
    assert whole.dtype == np.float32


def test_no_matrix_of_all_images_against_all(monkeypatch):
    monkeypatch.setattr(reranking, "BLOCK_BYTES", 1 << 20)
    query, gallery = people(50, 3950, identities=200)
    tracemalloc.start()
    k_reciprocal(query, gallery)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 4000**2 / 2


@pytest.mark.parametrize(("queries", "gallery"), [(15, 85), (60, 300)])
def test_is_torchreids(queries, gallery):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchreid.reid.utils.rerank import re_ranking
    query, gallery = people(queries, gallery, identities=20)
    expected = re_ranking(cdist(query, gallery), cdist(query, query), cdist(gallery, gallery))
    np.testing.assert_allclose(k_reciprocal(query, gallery), expected, atol=1e-6)


def test_equal_images_are_neighbours_in_order():
    # Multiples of 1/8: distances are exact in either precision, and many are equal.
    random = np.random.default_rng(0)
    features = random.integers(-1, 2, (60, 3)).astype(np.float32) / 8
    query, gallery = features[:10], features[10:]
    np.testing.assert_allclose(k_reciprocal(query, gallery, 6, 3), literal(query, gallery, 6, 3, 0.3), atol=1e-6)


def test_fewer_images_than_neighbours():
    query, gallery = people(2, 5)
    np.testing.assert_allclose(k_reciprocal(query, gallery), literal(query, gallery, 20, 6, 0.3), atol=1e-6)


def test_it_brings_a_persons_images_closer():
    query, gallery = people(40, 400, identities=40, spread=0.9)
    random = np.random.default_rng(0)
    random.standard_normal((40, 12))
    whose = random.integers(0, 40, 440)
    same = whose[:40, None] == whose[40:]

    def precision(distances):
        first = np.argsort(distances, axis=1)[:, :8]
        return np.take_along_axis(same, first, 1).mean()

    assert precision(k_reciprocal(query, gallery)) > precision(cdist(query, gallery)) + 0.02


@pytest.mark.parametrize(("k1", "k2", "weight"), [(0, 6, 0.3), (20, 0, 0.3), (20, 6, 1.5)])
def test_arguments_out_of_range(k1, k2, weight):
    with pytest.raises(InputError, match="k1 and k2 of at least 1"):
        k_reciprocal(*people(2, 5), k1, k2, weight)
