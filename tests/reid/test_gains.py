import statistics

import numpy as np
import pytest
from scipy.stats import t

from reid.common.errors import InputError
from reid.evaluation.gains import Gain, gain


def test_gain_by_plain_arithmetic():
    """Five queries of three people; a person's share in the mean grows with the queries."""
    random = np.random.default_rng(0)
    first, second = random.random((2, 4, 5))
    people = [3, 1, 3, 2, 3]
    seeds = [statistics.fmean(first[s, q] - second[s, q] for q in range(5)) for s in range(4)]
    queries = [statistics.fmean(first[s, q] - second[s, q] for s in range(4)) for q in range(5)]
    mean = statistics.fmean(seeds)
    of_seeds = statistics.variance(seeds) / 4
    shares = [sum(queries[q] - mean for q in range(5) if people[q] == person) / 5 for person in (1, 2, 3)]
    of_people = 3 / 2 * sum(share**2 for share in shares)
    freedom = (of_seeds + of_people) ** 2 / (of_seeds**2 / 3 + of_people**2 / 2)
    half = t.interval(0.95, freedom)[1] * (of_seeds + of_people) ** 0.5
    assert gain(first, second, np.array(people)) == pytest.approx((mean, mean - half, mean + half))


def test_of_one_query_a_person_it_is_the_standard_error_of_queries():
    values = np.tile(np.random.default_rng(0).random(30), (5, 1))
    found = gain(values, np.zeros((5, 30)), np.arange(30))
    half = t.interval(0.95, 29)[1] * statistics.stdev(values[0]) / 30**0.5
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half))


def test_the_same_everywhere_is_certain():
    values, people = np.array([[0.5, 0.25, 0.75]] * 3), np.arange(3)
    assert gain(values + 0.25, values, people) == (0.25, 0.25, 0.25)
    assert gain(values + 0.25, values, people).certain
    assert gain(values, values + 0.25, people).certain
    assert not gain(values, values, people).certain
    assert not Gain(0.1, -0.1, 0.3).certain


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(
    ("of_seed", "of_person", "of_query", "noise", "least", "most"),
    [
        (0.00, 0.2, 0.1, 0.00, 0.93, 0.97),
        (0.03, 0.2, 0.1, 0.05, 0.93, 0.98),
        (0.05, 0.0, 0.0, 0.00, 0.93, 0.97),
        (0.00, 0.0, 0.0, 0.20, 0.98, 1.00),  # cautious
    ],
)
def test_how_often_the_interval_holds_the_truth(seeds, of_seed, of_person, of_query, noise, least, most):
    """Fifty people with three queries each, and effects of all kinds drawn at random."""
    random, truth, runs, people = np.random.default_rng(1), 0.03, 1_000, np.arange(150) // 3
    hits = 0
    for _ in range(runs):
        effects = of_seed * random.normal(size=(seeds, 1)) + of_query * random.normal(size=(1, 150))
        effects = effects + of_person * random.normal(size=50)[people] + noise * random.normal(size=(seeds, 150))
        found = gain(truth + effects, np.zeros((seeds, 150)), people)
        hits += found.low < truth < found.high
    assert least <= hits / runs <= most


@pytest.mark.parametrize(
    ("first", "second", "people", "message"),
    [
        (np.zeros((3, 4)), np.zeros((3, 5)), np.arange(4), r"got \(3, 4\), \(3, 5\) and 4"),
        (np.zeros((3, 4)), np.zeros((3, 4)), np.arange(5), "and 5"),
        (np.full((3, 4), np.nan), np.zeros((3, 4)), np.arange(4), "some are NaN"),
        (
            np.zeros((2, 4)),
            np.zeros((2, 4)),
            np.arange(4),
            "at least 3 seeds and queries of at least two people, got 2 and 4",
        ),
        (np.zeros((3, 4)), np.zeros((3, 4)), np.zeros(4), "got 3 and 1"),
    ],
)
def test_what_no_gain_follows_from(first, second, people, message):
    with pytest.raises(InputError, match=message):
        gain(first, second, people)
