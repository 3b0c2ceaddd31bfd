import numpy as np
import pytest
from conftest import official
from scipy.spatial.distance import cdist

from reid.evaluation import identity


@pytest.mark.parametrize("block", [3, 256])
def test_each_query_leaves_its_own_images_out(monkeypatch, block):
    monkeypatch.setattr(identity, "BLOCK", block)
    random = np.random.default_rng(0)
    query, gallery = (random.normal(size=(n, 8)).astype(np.float32) for n in (10, 60))
    gallery_ids, gallery_cameras = random.integers(-1, 4, 60), random.integers(1, 4, 60)
    ids, cameras, left_out = random.integers(1, 4, 10), random.integers(1, 4, 10), random.integers(0, 60, (10, 2))
    ids[4], gallery_ids[gallery_ids == 3] = 3, 2  # nobody to be found
    found = identity.match(query, ids, cameras, gallery, gallery_ids, gallery_cameras, left_out)
    for q in range(10):
        rows = [g for g in range(60) if g not in left_out[q]]
        distances = cdist(query[q : q + 1], gallery[rows])
        cmc, aps = official(distances, ids[q : q + 1], cameras[q : q + 1], gallery_ids[rows], gallery_cameras[rows])
        assert found.average_precision[q] == pytest.approx(aps[0])
        assert found.first_rank[q] == (np.argmax(cmc) + 1 if cmc.any() else 0)
    assert found.first_rank[4] == 0


def test_a_query_that_is_in_the_gallery_finds_itself_unless_left_out():
    gallery = np.eye(4, dtype=np.float32)
    ids, cameras = np.array([1, 1, 2, 2]), np.array([1, 2, 1, 2])
    alone = {"query_identities": np.array([1]), "query_cameras": np.array([3])}
    for left_out, expected in (([2, 3], 1), ([0, 1], 0)):
        out = np.array([left_out])
        found = identity.match(gallery[:1], *alone.values(), gallery, ids, cameras, out)
        assert found.first_rank[0] == expected
