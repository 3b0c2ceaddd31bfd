import numpy as np
import pandas as pd
import pytest

from reid.common.errors import InputError
from reid.datasets.subset import subset
from reid.files import samples


def table():
    """Twelve people, with 3 to 14 images of two to four cameras."""
    random = np.random.default_rng(0)
    identities = np.repeat(np.arange(1, 13), np.arange(3, 15))
    cameras = [int(random.integers(1, 3 + identity % 3)) for identity in identities]
    return samples.real_table([f"{n:03d}.jpg" for n in range(len(identities))], "a.zip", identities, cameras)


def test_nothing_asked_for_is_everything():
    pd.testing.assert_frame_equal(subset(table(), None, None, 0), table())


def test_larger_parts_hold_smaller_ones():
    whole = table()
    for kind in ("people", "images"):
        before = set()
        for count in range(1, 13):
            part = subset(whole, **{"people": None, "images": None, kind: count}, seed=3)
            names = set(part["image"])
            assert before < names or (kind == "images" and before <= names)
            assert part["image"].is_monotonic_increasing
            if kind == "people":
                assert part["identity"].nunique() == count
                assert len(part) == whole["identity"].isin(part["identity"]).sum(), "all images of each"
            else:
                sizes = part["identity"].value_counts()
                assert (sizes == whole["identity"].value_counts().clip(upper=count)[sizes.index]).all()
            before = names


def test_images_are_spread_over_the_cameras():
    whole = table()
    for count in (1, 2, 3, 5):
        for identity, own in subset(whole, None, count, 0).groupby("identity"):
            of_cameras = whole[whole["identity"] == identity]["camera"].value_counts()
            taken = own["camera"].value_counts().reindex(of_cameras.index, fill_value=0)
            most = int(taken.max())
            assert ((taken >= most - 1) | (taken == of_cameras)).all(), "evenly, as far as there are images"


def test_seed_decides():
    first, again, other = (subset(table(), 5, 2, seed)["image"].tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_more_people_than_there_are():
    with pytest.raises(InputError, match="dataset.train_people: 13 is more than the 12 people that there are"):
        subset(table(), 13, None, 0)
