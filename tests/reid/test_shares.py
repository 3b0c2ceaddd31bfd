import statistics

import numpy as np
import pytest
from scipy.stats import t

from reid.common.errors import InputError
from reid.evaluation.gains import gain
from reid.evaluation.shares import share

PEOPLE = np.arange(60) // 2


def variances(values):
    """Of the mean, by seeds and by people, in plain arithmetic."""
    seeds, queries = values.shape
    of_seeds = statistics.variance([statistics.fmean(row) for row in values]) / seeds
    mean = statistics.fmean(values.ravel())
    by_query = [statistics.fmean(column) - mean for column in values.T]
    people = sorted(set(PEOPLE))
    sums = [sum(by_query[q] for q in range(queries) if PEOPLE[q] == person) / queries for person in people]
    return of_seeds, len(people) / (len(people) - 1) * sum(value**2 for value in sums)


@pytest.mark.parametrize(("truth", "spread"), [(0.5, 0.1), (-1.0, 0.1), (3.0, 0.3)])
def test_at_each_bound_the_difference_is_just_certain(truth, spread):
    random = np.random.default_rng(0)
    base = random.random((4, 60))
    possible = 0.2 + spread * (random.normal(size=(1, 60)) + 0.1 * random.normal(size=(4, 1)))
    own = truth * possible + 0.1 * random.normal(size=(1, 60)) + 0.02 * random.normal(size=(4, 1))
    found = share(base + own, base + possible, base, PEOPLE)
    assert found.mean == pytest.approx(own.mean() / possible.mean())
    of_seeds, of_people = variances(own - found.mean * possible)
    freedom = (of_seeds + of_people) ** 2 / (of_seeds**2 / 3 + of_people**2 / 29)
    for bound in (found.low, found.high):
        rest = own - bound * possible
        assert abs(rest.mean()) == pytest.approx(t.ppf(0.975, freedom) * sum(variances(rest)) ** 0.5)
    assert found.low < found.mean < found.high


@pytest.mark.parametrize("truth", [-0.5, 0.0, 0.8])
def test_how_often_the_interval_holds_the_truth(truth):
    """Both are measured against one base, whose own luck is in both gains; fifty people with three queries each."""
    random, runs, people = np.random.default_rng(1), 1_000, np.arange(150) // 3
    hits = 0

    def luck():
        return (
            0.02 * random.normal(size=(5, 1))
            + 0.1 * random.normal(size=50)[people]
            + 0.1 * random.normal(size=(1, 150))
        )

    for _ in range(runs):
        base, reference, own = luck(), 0.2 + luck(), truth * 0.2 + luck()
        found = share(own, reference, base, people)
        hits += found is not None and found.low < truth < found.high
    assert 0.93 <= hits / runs <= 0.98


def test_all_of_it_and_a_system_that_costs():
    random = np.random.default_rng(2)
    base = random.random((5, 60))
    reference = base + 0.1 + 0.01 * random.normal(size=(5, 60))
    assert share(reference, reference, base, PEOPLE) == (1, 1, 1)
    assert share(2 * base - reference, reference, base, PEOPLE) == pytest.approx((-1, -1, -1))


def test_the_share_of_a_gain_that_may_be_zero_may_be_zero():
    random = np.random.default_rng(3)
    base = random.random((5, 60))
    own = base + 0.01 + 0.1 * random.normal(size=(1, 60))
    assert not gain(own, base, PEOPLE).certain
    assert share(own, base + 0.1, base, PEOPLE).low < 0


@pytest.mark.parametrize("mean", [0.0, 0.01, -1.0])
def test_no_share_of_what_may_be_nothing(mean):
    base = np.random.default_rng(4).random((5, 60))
    reference = base + mean + 0.2 * np.random.default_rng(5).normal(size=(1, 60))
    assert gain(reference, base, PEOPLE).low <= 0
    assert share(base + 0.1, reference, base, PEOPLE) is None


def test_no_share_where_the_systems_seeds_leave_no_bounds():
    """The reference's gain is certain by its people, but not with the degrees of freedom of three seeds."""
    random = np.random.default_rng(0)
    reference = np.tile(0.06 + 0.15 * random.normal(size=60), (3, 1))
    base = np.zeros((3, 60))
    assert gain(reference, base, PEOPLE).low > 0
    assert share(reference + [[0.3], [-0.3], [0.1]], reference, base, PEOPLE) is None


@pytest.mark.parametrize("shape", [(60,), (1, 60), (4, 60)])
def test_shapes_that_do_not_fit(shape):
    base = np.random.default_rng(6).random((5, 60))
    with pytest.raises(InputError, match="expected values"):
        share(np.zeros(shape), base + 0.1, base, PEOPLE)
