import statistics

import numpy as np
import pytest
from scipy.stats import t

from reid.evaluation.gains import Gain, gain


def test_gain_by_plain_arithmetic():
    random = np.random.default_rng(0)
    first, second = random.random((2, 3, 4))
    seeds = [statistics.fmean(first[s, q] - second[s, q] for q in range(4)) for s in range(3)]
    queries = [statistics.fmean(first[s, q] - second[s, q] for s in range(3)) for q in range(4)]
    of_seeds, of_queries = statistics.variance(seeds) / 3, statistics.variance(queries) / 4
    freedom = (of_seeds + of_queries) ** 2 / (of_seeds**2 / 2 + of_queries**2 / 3)
    half = t.interval(0.95, freedom)[1] * (of_seeds + of_queries) ** 0.5
    mean = statistics.fmean(seeds)
    assert gain(first, second) == pytest.approx((mean, mean - half, mean + half))


def test_the_same_everywhere_is_certain():
    values = np.array([[0.5, 0.25, 0.75]] * 2)
    assert gain(values + 0.25, values) == (0.25, 0.25, 0.25)
    assert gain(values + 0.25, values).certain
    assert gain(values, values + 0.25).certain
    assert not gain(values, values).certain
    assert not Gain(0.1, -0.1, 0.3).certain


@pytest.mark.parametrize(("of_seeds", "of_queries"), [(0.05, 0.2), (0.0, 0.2), (0.05, 0.0)])
def test_the_interval_holds_the_truth_in_95_of_100_cases(of_seeds, of_queries):
    """Five seeds and 40 queries drawn at random, each with an effect of its own, and noise; or in more cases."""
    random, truth, runs = np.random.default_rng(1), 0.03, 1_000
    hits = 0
    for _ in range(runs):
        effects = of_seeds * random.normal(size=(5, 1)) + of_queries * random.normal(size=(1, 40))
        found = gain(truth + effects + 0.1 * random.normal(size=(5, 40)), np.zeros((5, 40)))
        hits += found.low < truth < found.high
    assert 0.935 < hits / runs < 0.995
