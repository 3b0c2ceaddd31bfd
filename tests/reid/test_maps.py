import numpy as np

from reid.pictures.maps import on_a_plane


def test_people_far_apart_stay_apart():
    random = np.random.default_rng(0)
    who = np.repeat(np.arange(4), 10)
    features = (10 * np.eye(4)[who] @ random.standard_normal((4, 32)) + random.standard_normal((40, 32))).astype(
        "float32"
    )
    places = on_a_plane(features, seed=1)
    assert places.shape == (40, 2)
    nearest = np.argsort(np.linalg.norm(places[:, None] - places, axis=2), axis=1)[:, 1:6]
    assert (who[nearest] == who[:, None]).mean() > 0.95
    np.testing.assert_array_equal(places, on_a_plane(features, seed=1))


def test_the_seed_starts_the_map_and_may_be_of_any_size():
    features = np.random.default_rng(0).standard_normal((60, 640)).astype("float32")
    places = on_a_plane(features, seed=1)
    assert (on_a_plane(features, seed=2) != places).any()
    np.testing.assert_array_equal(on_a_plane(features, seed=1 + 2**32), places)


def test_a_handful_of_images():
    assert on_a_plane(np.random.default_rng(0).random((5, 8)).astype("float32")).shape == (5, 2)


def test_features_that_are_no_map():
    for features in (np.ones((60, 8)), np.zeros((4, 8)), np.eye(2), np.eye(1)):
        assert on_a_plane(features.astype("float32")).tolist() == [[0, 0]] * len(features)
