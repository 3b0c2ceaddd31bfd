"""XQDA and KISSME against literal, slow versions that enumerate every pair."""

import numpy as np
import pytest

from reid.common.errors import InputError
from reid.distances import KISSME, XQDA
from reid.distances.kissme import negative_pairs, positive, positive_pairs, principal_components
from reid.distances.xqda import covariances, pair_views
from reid.evaluation.features import normalise


def people(count, size, seed=0, images=8, spread=1.0):
    """Features of some people in three cameras; distances within a person are smaller in some directions only."""
    random = np.random.default_rng(seed)
    identities = np.repeat(np.arange(count) * 3 + 5, images)
    cameras = random.integers(1, 4, len(identities))
    who = random.standard_normal((count, size))[np.repeat(np.arange(count), images)]
    features = spread * who + random.standard_normal((len(identities), size)) * np.linspace(0.2, 2, size)
    order = random.permutation(len(identities))
    return normalise(features[order].astype(np.float32)), identities[order], cameras[order]


def slow_mahalanobis(query, gallery, metric):
    """Pair by pair."""
    distances = np.zeros((len(query), len(gallery)))
    for q, one in enumerate(query.astype(np.float64)):
        for g, other in enumerate(gallery.astype(np.float64)):
            distances[q, g] = (one - other) @ metric @ (one - other)
    return distances


def slow_xqda(first, second, identities, regulariser):
    """W M W' by enumeration and a singular value decomposition, as the formulas stand."""
    size = first.shape[1]
    sums, counts = {True: np.zeros((size, size)), False: np.zeros((size, size))}, {True: 0, False: 0}
    for i, a in enumerate(first.astype(np.float64)):
        for j, b in enumerate(second.astype(np.float64)):
            same = bool(identities[i] == identities[j])
            sums[same] += np.outer(a - b, a - b)
            counts[same] += 1
    intra = sums[True] / counts[True] + regulariser * np.eye(size)
    extra = sums[False] / counts[False]
    left, singular, _ = np.linalg.svd(np.linalg.inv(intra) @ extra)
    subspace = left[:, : max(1, int((singular > 1).sum()))]
    inverses = [np.linalg.inv(subspace.T @ c @ subspace) for c in (intra, extra)]
    return subspace @ (inverses[0] - inverses[1]) @ subspace.T, subspace.shape[1]


@pytest.mark.parametrize("size", [12, 40])
def test_xqda_equals_the_enumeration(size):
    features, identities, cameras = people(10, size)
    xqda = XQDA(seed=3).fit(features, identities, cameras)
    views = pair_views(identities, cameras, 3)
    metric, dimensions = slow_xqda(features[views.first], features[views.second], identities[views.first], 0.001)
    assert 1 < dimensions < size, "the case should keep some directions, not all"
    assert xqda.subspace.shape == (size, dimensions)
    expected = slow_mahalanobis(features[:7], features[7:30], metric)
    np.testing.assert_allclose(xqda.matrix(features[:7], features[7:30]), expected, rtol=1e-8, atol=1e-8)


def test_xqda_with_fewer_images_than_dimensions():
    features, identities, cameras = people(6, 200, images=6)
    views = pair_views(identities, cameras, 0)
    assert 2 * len(views.first) < 200
    metric, _ = slow_xqda(features[views.first], features[views.second], identities[views.first], 0.001)
    found = XQDA().fit(features, identities, cameras).matrix(features[:5], features[5:])
    np.testing.assert_allclose(found, slow_mahalanobis(features[:5], features[5:], metric), rtol=1e-8, atol=1e-8)


def test_views_pair_one_person_in_two_cameras():
    _, identities, cameras = people(10, 4)
    views = pair_views(identities, cameras, 1)
    assert (identities[views.first] == identities[views.second]).all()
    assert (cameras[views.first] != cameras[views.second]).all()
    assert len(set(views.first) | set(views.second)) == 2 * len(views.first), "no image is in two pairs"


def test_xqda_keeps_one_direction_at_least():
    """Where people do not differ more than their images do, no singular value exceeds 1."""
    features, identities, cameras = people(10, 6, spread=0.0)
    assert XQDA(regulariser=10.0).fit(features, identities, cameras).subspace.shape == (6, 1)


def test_xqda_on_equal_rows():
    """Each image twice: covariances of lower rank, which the regulariser makes invertible."""
    features, identities, cameras = people(6, 20, images=4)
    features[::2] = features[1::2]
    assert np.isfinite(XQDA().fit(features, identities, cameras).matrix(features, features)).all()


def released_components(features, dimensions):
    """`applypca2`: the coefficients are eigenvectors over images, for which each image's own mean is removed."""
    columns = features.astype(np.float64).T
    columns = columns - columns.mean(1, keepdims=True)
    values, vectors = np.linalg.eigh(np.cov(columns, rowvar=False, bias=True))
    return columns @ vectors[:, np.argsort(-values)[:dimensions]]


def slow_kissme(features, pairs, others, components):
    """P M P' from covariances summed pair by pair, and how many eigenvalues of M were replaced."""
    features, dimensions = features.astype(np.float64), components.shape[1]
    covariance = []
    for rows in (pairs, others):
        total = np.zeros((dimensions, dimensions))
        for i, j in rows:
            difference = (features[i] - features[j]) @ components
            total += np.outer(difference, difference)
        covariance.append(np.linalg.inv(total / len(rows)))
    metric = covariance[0] - covariance[1]
    values, vectors = np.linalg.eigh(metric)
    if values[0] <= 0:
        values[values <= 1e-10] = 1e-6
        metric = vectors @ np.diag(values) @ vectors.T
    return components @ metric @ components.T, int((values == 1e-6).sum())


@pytest.mark.parametrize(
    ("size", "dimensions", "images", "thinned", "replaced"),
    [(30, 12, 8, True, True), (12, 11, 5, False, True), (20, 3, 30, True, False)],
)
def test_kissme_equals_the_enumeration(size, dimensions, images, thinned, replaced):
    features, identities, cameras = people(20, size, images=images)
    same = [
        (i, j)
        for i in range(len(identities))
        for j in range(i + 1, len(identities))
        if identities[i] == identities[j] and cameras[i] != cameras[j]
    ]
    pairs = positive_pairs(identities, cameras)
    assert {frozenset(pair) for pair in same} == {frozenset(pair) for pair in pairs.tolist()}
    others = negative_pairs(identities, cameras, len(pairs), 5)
    if thinned:
        pairs, others = pairs[::10], others[::10]
    components = released_components(features, dimensions)
    metric, negative = slow_kissme(features, pairs, others, components)
    assert (negative > 0) == replaced, "cases should be with the projection and without it"
    found = KISSME(dimensions, seed=5).fit(features, identities, cameras).matrix(features[:7], features[7:30])
    expected = slow_mahalanobis(features[:7], features[7:30], metric)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)

    # Other lengths of the components: another distance where eigenvalues are replaced, and the same where none are.
    shorter = components / np.linalg.norm(components, axis=0)
    metric, still_negative = slow_kissme(features, pairs, others, shorter)
    assert still_negative == negative
    change = np.abs(slow_mahalanobis(features[:7], features[7:30], metric) - expected).max() / np.abs(expected).max()
    assert change > 0.01 if replaced else change < 1e-8


def test_negative_pairs_show_two_people_in_two_cameras():
    _, identities, cameras = people(3, 4)
    rows = negative_pairs(identities, cameras, 400_000, 0)
    assert rows.shape == (400_000, 2)
    assert (identities[rows[:, 0]] != identities[rows[:, 1]]).all()
    assert (cameras[rows[:, 0]] != cameras[rows[:, 1]]).all()


def test_negative_pairs_that_are_rare_are_used_again():
    identities, cameras = np.append(np.zeros(20_000, np.int64), 1), np.append(np.ones(20_000, np.int64), 2)
    assert len(negative_pairs(identities, cameras, 5_000, 0)) == 5_000


def test_kissme_with_fewer_images_than_dimensions():
    features, identities, cameras = people(4, 300, images=4)
    kissme = KISSME().fit(features, identities, cameras)
    assert kissme.components.shape[1] < len(features)
    assert np.isfinite(kissme.matrix(features, features)).all()
    np.testing.assert_allclose(np.diag(kissme.matrix(features, features)), 0, atol=1e-6)


def test_components_without_variance_are_left_out():
    features = np.zeros((30, 10), np.float32)
    features[:, :4] = np.random.default_rng(0).standard_normal((30, 4))
    components = principal_components(features, 8)
    assert components.shape == (10, 4)
    released = released_components(features, 4)
    np.testing.assert_allclose(components * np.sign((components * released).sum(0)), released, atol=1e-12)


def test_components_are_about_as_long_as_their_singular_values():
    features, _, _ = people(20, 60)
    lengths = np.linalg.norm(principal_components(features, 12), axis=0)
    singular = np.linalg.svd(features - features.mean(0), compute_uv=False)[:12]
    np.testing.assert_allclose(lengths, singular, rtol=0.05)
    few, _, _ = people(20, 12)
    assert principal_components(few, 12).shape == (12, 11), "the images' own means are taken out"


def test_positive_leaves_a_positive_definite_metric_alone():
    metric = np.diag([2.0, 1e-12])
    assert positive(metric) is metric
    np.testing.assert_allclose(positive(np.diag([2.0, -1.0])), np.diag([2.0, 1e-6]))


def test_kissme_on_equal_rows():
    features, identities, cameras = people(6, 20, images=4)
    features[::2] = features[1::2]
    kissme = KISSME().fit(features, identities, cameras)
    assert kissme.components.shape == (20, 3), "half of the 12 - 6 directions in which images of one person differ"
    assert np.isfinite(kissme.matrix(features, features)).all()


@pytest.mark.parametrize("distance", [XQDA, KISSME])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("one camera", "one person in two cameras"),
        ("one person", "two people"),
        ("equal features", "differ|different"),
    ],
)
def test_data_that_nothing_can_be_learnt_from(distance, change, message):
    features, identities, cameras = people(6, 10)
    if change == "one camera":
        cameras = np.ones_like(cameras)
    elif change == "one person":
        identities = np.ones_like(identities)
    else:
        features = np.ones_like(features)
    with pytest.raises(InputError, match=message):
        distance().fit(features, identities, cameras)


def test_covariances_of_many_people():
    features, identities, cameras = people(15, 9)
    views = pair_views(identities, cameras, 0)
    a, b, who = (features[views.first].astype(float), features[views.second].astype(float), identities[views.first])
    intra, extra = covariances(a, b, np.unique(who, return_inverse=True)[1])
    for same, covariance in ((True, intra), (False, extra)):
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if (who[i] == who[j]) == same]
        expected = np.mean([np.outer(a[i] - b[j], a[i] - b[j]) for i, j in pairs], axis=0)
        np.testing.assert_allclose(covariance, expected, atol=1e-12)
