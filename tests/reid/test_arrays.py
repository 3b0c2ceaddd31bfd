"""What public functions of Re-ID take, and refuse: never NaN, a wrong shape or text in silence."""

import numpy as np
import pandas as pd
import pytest
import torch

from reid.common import arrays
from reid.common.errors import InputError
from reid.distances import DISTANCES
from reid.evaluation.ranking import evaluate
from reid.evaluation.search import nearest

RANDOM = np.random.default_rng(0)
TRAIN = RANDOM.normal(size=(40, 6)).astype(np.float32)
PEOPLE, CAMERAS = np.repeat(np.arange(1, 11), 4), np.tile([1, 1, 2, 2], 10)
QUERY, GALLERY = TRAIN[:3] + 0.01, TRAIN[3:20]
WRONG = {
    "text": ([["a", "b"]], "expected features"),
    "one dimension": ([1.0, 2.0], r"got an array of shape \(2,\)"),
    "several lengths": ([[1.0, 2.0], [3.0]], "type object"),
    "NaN": (np.where(np.eye(3, 6) == 1, np.nan, 0.0), "3 of 3 features have values that are not finite"),
    "infinite": (torch.full((2, 6), torch.inf), "2 of 2 features"),
    "dimensions": (np.zeros((2, 5)), "expected features of 6 dimensions"),
}


def made(name):
    return DISTANCES[name](**({"dimensions": 3} if name == "kissme" else {}))


def fitted(name):
    return made(name).fit(TRAIN, PEOPLE, CAMERAS)


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("kind", [list, torch.from_numpy, pd.DataFrame, lambda a: a.tolist()])
def test_distances_take_any_kind_of_array(name, kind):
    expected = fitted(name).matrix(QUERY, GALLERY)
    learnt = made(name).fit(kind(TRAIN), pd.Series(PEOPLE), torch.from_numpy(CAMERAS))
    np.testing.assert_allclose(learnt.matrix(kind(QUERY), kind(GALLERY)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("wrong", WRONG)
def test_distances_refuse_what_are_no_features(name, wrong):
    values, message = WRONG[wrong]
    with pytest.raises(InputError, match=message):
        fitted(name).matrix(values, GALLERY)
    if wrong == "dimensions":
        if DISTANCES[name].learns:
            with pytest.raises(InputError, match="gallery: expected features of 6 dimensions, as in `fit`; got 5"):
                fitted(name).matrix(values, values)
        return
    with pytest.raises(InputError, match=message):
        fitted(name).matrix(QUERY, values)
    if DISTANCES[name].learns:
        with pytest.raises(InputError, match=message):
            made(name).fit(values, [1] * len(values), [1] * len(values))


@pytest.mark.parametrize("wrong", WRONG)
def test_no_neighbours_of_what_are_no_features(wrong):
    values, message = WRONG[wrong]
    with pytest.raises(InputError, match=message):
        nearest(values, GALLERY, 2)
    with pytest.raises(InputError, match="expected a count of at least 1, got 0"):
        nearest(QUERY, GALLERY, 0)
    assert nearest(QUERY.tolist(), torch.from_numpy(GALLERY), 1).tolist() == nearest(QUERY, GALLERY, 1).tolist()


def test_ranking_takes_lists_tensors_and_columns():
    distances = RANDOM.random((3, 20))
    labels = PEOPLE[:3], [3, 3, 3], PEOPLE[:20], CAMERAS[:20]
    expected = evaluate(distances, *map(np.asarray, labels))
    for kind in (list, pd.Series, torch.tensor, lambda values: np.asarray(values, float)):
        found = evaluate(torch.from_numpy(distances), *map(kind, labels))
        assert found.first_rank.tolist() == expected.first_rank.tolist()
        assert found.mean_ap_step == expected.mean_ap_step
    with pytest.raises(InputError, match="ranking: distances: expected numbers in two dimensions"):
        evaluate([["near"]], [1], [1], [1], [2])
    with pytest.raises(InputError, match="identities of queries: expected whole numbers, 1 of 3 are none, e.g. nan"):
        evaluate(distances, [1.0, np.nan, 2.0], *labels[1:])
    with pytest.raises(InputError, match="cameras of the gallery: expected whole numbers in one dimension; got"):
        evaluate(distances, *labels[:3], ["c1"] * 20)


def test_lengths_that_differ():
    with pytest.raises(InputError, match="got 40 features, 39 identities and 40 cameras"):
        arrays.training(TRAIN, PEOPLE[:-1], CAMERAS)


def test_half_precision_is_counted_with_in_float32():
    assert arrays.features(np.ones((2, 3), np.float16), "query").dtype == np.float32
    assert arrays.features(torch.ones(2, 3, dtype=torch.bfloat16), "query").dtype == np.float32
    assert arrays.features(np.ones((2, 3)), "query").dtype == np.float64


@pytest.mark.parametrize("name", ["kissme", "xqda"])
def test_a_metric_has_to_learn_first(name):
    with pytest.raises(InputError, match="the distance has learnt nothing yet: call `fit` first"):
        made(name).matrix(QUERY, GALLERY)
