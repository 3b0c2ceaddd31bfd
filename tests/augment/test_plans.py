"""Which images enlarge a training set."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from augment.data.pairs import all_pairs, sample_pairs
from augment.plans.pasting import mask_name, paste
from augment.plans.redraw import further_sources, redraw, tuples_of
from augment.plans.rendering import RENDERINGS
from augment.plans.selection import best
from reid.common.errors import InputError
from reid.files import samples
from reid.files.images import Archive, background_name, encode_jpeg, generated_name, write_zip

IMAGES = [f"bounding_box_train/000{p}_c{c}s1_00000{p}_0{c}.jpg" for p in (1, 2, 3) for c in (1, 2, 3)]
TABLE = samples.real_table(IMAGES, "x.zip", [int(i[19:23]) for i in IMAGES], [int(i[25]) for i in IMAGES])
USABLE = np.arange(9) != 4


def plan(table, usable, alpha, seed, origin, archive, **options):
    return redraw(table, alpha, seed, origin, archive, usable_sources=usable, usable_targets=usable, **options)


def test_pairs_are_all_ordered_pairs_of_a_person():
    expected = {
        (a, b)
        for a, b in ((IMAGES[i], IMAGES[j]) for i in range(9) for j in range(9) if i != j and 4 not in (i, j))
        if a[:23] == b[:23]
    }
    pairs = all_pairs(TABLE, USABLE)
    assert set(zip(pairs["source"], pairs["target"], strict=True)) == expected
    assert len(pairs) == len(expected) == 6 + 2 + 6
    assert pairs["identity"].tolist() == [int(image[19:23]) for image in pairs["source"]]


def test_junk_distractors_and_lone_images_make_no_pairs():
    table = TABLE.assign(identity=[-1, -1, 0, 0, 5, 6, 7, 7, 8])
    pairs = all_pairs(table, np.ones(9, bool))
    assert pairs["identity"].tolist() == [7, 7]


def test_sampled_pairs_repeat():
    pairs = all_pairs(TABLE, USABLE)
    pd.testing.assert_frame_equal(sample_pairs(pairs, 5, seed=1), sample_pairs(pairs, 5, seed=1))
    assert len(sample_pairs(pairs, 5, seed=1)) == 5
    assert len(sample_pairs(pairs, 500, seed=1)) == len(pairs)


def test_plan_labels_draws_and_nesting():
    ten = plan(TABLE, USABLE, 10, 0, "full-a10", "z.zip")
    two = plan(TABLE, USABLE, 2, 0, "full-a2", "z.zip")
    assert len(ten) == 9 * USABLE.sum()
    assert ten["image"].is_unique
    assert sorted(ten["draw"].unique()) == list(range(1, 10))
    samples.check(pd.concat([TABLE, ten]))  # identity and camera of the source
    columns = ["image", "source", "pose_of", "draw"]
    pd.testing.assert_frame_equal(ten[ten["draw"] == 1][columns].reset_index(drop=True), two[columns])
    assert set(ten["pose_of"]) <= set(TABLE["image"][USABLE])
    assert ten["pose_of"].nunique() == USABLE.sum(), "72 draws of 8 poses"
    assert not two["pose_of"].equals(plan(TABLE, USABLE, 2, 1, "full-a2", "z.zip")["pose_of"])


def test_draws_do_not_depend_on_the_order_of_the_table():
    order = np.random.default_rng(0).permutation(9)
    turned = plan(TABLE.iloc[order], USABLE[order], 3, 0, "g", "z")
    pd.testing.assert_frame_equal(turned, plan(TABLE, USABLE, 3, 0, "g", "z"))


@pytest.mark.parametrize("alpha", [1, 0, -3])
def test_alpha_below_two(alpha):
    with pytest.raises(ValueError, match=f"alpha must be at least 2, got {alpha}"):
        plan(TABLE, USABLE, alpha, 0, "g", "z")


def test_no_usable_pose():
    nothing = np.zeros(9, bool)
    for sources, targets, said in ((nothing, ~nothing, "source"), (~nothing, nothing, "target pose")):
        with pytest.raises(InputError, match=f"no {said} can be used: none of the 9 training images shows the joints"):
            redraw(TABLE, 2, 0, "g", "z", usable_sources=sources, usable_targets=targets)


def test_generated_names_are_market_names():
    name = "bounding_box_train/0002_c1s1_000451_03_g07.jpg"
    assert generated_name("bounding_box_train/0002_c1s1_000451_03.jpg", 7) == name
    other = generated_name("Market-1501-v15.09.15/bounding_box_train/0002_c1s1_000451_03.jpg", 7)
    assert other == f"Market-1501-v15.09.15/{name}"


def test_sources_and_targets_may_be_different_images():
    sources, targets = np.arange(9) < 3, np.arange(9) >= 3
    rows = redraw(TABLE, 10, 0, "g", "z", usable_sources=sources, usable_targets=targets)
    assert set(rows["source"]) == set(TABLE["image"][sources])
    assert set(rows["pose_of"]) <= set(TABLE["image"][targets])


def test_several_sources_are_of_one_person_and_are_nested():
    three = plan(TABLE, USABLE, 4, 0, "g", "z", sources=3)
    two = plan(TABLE, USABLE, 4, 0, "g", "z", sources=2)
    one = plan(TABLE, USABLE, 4, 0, "g", "z")
    samples.check(pd.concat([TABLE, three]))
    assert (one["further_sources"] == "").all()
    for (_, row), (_, fewer) in zip(three.iterrows(), two.iterrows(), strict=True):
        names = samples.split_names(row["further_sources"])
        assert names[:1] == samples.split_names(fewer["further_sources"])
        chosen = {row["source"], *names}
        person = {image for image in TABLE["image"][USABLE] if image[19:23] == row["source"][19:23]}
        assert len(chosen) == 1 + len(names)
        assert chosen <= person
        assert row["pose_of"] not in names
        assert len(names) == min(2, len(person - {row["source"], row["pose_of"]}))
    pd.testing.assert_frame_equal(three.drop(columns="further_sources"), one.drop(columns="further_sources"))


def test_further_sources_come_from_the_same_camera_first():
    images = [f"p/0001_c{camera}_{number}.jpg" for camera in (1, 2) for number in range(4)]
    table = samples.real_table(images, "x.zip", [1] * 8, [1] * 4 + [2] * 4)
    joined = further_sources(table, pd.Series(images), np.array(images[1:] + images[:1]), 7, 0, "test")
    for source, target, names in zip(images, images[1:] + images[:1], map(samples.split_names, joined), strict=True):
        same = [name[:9] == source[:9] for name in names]
        assert same == sorted(same, reverse=True)
        assert set(names) == set(images) - {source, target}
    assert len({tuple(samples.split_names(names)[:3]) for names in joined}) > 2, "in random order"


def test_tuples_of_a_plan_name_the_right_images():
    rows = plan(TABLE, USABLE, 3, 0, "g", "z", sources=3)
    tuples = tuples_of(rows, "pose_of", TABLE["image"], 3)
    names = TABLE["image"].tolist()
    for entry, (_, row) in enumerate(rows.iterrows()):
        valid = tuples.valid[entry].tolist()
        chosen = [names[place] for place in tuples.sources[entry]]
        unused = [name for name, used in zip(chosen, valid, strict=True) if not used]
        wanted = [row["source"], *samples.split_names(row["further_sources"])]
        assert [name for name, used in zip(chosen, valid, strict=True) if used] == wanted
        assert unused == [row["source"]] * (3 - sum(valid))
        assert names[tuples.targets[entry]] == row["pose_of"]


@pytest.mark.parametrize("name", RENDERINGS)
def test_renderings_are_plans_too(name):
    two, three = (RENDERINGS[name](TABLE, alpha, 0, f"{name}-a{alpha}", "z.zip") for alpha in (2, 3))
    samples.check(pd.concat([TABLE, three]))
    assert len(three) == 2 * len(TABLE)
    columns = ["image", "source", "identity", "camera", "draw"]
    pd.testing.assert_frame_equal(three[three["draw"] == 1][columns].reset_index(drop=True), two[columns])
    with pytest.raises(ValueError, match="alpha must be at least 2, got 1"):
        RENDERINGS[name](TABLE, 1, 0, "x", "z.zip")


def test_the_best_of_each_source():
    judged = pd.DataFrame(
        {
            "source": ["a", "b", "a", "b", "a", "b"],
            "draw": [1, 1, 2, 2, 3, 3],
            "identity_rank": [0, 2, 5, 1, 1, 1],
            "margin": [np.nan, -0.1, -0.3, 0.2, -0.2, 0.2],
            "detection": [0.5, 0.1, 0.9, 0.3, 0.9, 0.2],
        }
    )

    def kept(by, count):
        chosen = judged[best(judged, by, count)]
        return sorted(zip(chosen["source"], chosen["draw"], strict=True))

    assert kept("margin", 1) == [("a", 3), ("b", 2)], "of equal ones the earlier draw"
    assert kept("identity_rank", 1) == [("a", 3), ("b", 2)]
    assert kept("detection", 1) == [("a", 2), ("b", 2)]
    assert kept("margin", 2) == [("a", 2), ("a", 3), ("b", 2), ("b", 3)], "the unknown last"
    assert kept("identity_rank", 2) == [("a", 2), ("a", 3), ("b", 2), ("b", 3)]
    assert len(kept("margin", 9)) == 6


def test_people_are_pasted_before_other_backgrounds(tmp_path):
    """The mask is the left half; each image is of one colour, its background of another."""
    left = np.zeros((8, 6, 3), np.uint8)
    left[:, :3] = 255
    buffer = io.BytesIO()
    Image.fromarray(left[..., 0]).convert("1").save(buffer, "PNG")
    members, colour = [], {}
    for number, image in enumerate(TABLE["image"]):
        colour[image] = 20 * (number + 1)
        members.append((image, encode_jpeg(np.full((8, 6, 3), colour[image], np.uint8))))
        members.append((background_name(image), encode_jpeg(np.full((8, 6, 3), 255 - colour[image], np.uint8))))
        members.append((mask_name(image), buffer.getvalue()))
    write_zip(tmp_path / "real.zip", members)
    real = TABLE.assign(archive=str(tmp_path / "real.zip"))
    new = RENDERINGS["pasted"](real, 3, 0, "pasted-a3", "new.zip")
    paste(new, real, 0, tmp_path / "new.zip")
    paste(new[new["draw"] == 2], real, 0, tmp_path / "second.zip")
    behind = set()
    with Archive(tmp_path / "new.zip") as archive, Archive(tmp_path / "second.zip") as second:
        for image, source, draw in new[["image", "source", "draw"]].itertuples(index=False):
            pixels = archive.image(image).astype(int)
            assert abs(pixels[:, :2] - colour[source]).max() <= 12, "the person; JPEG blurs the edge"
            behind.add(min(colour.values(), key=lambda value: abs(255 - value - pixels[:, 5].mean())))
            assert draw != 2 or (second.image(image) == archive.image(image)).all(), "each draw has a stream of its own"
    assert len(behind) > 1
    write_zip(tmp_path / "bare.zip", members[:1])
    bare = real[:1].assign(archive=str(tmp_path / "bare.zip"))
    with pytest.raises(InputError, match="rendered data sets have the masks"):
        paste(RENDERINGS["pasted"](bare, 2, 0, "pasted-a2", "new.zip"), bare, 0, tmp_path / "none.zip")
    assert not (tmp_path / "none.zip").exists()
