import numpy as np
import pytest

from reid.evaluation.influence import costs


def slow_average_precision(distances, good):
    """AP by the step rule of one query, from a sorted list."""
    order = sorted(range(len(distances)), key=lambda image: (distances[image], image))
    precisions, found = [], 0
    for rank, image in enumerate(order, 1):
        if good[image]:
            found += 1
            precisions.append(found / rank)
    return sum(precisions) / len(precisions) if precisions else None


@pytest.mark.parametrize("seed", range(5))
def test_costs_are_what_leaving_each_image_out_changes(seed):
    random = np.random.default_rng(seed)
    distances = random.integers(0, 12, (20, 25)).astype(np.float32)  # with ties
    good, ignored = random.random((20, 25)) < 0.2, random.random((20, 25)) < 0.1
    found = costs(distances, good, ignored)
    expected = np.zeros((20, 25))
    for query in range(20):
        whole = np.flatnonzero(~ignored[query])
        before = slow_average_precision(distances[query, whole], good[query, whole])
        for image in whole:
            rest = whole[whole != image]
            after = slow_average_precision(distances[query, rest], good[query, rest])
            if before is not None and after is not None:
                expected[query, image] = after - before
    assert (expected != 0).sum() > 100
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_query_without_a_good_image_costs_nothing():
    found = costs(np.float32([[1, 2]]), np.array([[False, False]]), np.zeros((1, 2), bool))
    assert found.tolist() == [[0.0, 0.0]]
