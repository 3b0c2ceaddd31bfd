import numpy as np
import pytest

from reid.common.errors import InputError
from reid.evaluation import judging
from reid.evaluation.judging import found_by_own, judge


def test_rank_and_margin_one_image_at_a_time(monkeypatch):
    """Also in several blocks; person 4 has no image but that which is left out, person 9 none at all."""
    monkeypatch.setattr(judging, "BLOCK", 7)
    random = np.random.default_rng(0)
    gallery, query = random.normal(size=(30, 5)).astype(np.float32), random.normal(size=(20, 5)).astype(np.float32)
    people = np.array([1, 2, 3] * 9 + [1, 2, 4])
    shown = np.array([1, 2, 3, 4, 9] * 4)
    left_out = random.integers(0, 29, size=(20, 2))
    left_out[shown == 4] = 29
    found = judge(query, shown, gallery, people, left_out)
    for image in range(20):
        ranked = sorted(
            (float(np.linalg.norm(query[image] - feature)), person == shown[image])
            for place, (feature, person) in enumerate(zip(gallery, people, strict=True))
            if place not in left_out[image]
        )
        own = [place for place, (_, is_own) in enumerate(ranked) if is_own]
        if shown[image] in (4, 9):
            assert found.identity_rank[image] == 0
            assert np.isnan(found.margin[image])
        else:
            other = next(distance for distance, is_own in ranked if not is_own)
            assert found.identity_rank[image] == own[0] + 1
            assert found.nearest_own[image] == pytest.approx(ranked[own[0]][0], abs=1e-5)
            assert found.margin[image] == pytest.approx(other - ranked[own[0]][0], abs=1e-5)
            assert (found.margin[image] > 0) == (found.identity_rank[image] == 1)


def test_images_of_as_many_people_are_no_one_persons():
    with pytest.raises(InputError, match="got one of each of 2 people"):
        found_by_own(np.float32([[0], [1]]), np.array([1, 2]))
