import io
import shutil
from itertools import permutations

import numpy as np
import pytest
from PIL import Image

from augment.data.pairs import all_pairs
from augment.poses.estimators.annotations import Annotations
from reid.common.errors import InputError
from reid.datasets import DATASETS
from reid.datasets.checks import find_faults
from reid.datasets.deepfashion_names import annotated_name, fashion_name
from reid.files import samples

# All of In-shop's categories.
CATEGORIES = {
    "MEN": "Denim Jackets_Vests Pants Shirts_Polos Shorts Suiting Sweaters Sweatshirts_Hoodies Tees_Tanks",
    "WOMEN": "Blouses_Shirts Cardigans Denim Dresses Graphic_Tees Jackets_Coats Leggings Pants Rompers_Jumpsuits "
    "Shorts Skirts Sweaters Sweatshirts_Hoodies Tees_Tanks",
}
# (path below img/, In-shop's status, the released split)
IMAGES = [
    ("WOMEN/Tees_Tanks/id_00003504/08_1_front.jpg", "train", "train"),
    ("WOMEN/Tees_Tanks/id_00003504/08_3_back.jpg", "train", "train"),
    ("WOMEN/Tees_Tanks/id_00003504/08_7_additional.jpg", "train", "train"),
    ("WOMEN/Tees_Tanks/id_00003504/02_1_front.jpg", "train", "test"),  # the same item in another colour
    ("WOMEN/Tees_Tanks/id_00003504/02_2_side.jpg", "train", "test"),
    ("MEN/Denim/id_00000182/01_1_front.jpg", "query", "test"),
    ("MEN/Denim/id_00000182/01_4_full.jpg", "gallery", "test"),
    ("MEN/Pants/id_00003504/08_1_front.jpg", "gallery", "train"),  # the same number, another item
    ("MEN/Pants/id_00003504/08_2_side.jpg", "query", "train"),
    ("WOMEN/Dresses/id_00000002/02_1_front.jpg", "train", None),
]
JOINTS = [40, 60, 70, 90, 120, 70, 90, 120, 130, 170, 210, 130, 170, 210, 35, 35, 38, 38]


def jpeg(height=256, width=256):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def released_name(path):
    """The released script's renaming, word for word of its description: join the path, keep one underscore."""
    gender, category, item, file = path.split("/")
    colour, number, view = file.split("_")
    return "fasion" + gender + category.replace("_", "") + item.replace("_", "") + colour + "_" + number + view


def write_set(root, flat=False, partition=True, annotations=True, data=None):
    for path, _, split in IMAGES:
        file = root / (split or "train") / released_name(path) if flat else root / "img" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data or jpeg())
    if partition:
        lines = [f"img/{path}    {path.split('/')[2]}    {status}" for path, status, _ in IMAGES]
        file = root / "Eval/list_eval_partition.txt"
        file.parent.mkdir()
        file.write_text("\n".join([str(len(lines)), "image_name item_id evaluation_status", *lines]) + "\n")
    if annotations:
        for split in ("train", "test"):
            rows = [f"{released_name(path)}: {JOINTS}: {JOINTS}" for path, _, of in IMAGES if of == split]
            file = root / f"fasion-annotation-{split}.csv"
            file.write_text("\n".join(["name:keypoints_y:keypoints_x", *rows]) + "\n")
    return root


def people(table):
    """Sets of flat names, one a person: what the identities say."""
    return {frozenset(map(annotated_name, rows["image"])) for _, rows in table.groupby("identity")}


def grouped(of_split, column):
    """The same from IMAGES, literally: everything before the underscore."""
    found = {}
    for image in IMAGES:
        if image[column] in of_split:
            name = released_name(image[0])
            found.setdefault(name.split("_")[0], set()).add(name)
    return set(map(frozenset, found.values()))


def test_published_paths_and_flat_names_lead_to_each_other():
    example = "img/WOMEN/Tees_Tanks/id_00003504/08_3_back.jpg"
    assert fashion_name(example).flat == "fasionWOMENTeesTanksid0000350408_3back.jpg"
    count = 0
    for gender, categories in CATEGORIES.items():
        for category in categories.split():
            path = f"{gender}/{category}/id_00000416/06_7_additional.jpg"
            flat = fashion_name(f"Img/img/{path}").flat
            assert flat == released_name(path)
            assert fashion_name(flat).published == path
            assert fashion_name(flat) == fashion_name(path) == fashion_name(f"train/{flat}")
            # The spelling of other projects' lists, which keep the category's underscore.
            other = f"fashion{gender}{category}id0000041606_7additional.jpg"
            assert fashion_name(other) == fashion_name(path)
            count += 1
    assert count == 23


@pytest.mark.parametrize(
    "name",
    [
        "0002_c1s1_000451_03.jpg",
        "KIDS/Denim/id_00000182/01_1_front.jpg",
        "MEN/Denim/id_182/01_1_front.jpg",
        "fasionMENDenimid0000018201.jpg",
        "MEN/Denim/id_00000182/01_1_front.png",
    ],
)
def test_other_names_are_themselves(name):
    assert fashion_name(name) is None
    assert annotated_name(f"bounding_box_train/{name}") == name.rsplit("/", 1)[-1]


@pytest.mark.parametrize("flat", [False, True])
def test_the_released_lists_decide(tmp_path, flat):
    dataset = DATASETS["deepfashion"](write_set(tmp_path, flat))
    assert people(dataset.tables["train"]) == grouped({"train"}, 2)
    assert people(dataset.tables["gallery"]) == grouped({"test"}, 2)
    assert dataset.tables["query"].empty
    assert set(dataset.tables["train"]["camera"]) == {1}
    left_out = [annotated_name(finding.where) for finding in dataset.findings if finding.what == "in no list, left out"]
    assert left_out == [released_name(IMAGES[-1][0])]
    for table in dataset.tables.values():
        samples.check(table)
    assert not [finding for finding in find_faults(dataset) if finding.fatal]


def test_without_them_in_shops_own_partition_decides(tmp_path):
    dataset = DATASETS["deepfashion"](write_set(tmp_path, annotations=False))
    assert people(dataset.tables["train"]) == grouped({"train"}, 1)
    assert people(dataset.tables["gallery"]) == grouped({"query", "gallery"}, 1)
    assert dataset.facts["test_items_also_in_train"] == 0
    assert not [finding for finding in find_faults(dataset) if finding.fatal]


def test_items_in_train_and_test_are_counted_and_can_be_left_out(tmp_path):
    write_set(tmp_path)
    item = {path: tuple(path.split("/")[:3]) for path, _, _ in IMAGES}
    trained = {item[path] for path, _, split in IMAGES if split == "train"}
    shared = {path for path, _, split in IMAGES if split == "test" and item[path] in trained}
    assert len(shared) == 2, "as many as the lists above have"

    dataset, disjoint = (DATASETS[name](tmp_path) for name in ("deepfashion", "deepfashion-disjoint"))
    assert dataset.facts == {"test_items_also_in_train": 1, "test_images_of_these": 2, "test_images_left_out": 0}
    assert disjoint.facts == {"test_items_also_in_train": 1, "test_images_of_these": 2, "test_images_left_out": 2}
    warned = [finding for finding in dataset.findings if finding.what == "item also in train"]
    assert [(finding.fatal, finding.detail) for finding in warned] == [(False, "item WOMEN TeesTanks 00003504")]

    kept = dataset.tables["gallery"]
    kept = kept[~kept["image"].isin({f"img/{path}" for path in shared})].reset_index(drop=True)
    assert disjoint.tables["gallery"].equals(kept), "the others keep their identities"
    assert disjoint.tables["train"].equals(dataset.tables["train"])


def test_annotations_find_published_paths_and_flat_names(tmp_path):
    write_set(tmp_path / "a")
    files = [str(tmp_path / f"a/fasion-annotation-{split}.csv") for split in ("train", "test")]
    table = DATASETS["deepfashion"](tmp_path / "a").tables["train"]
    pose = Annotations(files).estimate(table)
    assert pose.has_torso().all()
    flat = DATASETS["deepfashion"](write_set(tmp_path / "b", flat=True)).tables["train"]
    assert Annotations(files).estimate(flat).joints.tolist() == pose.joints.tolist()


def test_pairs_are_the_released_scripts(tmp_path):
    table = DATASETS["deepfashion"](write_set(tmp_path)).tables["train"]
    pairs = all_pairs(table, np.ones(len(table), bool))
    names = [released_name(path) for path, _, split in IMAGES if split == "train"]
    expected = [(a, b) for a, b in permutations(names, 2) if a.split("_")[0] == b.split("_")[0]]
    found = [(annotated_name(a), annotated_name(b)) for a, b in zip(pairs["source"], pairs["target"], strict=True)]
    assert sorted(found) == sorted(expected)
    assert len(found) == 3 * 2 + 2


def test_what_is_wrong_is_named(tmp_path):
    root = write_set(tmp_path / "set")
    with (root / "fasion-annotation-train.csv").open("a") as file:
        file.write(f"fasionMENDenimid0000999901_1front.jpg: {JOINTS}: {JOINTS}\n")
        file.write(f"{released_name(IMAGES[5][0])}: {JOINTS}: {JOINTS}\n")
    again = root / "img_highres" / IMAGES[0][0]
    again.parent.mkdir(parents=True)
    again.write_bytes(jpeg())
    (root / "img/Thumb.jpg").write_bytes(jpeg())
    found = {(f.fatal, f.what, f.where) for f in find_faults(DATASETS["deepfashion"](root))}
    assert (True, "listed, but the file is missing", "fasionMENDenimid0000999901_1front.jpg") in found
    assert (True, "listed twice, for train and for gallery", released_name(IMAGES[5][0])) in found
    assert (True, "the same image twice", f"img_highres/{IMAGES[0][0]}") in found
    assert (False, "not named like a DeepFashion image, left out", "img/Thumb.jpg") in found


def test_a_person_in_both_splits_is_fatal(tmp_path):
    root = write_set(tmp_path)
    lines = (root / "fasion-annotation-train.csv").read_text().splitlines()
    moved = next(line for line in lines if "08_3back" in line)
    (root / "fasion-annotation-train.csv").write_text("\n".join(line for line in lines if line != moved))
    with (root / "fasion-annotation-test.csv").open("a") as file:
        file.write(moved + "\n")
    fatal = {finding.what for finding in find_faults(DATASETS["deepfashion"](root)) if finding.fatal}
    assert fatal == {"identity in train and in gallery"}
    assert not [f for f in find_faults(DATASETS["deepfashion-disjoint"](root)) if f.fatal]


def test_images_of_another_size_are_said(tmp_path):
    findings = DATASETS["deepfashion"](write_set(tmp_path, data=jpeg(1101, 750))).findings
    assert [f.detail.split(",")[0] for f in findings if f.what == "not 256 x 256"] == ["1101 x 750"] * 2


def test_lists_that_are_missing_or_broken(tmp_path):
    root = write_set(tmp_path / "none", partition=False, annotations=False)
    with pytest.raises(FileNotFoundError, match="does not say which images are for testing: expected .*put them there"):
        DATASETS["deepfashion"](root)
    root = write_set(tmp_path / "one")
    (root / "fasion-annotation-test.csv").unlink()
    with pytest.raises(
        InputError, match=r"one of the two annotation files is missing: put \*annotation-test.csv there"
    ):
        DATASETS["deepfashion"](root)
    root = write_set(tmp_path / "three")
    shutil.copyfile(root / "fasion-annotation-test.csv", root / "old-annotation-test.csv")
    with pytest.raises(InputError, match=r"2 files end in annotation-test.csv: .*; keep one"):
        DATASETS["deepfashion"](root)
    root = write_set(tmp_path / "bad", annotations=False)
    with (root / "Eval/list_eval_partition.txt").open("a") as file:
        file.write("img/a.jpg id_00000001 val\n")
    with pytest.raises(InputError, match=r"list_eval_partition.txt:13: expected `image item status` with a status of"):
        DATASETS["deepfashion"](root)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="expected images such as .* found nothing: it is empty"):
        DATASETS["deepfashion"](tmp_path / "empty")
