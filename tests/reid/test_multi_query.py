import numpy as np
import pytest

from reid.common.errors import InputError
from reid.evaluation.features import normalise
from reid.evaluation.multi_query import multi_query, pool


def features(count):
    return normalise(np.random.default_rng(count).standard_normal((count, 6)).astype(np.float32))


@pytest.mark.parametrize("how", ["average", "max"])
def test_images_of_identity_and_camera_are_pooled(how):
    query, pooled = features(7), features(60)
    identities, cameras = np.array([1, 1, 2, 3, 9, 2, 1]), np.array([1, 2, 1, 3, 1, 1, 1])
    random = np.random.default_rng(0)
    of_pool = random.integers(-1, 4, 60), random.integers(1, 4, 60)
    found = multi_query(query, identities, cameras, pooled, *of_pool, how)
    for row in range(7):
        same = [pooled[i] for i in range(60) if (of_pool[0][i], of_pool[1][i]) == (identities[row], cameras[row])] or [
            query[row]
        ]
        one = np.mean(same, 0) if how == "average" else np.max(same, 0)
        np.testing.assert_allclose(found[row], one / np.sqrt((one**2).sum()), atol=1e-6)
    assert found.dtype == np.float32
    assert np.array_equal(found[0], found[6])


def test_nobody_in_the_pool():
    query = 3 * features(2)
    found = multi_query(query, np.array([1, 2]), np.array([1, 1]), features(0), np.array([], int), np.array([], int))
    np.testing.assert_allclose(found, query / 3, rtol=1e-6)


def test_bad_arguments():
    ones = np.ones(2, int)
    with pytest.raises(InputError, match="got 'median'"):
        pool(features(2), ones, "median")
    with pytest.raises(InputError, match=r"\[2, 2, 2\] of the queries and \[3, 2, 2\] of the pool"):
        multi_query(features(2), ones, ones, features(3), ones, ones)
