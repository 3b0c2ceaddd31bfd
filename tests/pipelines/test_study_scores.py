"""Scores of a study, their intervals, and which images a study shows."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binomtest, t

from pipelines.study.choice import choose
from pipelines.study.intervals import share
from pipelines.study.key import Answer, Answers, Image, Key
from pipelines.study.scores import score

ALIKE = np.zeros(50, int)


def study(origins, said):
    """A key of these images, and the files of participants who said this of them, each in an order of their own."""
    images = {
        f"i{n}": Image(origin=origin, source=None, target=f"{n}.jpg", sha256="") for n, origin in enumerate(origins)
    }
    key = Key(study="s", generator="full", weights_sha256="", data=[], seed=0, seconds=1, practice=0, images=images)
    files = []
    for person, answers in enumerate(said):
        given = [Answer(image=f"i{n}", answer=answer, milliseconds=1500) for n, answer in enumerate(answers)]
        order = np.random.default_rng(person).permutation(len(given))
        files.append(Answers(study="s", participant=f"{person:08x}", answers=[given[n] for n in order]))
    return key, files


def test_scores_are_those_counted_one_by_one():
    random = np.random.default_rng(0)
    kinds = ["real", "generated"]
    origins = random.permutation(kinds * 7 + ["real"] * 3).tolist()
    said = random.choice(kinds, (4, len(origins)), p=[0.7, 0.3]).tolist()
    scores = score(*study(origins, said))
    counts = {(origin, answer): 0 for origin in kinds for answer in kinds}
    for one in said:
        for origin, answer in zip(origins, one, strict=True):
            counts[origin, answer] += 1
    real, generated = (sum(counts[origin, answer] for answer in kinds) for origin in kinds)
    assert (real, generated) == (40, 28)
    assert scores.r2g.mean == pytest.approx(float(Fraction(counts["real", "generated"], real)))
    assert scores.g2r.mean == pytest.approx(float(Fraction(counts["generated", "real"], generated)))
    right = counts["real", "real"] + counts["generated", "generated"]
    assert scores.accuracy.mean == pytest.approx(float(Fraction(right, real + generated)))


def test_bounds_hold_the_share_between_them():
    origins, said = ["real"] * 5 + ["generated"] * 5, [["real"] * 10, ["real"] * 9 + ["generated"]]
    for one in score(*study(origins, said)):
        assert 0 <= one.low <= one.mean <= one.high <= 1


@pytest.mark.parametrize("hits", [0, 1, 17, 50])
def test_of_one_participant_the_interval_is_exact(hits):
    exact = binomtest(hits, 50).proportion_ci(0.95, method="exact")
    one = share(np.arange(50)[None] < hits, ALIKE)
    assert (one.low, one.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_of_several_it_is_that_of_an_analysis_of_variance():
    """Sums of squares one by one; Clopper and Pearson's bounds for as many answers as are as certain."""
    hits = np.random.default_rng(1).random((6, 20)) < np.linspace(0.1, 0.6, 6)[:, None]
    people, images = hits.shape
    mean = hits.mean()
    of_people = sum(images * (row.mean() - mean) ** 2 for row in hits) / (people - 1)
    of_images = sum(people * (column.mean() - mean) ** 2 for column in hits.T) / (images - 1)
    left = sum(
        (hits[p, i] - hits[p].mean() - hits[:, i].mean() + mean) ** 2 for p in range(people) for i in range(images)
    ) / ((people - 1) * (images - 1))
    cells = people * images
    variance = max(of_people + of_images - left, of_people, of_images) / cells
    freedom = variance**2 / ((of_people / cells) ** 2 / (people - 1) + (of_images / cells) ** 2 / (images - 1))
    size = mean * (1 - mean) / variance * (t.ppf(0.975, cells - 1) / t.ppf(0.975, freedom)) ** 2
    wanted = beta.ppf(0.025, mean * size, size * (1 - mean) + 1), beta.ppf(0.975, mean * size + 1, size * (1 - mean))
    found = share(hits, ALIKE[:20])
    assert (found.low, found.high) == pytest.approx(wanted)


def raters(participants, images, spread, random):
    """Answers (P, I) that are hits by chance, of participants and images that differ; and one chance of all."""
    ability, difficulty = spread * random.standard_normal(participants), spread * random.standard_normal(images)
    chance = 1 / (1 + np.exp(1 - ability[:, None] - difficulty))
    return random.random((participants, images)) < chance


@pytest.mark.slow
@pytest.mark.parametrize(("participants", "spread"), [(3, 0.0), (3, 1.0), (12, 0.0), (12, 1.0)])
def test_intervals_cover_the_share_of_all_participants_and_images(participants, spread):
    random = np.random.default_rng(7)
    truth = raters(2_000, 2_000, spread, random).mean()
    drawn = [share(raters(participants, 50, spread, random), ALIKE) for _ in range(400)]
    covered = np.mean([one.low <= truth <= one.high for one in drawn])
    assert covered > 0.93, "of 95 %, less two standard deviations of 400 draws"
    if participants == 12:  # with three little is known of participants, and intervals are wide
        width = np.mean([one.high - one.low for one in drawn])
        sampled = np.std([one.mean for one in drawn])
        assert width < 1.5 * 2 * 1.96 * sampled, "no more than half as wide again as the shares vary"


def test_kinds_of_images_are_no_accident():
    """Who always says `real` is right in half of the images, whichever these are."""
    hits = np.array([[True] * 25 + [False] * 25, [True] * 24 + [False] * 26] * 2)
    alike, told = (np.ptp(share(hits, kinds)[1:]) for kinds in (ALIKE, np.repeat([0, 1], 25)))
    assert told < 0.6 * alike


def test_means_that_happen_to_be_equal_leave_an_interval():
    found = share(np.array([[True, False], [True, False], [False, True], [False, True]]), ALIKE[:2])
    assert found.low < 0.5 < found.high
    assert share(np.zeros((5, 50), bool), ALIKE) == share(np.zeros((1, 50), bool), ALIKE)


PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).filter(lambda pair: pair[0] != pair[1]), max_size=80)


@given(PAIRS, st.integers(1, 12), st.integers(0, 5))
@settings(deadline=None)
def test_no_real_image_is_shown_that_a_generated_one_comes_from(pairs, count, seed):
    targets = [f"{target}.jpg" for _, target in pairs]
    made_from = [frozenset({f"{source}.jpg", f"{target}.jpg"}) for source, target in pairs]
    real, generated = choose(targets, made_from, count, seed)
    shown = [targets[index] for index in real]
    drawn = [targets[index] for index in generated]
    assert len(set(shown)) == len(shown) <= count
    assert len(set(drawn)) == len(drawn) <= count
    for index in generated:
        assert not made_from[index] & set(shown)


def test_where_there_are_many_pairs_all_are_found_and_another_seed_finds_others():
    targets = [f"{n}.jpg" for n in range(100)]
    made_from = [frozenset({f"{n}.jpg", f"{(n + 1) % 100}.jpg"}) for n in range(100)]
    found = [choose(targets, made_from, 20, seed) for seed in (0, 0, 1)]
    assert all(len(real) == len(generated) == 20 for real, generated in found)
    assert found[0] == found[1] != found[2]
