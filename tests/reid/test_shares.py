import numpy as np
import pytest
from scipy.stats import t

from reid.common.errors import InputError
from reid.evaluation.gains import gain
from reid.evaluation.shares import share


def test_fiellers_interval_in_closed_form():
    """One seed's values three times over, and one query a person: Fieller's interval of paired means."""
    random = np.random.default_rng(0)
    people = np.arange(40)
    possible = 0.3 + 0.2 * random.normal(size=40)
    own = 0.5 * possible + 0.1 * random.normal(size=40)
    base = random.random(40)
    found = share(*(np.tile(values, (3, 1)) for values in (base + own, base + possible, base)), people)
    cover = np.cov(own, possible) / 40
    quantile = t.ppf(0.975, 39)
    # Those r with (own - r possible)^2 <= quantile^2 (var own - 2 r cov + r^2 var possible): roots of a quadratic.
    roots = np.roots(
        [
            possible.mean() ** 2 - quantile**2 * cover[1, 1],
            -2 * (own.mean() * possible.mean() - quantile**2 * cover[0, 1]),
            own.mean() ** 2 - quantile**2 * cover[0, 0],
        ]
    )
    assert found == pytest.approx((own.mean() / possible.mean(), *sorted(roots)))


@pytest.mark.parametrize("truth", [-0.5, 0.0, 0.8])
def test_how_often_the_interval_holds_the_truth(truth):
    """Fifty people with three queries each; the reference's gain is an estimate too."""
    random, runs, people = np.random.default_rng(1), 300, np.arange(150) // 3
    hits = 0

    def effects():
        return (
            0.1
            + 0.02 * random.normal(size=(5, 1))
            + 0.1 * random.normal(size=50)[people]
            + 0.1 * random.normal(size=(1, 150))
        )

    for _ in range(runs):
        base = random.random((5, 150))
        reference, own = base + effects(), base + truth * 0.1 + (effects() - 0.1)
        found = share(own, reference, base, people)
        assert found.low < found.mean < found.high
        hits += found.low < truth < found.high
    assert 0.92 <= hits / runs <= 0.99


def test_all_of_it_and_a_system_that_costs():
    random = np.random.default_rng(2)
    base = random.random((5, 30))
    reference = base + 0.1 + 0.01 * random.normal(size=(5, 30))
    assert share(reference, reference, base, np.arange(30)) == (1, 1, 1)
    worse = share(2 * base - reference, reference, base, np.arange(30))
    assert worse == pytest.approx((-1, -1, -1))


def test_the_bound_of_a_gain_that_zero_is_within_is_below_zero():
    random = np.random.default_rng(3)
    base = random.random((5, 30))
    reference = base + 0.1
    own = base + 0.01 + 0.1 * random.normal(size=(1, 30))
    assert not gain(own, base, np.arange(30)).certain
    assert share(own, reference, base, np.arange(30)).low < 0


def test_a_reference_that_may_gain_nothing():
    base = np.random.default_rng(4).random((5, 30))
    with pytest.raises(InputError, match="a gain certainly above zero, got 0"):
        share(base + 0.1, base, base, np.arange(30))
