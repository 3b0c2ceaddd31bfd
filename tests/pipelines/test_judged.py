"""What a selection leaves out where it judges a generated image: the real images that it was made from."""

import numpy as np
import pytest
import torch

from pipelines.stages import augment_selected
from reid.files.samples import real_table

FEATURES = {"a.jpg": 0.0, "b.jpg": 1.0, "c.jpg": 3.0, "new.jpg": 0.25}  # one number each
REAL = real_table(["a.jpg", "b.jpg", "c.jpg"], "set.zip", identities=[1, 1, 2], cameras=[1, 2, 1])


@pytest.mark.parametrize(
    ("pose_of", "further", "nearest_own"),
    [
        ("c.jpg", "", 0.75),  # b.jpg, since a.jpg is the source
        ("bank:b.jpg", "", 0.75),  # an image of that name was not looked at
        ("bank:none.jpg", "", 0.75),
        ("c.jpg", "b.jpg", None),  # no image of the person is left
        ("bank:c.jpg", "b.jpg", None),
    ],
)
def test_images_that_a_generated_one_was_made_from_are_left_out(monkeypatch, pose_of, further, nearest_own):
    def embedded(network, table, **_):
        return np.float32([[FEATURES[image]] for image in table["image"]])

    monkeypatch.setattr(augment_selected, "embedded", embedded)
    new = REAL.iloc[[0]].assign(
        image="new.jpg", origin="full-a2", source="a.jpg", draw=1, pose_of=pose_of, further_sources=further
    )
    found = augment_selected.judged(new, REAL, None, (8, 4), False, None, torch.device("cpu")).iloc[0]
    nearest_other = np.inf if pose_of == "c.jpg" else 2.75
    assert found["identity_rank"] == (0 if nearest_own is None else 1)
    if nearest_own is None:
        assert np.isnan(found["margin"])
    else:
        assert found["margin"] == nearest_other - nearest_own
