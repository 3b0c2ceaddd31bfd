import warnings

import numpy as np
import pytest
from conftest import official
from sklearn.metrics import average_precision_score

from reid.evaluation.ranking import evaluate, evaluate_blocks


def random_case(seed, ties):
    """Random distances with junk, distractors, same-camera images, queries without match, and ties."""
    random = np.random.default_rng(seed)
    queries, gallery = 30, 300
    distances = random.random((queries, gallery)).astype(np.float32)
    if ties:
        distances = np.round(distances, 1)
    return (
        distances,
        np.append(random.integers(1, 13, queries - 1), 13),
        random.integers(1, 4, queries),
        random.integers(-1, 13, gallery),
        random.integers(1, 4, gallery),
    )


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_trapezoid_is_the_official_rule(seed, ties):
    case = random_case(seed, ties)
    ranking = evaluate(*case)
    cmc, aps = official(*case)
    np.testing.assert_allclose(ranking.cmc, cmc, atol=1e-12)
    np.testing.assert_allclose(ranking.ap_trapezoid, aps, atol=1e-12)
    assert ranking.mean_ap_trapezoid == pytest.approx(aps.mean(), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_step_is_torchreids(seed, ties):
    distances, query_ids, query_cameras, gallery_ids, gallery_cameras = random_case(seed, ties)
    ranking = evaluate(distances, query_ids, query_cameras, gallery_ids, gallery_cameras)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchreid.reid.metrics.rank import evaluate_rank
    # torchreid's sort is not stable: give it the places by our tie rule. Its data sets drop junk before, as here; it
    # leaves out queries without match, which count as 0 here.
    kept = gallery_ids != -1
    places = np.argsort(np.argsort(distances[:, kept], axis=1, kind="stable"), axis=1).astype(np.float32)
    matched = ranking.first_rank > 0
    assert 0 < matched.sum() < len(matched), "the case should have queries with and without a match"
    cmc, mean_ap = evaluate_rank(
        places, query_ids, gallery_ids[kept], query_cameras, gallery_cameras[kept], max_rank=50, use_cython=False
    )
    assert ranking.ap_step[matched].mean() == pytest.approx(mean_ap, abs=1e-6)
    np.testing.assert_allclose(ranking.cmc[:50] * len(matched) / matched.sum(), cmc, atol=1e-6)


def test_step_is_scikit_learns():
    distances, query_ids, query_cameras, gallery_ids, gallery_cameras = random_case(9, ties=False)
    ranking = evaluate(distances, query_ids, query_cameras, gallery_ids, gallery_cameras)
    for q in np.flatnonzero(ranking.first_rank):
        own = (gallery_ids == query_ids[q]) & (gallery_cameras == query_cameras[q])
        kept = ~own & (gallery_ids != -1)
        expected = average_precision_score(gallery_ids[kept] == query_ids[q], -distances[q, kept])
        assert ranking.ap_step[q] == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    # Ranking of identity 7, camera 1: junk, wrong, [own camera], right, distractor, right.
    distances = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]])
    gallery_ids, gallery_cameras = np.array([-1, 3, 7, 7, 0, 7]), np.array([2, 2, 1, 2, 2, 3])
    ranking = evaluate(distances, np.array([7]), np.array([1]), gallery_ids, gallery_cameras)
    assert ranking.first_rank.tolist() == [2]
    assert ranking.cmc.tolist() == [0, 1, 1, 1, 1, 1]
    assert ranking.mean_ap_step == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert ranking.mean_ap_trapezoid == pytest.approx(((1 / 2 + 0) / 2 + (2 / 4 + 1 / 3) / 2) / 2)


def test_ties_rank_in_gallery_order():
    ids, cameras = np.array([2, 1, 2]), np.array([2, 2, 2])
    ranking = evaluate(np.zeros((1, 3)), np.array([1]), np.array([1]), ids, cameras)
    assert ranking.first_rank.tolist() == [2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query_identities": np.array([1])}, r"expected distances \(Q, G\) of 1 query identities .* shape \(2, 3\)"),
        ({"distances": np.full((2, 3), np.nan)}, "6 of 6 distances are not numbers"),
        ({"query_identities": np.array([1, 0])}, "positive identity, got 1 of 2"),
        ({"gallery_cameras": np.array([1])}, "3 identities and 1 cameras of gallery images"),
    ],
)
def test_bad_input(change, message):
    case = {
        "distances": np.zeros((2, 3)),
        "query_identities": np.array([1, 2]),
        "query_cameras": np.array([1, 1]),
        "gallery_identities": np.array([1, 2, 3]),
        "gallery_cameras": np.array([1, 2, 2]),
    }
    with pytest.raises(ValueError, match=message):
        evaluate(**case | change)


@pytest.mark.parametrize("size", [1, 7, 64, 299, 300, 1000])
@pytest.mark.parametrize("ties", [False, True])
def test_block_by_block_is_equal_bit_for_bit(size, ties):
    distances, *labels = random_case(3, ties)
    asked = []

    def block(start, stop):
        asked.append((start, stop))
        return distances[:, start:stop].copy()

    whole, blocks = evaluate(distances, *labels), evaluate_blocks(block, *labels, size=size)
    for name in ("cmc", "first_rank", "ap_trapezoid", "ap_step"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))
    assert blocks.mean_ap_trapezoid == whole.mean_ap_trapezoid
    assert max(stop - start for start, stop in asked) == min(size, 300)


def test_no_distance_may_be_missing_not_even_of_junk():
    distances, *labels = random_case(0, ties=False)
    distances[3, np.flatnonzero(labels[2] == -1)[0]] = np.nan
    with pytest.raises(ValueError, match="1 of 9000 distances are not numbers"):
        evaluate(distances, *labels)


@pytest.mark.parametrize("ties", [False, True])
def test_a_gallery_of_thousands_of_which_one_person_has_hundreds(ties):
    """Where images of one person are too many for one comparison, and those before them for the bytes of one word."""
    random = np.random.default_rng(0)
    gallery_ids = np.concatenate([np.full(4000, 0), np.full(700, 1), random.integers(-1, 5, 1003)])
    distances = random.random((12, len(gallery_ids))).astype(np.float32)
    distances[:, 4000:4700] += 0.5
    distances = np.round(distances, 2) if ties else distances
    case = (distances, np.arange(12) % 6 + 1, random.integers(1, 4, 12), gallery_ids, random.integers(1, 4, 5703))
    ranking = evaluate(*case)
    cmc, aps = official(*case)
    np.testing.assert_allclose(ranking.cmc, cmc, atol=1e-12)
    np.testing.assert_allclose(ranking.ap_trapezoid, aps, atol=1e-12)


@pytest.mark.parametrize("to", [-np.inf, np.inf])
def test_a_block_that_is_rounded_otherwise_the_second_time_changes_no_rank(to):
    # As a matrix product is when the number of its threads changes.
    distances, *labels = random_case(3, ties=False)
    made = set()

    def block(start, stop):
        values = distances[:, start:stop]
        again = (start, stop) in made
        made.add((start, stop))
        return np.nextafter(values, np.float32(to)) if again else values

    ranking, expected = evaluate_blocks(block, *labels, size=64), evaluate(distances, *labels)
    np.testing.assert_array_equal(ranking.first_rank, expected.first_rank)
    np.testing.assert_array_equal(ranking.ap_step, expected.ap_step)


def test_blocks_of_distractors_are_made_once():
    distances, query_ids, query_cameras, gallery_ids, gallery_cameras = random_case(4, ties=False)
    gallery_ids[100:] = 0
    asked = []

    def block(start, stop):
        asked.append(start)
        return distances[:, start:stop]

    evaluate_blocks(block, query_ids, query_cameras, gallery_ids, gallery_cameras, size=100)
    assert asked == [0, 0, 100, 200]


def test_infinite_distances_rank_last_in_gallery_order():
    distances = np.array([[np.inf, 1.0, np.inf, np.inf]])
    ids, cameras = np.array([-1, 3, 3, 2]), np.array([2, 2, 2, 2])
    ranking = evaluate(distances, np.array([2]), np.array([1]), ids, cameras)
    assert ranking.first_rank.tolist() == [3]
