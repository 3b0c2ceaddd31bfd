import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test, ttest_rel

from reid.common.errors import InputError
from reid.evaluation.significance import compare, resampled_means


def drawn(*shape):
    return np.random.default_rng(0).random(shape)


def difference(first, second, people=None, **options):
    people = np.arange(len(first)) if people is None else people
    means = resampled_means(np.stack([first, second], 1), people, **options)
    return compare(first, second, *means.T, people)


def test_interval_is_scipys():
    first, second = drawn(2, 80)
    second += 0.05
    found = difference(first, second, draws=20_000)
    expected = bootstrap(
        (first, second), lambda a, b, axis: (a - b).mean(axis), paired=True, method="percentile", n_resamples=20_000,
        rng=1,
    ).confidence_interval  # fmt: skip
    assert found.mean == pytest.approx(first.mean() - second.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.004)


def test_means_are_those_of_queries_drawn_together():
    values = drawn(30, 3)
    means = resampled_means(np.column_stack([values, values[:, 0] + 1]), np.arange(30), draws=700, seed=4)
    assert means.shape == (700, 4)
    np.testing.assert_allclose(means[:, 3], means[:, 0] + 1)
    np.testing.assert_allclose(means.mean(0)[:3], values.mean(0), atol=0.02)
    np.testing.assert_allclose(means.std(0)[:3], values.std(0) / 30**0.5, rtol=0.15)
    assert (means[0] != means[1]).any()


def test_p_is_small_for_a_difference_on_every_query_and_one_for_none():
    first = drawn(50)
    assert difference(first + 0.1, first).p < 0.001
    assert difference(first, first) == (0, 0, 0, 1)


def test_p_is_uniform_where_there_is_no_difference():
    random = np.random.default_rng(1)
    found = [difference(*random.random((2, 60)), draws=400).p for _ in range(300)]
    assert np.mean(np.array(found) < 0.1) == pytest.approx(0.1, abs=0.05)
    assert np.mean(np.array(found) < 0.5) == pytest.approx(0.5, abs=0.1)


def test_queries_of_one_person_are_drawn_together():
    """Against a slow bootstrap: people with one to nine queries, alike but for little."""
    random = np.random.default_rng(3)
    people = np.repeat(np.arange(40), random.integers(1, 10, 40))
    first, second = random.normal(0.1, 0.3, 40)[people] + 0.05 * random.random(len(people)), np.zeros(len(people))
    found = difference(first, second, people, draws=20_000)
    means = []
    for _ in range(3000):
        rows = np.concatenate([np.flatnonzero(people == person) for person in random.integers(40, size=40)])
        means.append(first[rows].mean())
    assert found.mean == pytest.approx(first.mean())
    assert (found.low, found.high) == pytest.approx(np.percentile(means, (2.5, 97.5)), abs=0.01)
    apart = difference(first, second, draws=20_000)
    assert found.high - found.low > 1.5 * (apart.high - apart.low), "as if the queries were independent"


def test_queries_that_are_there_twice_prove_no_more():
    first, people = drawn(9), np.arange(9)
    once = difference(first, np.zeros(9) + 0.4)
    assert difference(first.repeat(3), np.zeros(27) + 0.4, people.repeat(3)) == pytest.approx(once)


def test_few_queries_prove_little():
    """Exact: 2 of all 2^Q choices of signs at best; scipy's permutation test and Student's interval."""
    assert difference(np.ones(1), np.zeros(1)) == (1, -np.inf, np.inf, 1)
    for count in (2, 5, 12):
        first = 0.5 + drawn(count)
        assert difference(first, np.zeros(count)).p == pytest.approx(2 / 2**count)
    first, second = drawn(2, 9)
    found = difference(first, second)
    expected = permutation_test(
        (first, second), lambda a, b, axis: (a - b).mean(axis), permutation_type="samples", n_resamples=np.inf
    )
    assert found.p == pytest.approx(expected.pvalue)
    interval = ttest_rel(first, second).confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert difference(first, first) == (0, 0, 0, 1)


def test_what_is_no_number_has_no_significance():
    for count in (5, 50):
        first = drawn(count)
        first[2] = np.nan
        with pytest.raises(InputError, match="expected finite values of one query or more"):
            difference(first, drawn(count))
