import os
import re
import shutil
import zipfile
from fnmatch import fnmatch
from pathlib import Path, PurePath

import pytest

from reid.common.digests import digest
from reid.common.errors import InputError
from reid.datasets import DATASETS
from reid.datasets.checks import counts, find_faults, unlike_published
from reid.export.layout import naming
from reid.files.images import Archive, generated_name

JPEG = Archive(Path(__file__).parents[2] / "data/raw/streets.zip").read("query/0101_c1s1_010110_00.jpg")


def write(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(JPEG)


def faults(root, name="market1501"):
    return {(f.fatal, f.what.split(":")[0], f.where) for f in find_faults(DATASETS[name](root))}


def test_embedded_set_has_its_counts_and_no_faults():
    dataset = DATASETS["streets"]("data/raw/streets.zip")
    assert {split: counts(table) for split, table in dataset.tables.items()} == {
        "train": (1380, 0, 0),
        "query": (436, 0, 0),
        "gallery": (1107, 135, 100),
    }
    assert find_faults(dataset) == []


def test_folder_zip_and_nested_zip_read_alike(tiny_folder, tmp_path):
    tables = DATASETS["market1501"](tiny_folder).tables
    with zipfile.ZipFile(tmp_path / "nested.zip", "w") as archive:
        for path in sorted(p for p in tiny_folder.rglob("*") if p.is_file()):
            archive.write(path, f"Market-1501-v15.09.15/{path.relative_to(tiny_folder)}")
    nested = DATASETS["market1501"](tmp_path / "nested.zip").tables
    for split, table in tables.items():
        assert len(table) > 0
        assert (nested[split]["image"] == "Market-1501-v15.09.15/" + table["image"]).all()
        assert (nested[split][["identity", "camera"]] == table[["identity", "camera"]]).all(axis=None)


def test_names_of_each_data_set(tmp_path):
    folders = ("bounding_box_train", "query", "bounding_box_test")
    market = ("0002_c1s1_000451_03.jpg", "0003_c6s4_000451_00.jpg", "-1_c3s2_012345_01.jpg")
    write(tmp_path / "market", [f"{folder}/{name}" for folder, name in zip(folders, market, strict=True)])
    tables = DATASETS["market1501"](tmp_path / "market").tables
    assert [(*t[["identity", "camera"]].iloc[0],) for t in tables.values()] == [(2, 1), (3, 6), (-1, 3)]

    duke = ("0001_c2_f0046182.jpg", "0005_c2_f0046985.jpg", "0005_c8_f0046985.jpg")
    write(tmp_path / "duke", [f"{folder}/{name}" for folder, name in zip(folders, duke, strict=True)])
    tables = DATASETS["dukemtmc-reid"](tmp_path / "duke").tables
    assert [(*t[["identity", "camera"]].iloc[0],) for t in tables.values()] == [(1, 2), (5, 2), (5, 8)]


def test_msmt17_lists_and_identities(tmp_path):
    names = {
        "train": ["0000/0000_000_01_0303morning_0008_0.jpg", "0004/0004_000_14_0303noon_0008_1.jpg"],
        "test": ["0000/0000_000_02_0303morning_0008_0.jpg", "0000/0000_001_05_0303morning_0009_0.jpg"],
    }
    write(tmp_path, [f"{folder}/{name}" for folder, files in names.items() for name in files])
    for split, files in (("train", names["train"][:1]), ("val", names["train"][1:])):
        (tmp_path / f"list_{split}.txt").write_text("".join(f"{name} 0\n" for name in files))
    for split, files in (("query", names["test"][:1]), ("gallery", names["test"][1:])):
        (tmp_path / f"list_{split}.txt").write_text("".join(f"{name} 0\n" for name in files))
    dataset = DATASETS["msmt17"](tmp_path)
    rows = {split: t[["identity", "camera"]].to_numpy().tolist() for split, t in dataset.tables.items()}
    assert rows == {"train": [[1, 1], [5, 14]], "query": [[6, 2]], "gallery": [[6, 5]]}
    (tmp_path / "list_query.txt").write_text("0000/gone.jpg 0\n")
    assert (True, "listed, but the file is missing", "test/0000/gone.jpg") in faults(tmp_path, "msmt17")

    (tmp_path / "list_query.txt").write_bytes("\r\n".join([f"{names['test'][0]}\t0", "", ""]).encode("utf-8-sig"))
    for old, new in (("train", "mask_train_v2"), ("test", "mask_test_v2")):
        (tmp_path / old).rename(tmp_path / new)
    tables = DATASETS["msmt17"](tmp_path).tables
    assert {split: t[["identity", "camera"]].to_numpy().tolist() for split, t in tables.items()} == rows
    assert tables["query"]["image"].tolist() == [f"mask_test_v2/{names['test'][0]}"]
    (tmp_path / "list_query.txt").write_text(f"{names['test'][0]}\n")
    with pytest.raises(InputError, match=r"list_query.txt:1: expected `NAME LABEL`, got '0000"):
        DATASETS["msmt17"](tmp_path)


def test_own_sets_in_market_1501s_naming(tmp_path):
    """More cameras and frames, fewer and more digits, and suffixes as cameras write them."""
    folders = ("bounding_box_train", "query", "bounding_box_test")
    names = ("7_c12s1_1234567_1.JPG", "123456789_c1s10_000451_00.jpeg", "0008_c6s4_000451_00_g01.PNG")
    write(tmp_path, [f"{folder}/{name}" for folder, name in zip(folders, names, strict=True)])
    tables = DATASETS["market1501"](tmp_path).tables
    assert [(*t[["identity", "camera"]].iloc[0],) for t in tables.values()] == [(7, 12), (123456789, 1), (8, 6)]


def test_a_suffix_that_is_written_twice_as_in_the_published_set(tiny_folder):
    name = "1488_c1s6_023021_00.jpg.jpg"
    (tiny_folder / "query" / name).write_bytes(JPEG)
    dataset = DATASETS["market1501"](tiny_folder)
    assert dataset.findings == []
    found = dataset.tables["query"].set_index("image").loc[f"query/{name}"]
    assert (found["identity"], found["camera"]) == (1488, 1)
    assert generated_name(f"query/{name}", 1) == "query/1488_c1s6_023021_00_g01.jpg"
    assert naming([name]) == "market1501"


def test_a_file_name_that_is_not_utf_8_is_named(tiny_folder):
    (Path(os.fsdecode(os.fsencode(tiny_folder) + b"/query/caf\xe9.jpg"))).write_bytes(JPEG)
    with pytest.raises(InputError, match=r"b'query/caf\\xe9.jpg' is not UTF-8: rename"):
        DATASETS["market1501"](tiny_folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("1111111111_c1s1_000001_00.jpg", "expected _c and a camera where it has '1_c1s1_000001_00.jpg'"),
        ("anna_c1s1_000001_00.jpg", "expected an identity: -1, or up to 9 digits where it has 'anna_c1s1_000001_00.'"),
        ("0002_1s1_000001_00.jpg", "expected _c and a camera where it has '_1s1_000001_00.jpg'"),
        ("0002_c1_000001_00.jpg", "expected s and a sequence where it has '_000001_00.jpg'"),
        ("0002_c1s1_000001_00_new.jpg", "expected one of .jpg, "),
        ("0002.jpg", "expected _c and a camera where it has '.jpg'"),
    ],
)
def test_a_name_says_what_is_wrong_with_it(tiny_folder, name, said):
    (tiny_folder / "query" / name).write_bytes(JPEG)
    (finding,) = DATASETS["market1501"](tiny_folder).findings
    assert "does not say identity and camera as 0002_c1s1_000451_03.jpg does" in finding.what
    assert finding.detail.startswith(said)


def test_one_camera_is_said_once(tiny_folder):
    for folder in ("query", "bounding_box_test"):
        for path in (tiny_folder / folder).iterdir():
            path.rename(path.with_name(re.sub(r"_c\d", "_c1", path.name)))
    found = [what for _, what, _ in faults(tiny_folder) if "camera" in what]
    assert found == ["all test images are from one camera"]


def test_split_folders_may_be_links(tiny_folder, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    for folder in ("bounding_box_train", "query", "bounding_box_test"):
        (linked / folder).symlink_to(tiny_folder / folder, target_is_directory=True)
    here = DATASETS["market1501"](tiny_folder).tables
    (linked / "query/loop").symlink_to(linked, target_is_directory=True)
    there = DATASETS["market1501"](linked).tables
    assert {split: len(table) for split, table in here.items()} == {split: len(table) for split, table in there.items()}
    (linked / "query/0001_c1s1_000001_00.jpg").symlink_to(tmp_path / "nowhere")
    assert (True, "unreadable image", "query/0001_c1s1_000001_00.jpg") in faults(linked)
    (linked / "query/loop").unlink()


def test_zips_made_on_other_systems(tiny_folder, tmp_path):
    """Backslashes between folders, as of Windows; a second root, as of macOS."""
    with zipfile.ZipFile(tmp_path / "windows.zip", "w") as archive:
        for path in sorted(p for p in tiny_folder.rglob("*") if p.is_file()):
            name = path.relative_to(tiny_folder).as_posix()
            member = zipfile.ZipInfo("x")
            member.filename = f"set\\{name}".replace("/", "\\")
            archive.writestr(member, path.read_bytes())
            archive.writestr(f"__MACOSX/set/{name}", b"not an image")
    here, there = (DATASETS["market1501"](path).tables for path in (tiny_folder, tmp_path / "windows.zip"))
    for split, table in here.items():
        assert there[split]["image"].tolist() == [f"set/{image}" for image in table["image"]]
    with Archive(tmp_path / "windows.zip") as archive:
        assert archive.read(there["query"]["image"][0]) == (tiny_folder / here["query"]["image"][0]).read_bytes()


def test_every_fault_is_named_with_its_file(tiny_folder):
    train, query, test = (tiny_folder / folder for folder in ("bounding_box_train", "query", "bounding_box_test"))
    names = sorted(p.name for p in train.iterdir())
    (train / "wrong_name.jpg").write_bytes(JPEG)
    (train / "notes.txt").write_bytes(b"x")
    (train / names[0]).write_bytes(b"")
    (train / names[1]).write_bytes(JPEG[:-100])
    (train / "0009_c1s1_000001_00.jpg").write_bytes(JPEG)
    (train / "0000_c1s1_000001_00.jpg").write_bytes(JPEG)
    (train / "0101_c1s1_000001_00.jpg").write_bytes(JPEG)
    (train / names[2].replace(".jpg", ".png")).write_bytes(JPEG)
    (query / "0900_c1s1_000001_00.jpg").write_bytes(JPEG)
    (test / "0900_c1s1_000002_00.jpg").write_bytes(JPEG)
    found = faults(tiny_folder)
    inside = "bounding_box_train"
    expected = [
        (True, "wrong_name.jpg"), (False, "notes.txt"), (True, names[0]), (True, names[1]),
        (False, "0009_c1s1_000001_00.jpg"), (True, "0000_c1s1_000001_00.jpg"),
    ]  # fmt: skip
    for fatal, name in expected:
        assert any(f[0] == fatal and f[2] == f"{inside}/{name}" for f in found), name
    assert any(f[0] and f[1] == "identity in train and in query" for f in found)
    assert any(f[0] and f[1].startswith("same name as another image") for f in found)
    assert (False, "query without a gallery image in another camera", "query/0900_c1s1_000001_00.jpg") in found


def test_empty_folder_says_what_was_expected(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"expected the folders bounding_box_train, query.* found nothing: it is empty"
    ):
        DATASETS["market1501"](tmp_path)


def test_folders_are_matched_by_their_whole_names(tmp_path):
    write(tmp_path, ["mask_train/0000_000_01_x.jpg", "mask_test/0000_000_01_x.jpg"])
    with pytest.raises(FileNotFoundError, match="expected the folders train, test .* found mask_test, mask_train"):
        DATASETS["msmt17"](tmp_path)


def test_empty_split_is_fatal(tiny_folder):
    for path in (tiny_folder / "query").iterdir():
        path.rename(path.with_suffix(".txt"))
    assert (True, "no images", "query") in faults(tiny_folder)


def test_market_counts_are_compared(tiny_folder):
    findings = unlike_published(DATASETS["market1501"](tiny_folder).tables)
    assert [f.where for f in findings] == ["train", "query", "gallery"]
    assert "published (12936, 0, 0)" in findings[0].detail


def test_gt_bbox_is_read_where_there_is_one(tiny_folder):
    assert DATASETS["market1501"](tiny_folder).pool is None
    folder = tiny_folder / "gt_bbox"
    folder.mkdir()
    (folder / "0101_c3s1_000451_00.jpg").write_bytes(b"")
    (folder / "0101_c1s1_000001_00.jpg").write_bytes(b"")
    (folder / "notes.txt").write_bytes(b"")
    table = DATASETS["market1501"](tiny_folder).pool
    assert table["image"].tolist() == ["gt_bbox/0101_c1s1_000001_00.jpg", "gt_bbox/0101_c3s1_000451_00.jpg"]
    assert (table["identity"].tolist(), table["camera"].tolist()) == ([101, 101], [1, 3])
    (folder / "person.jpg").write_bytes(b"")
    findings = DATASETS["market1501"](tiny_folder).findings
    assert [(f.fatal, f.where) for f in findings] == [(False, "gt_bbox/notes.txt"), (True, "gt_bbox/person.jpg")]


def test_one_file_on_two_sides_is_found(tiny_folder):
    """A query's copy in another camera would be found first; one picture cannot show two people."""
    query, test = tiny_folder / "query", tiny_folder / "bounding_box_test"
    asked = sorted(query.iterdir())[0]
    copy = test / asked.name.replace(asked.name[5:7], "c9").replace("_00.jpg", "_99.jpg")
    copy.write_bytes(asked.read_bytes())
    known = sorted(path for path in test.iterdir() if path.name.startswith("01"))
    other = test / f"0199{known[0].name[4:]}"
    other.write_bytes(known[0].read_bytes())
    known[1].with_name(known[1].name.replace(".jpg", "_copy.jpg")).write_bytes(known[1].read_bytes())
    found = {finding for finding in faults(tiny_folder) if finding[1].startswith("the same file")}
    assert found == {
        (False, "the same file in query and in gallery", f"bounding_box_test/{copy.name}"),
        (False, "the same file as an image of another identity, in gallery", f"bounding_box_test/{other.name}"),
    }, "two copies in one split that show the same person do no harm"


LEFT = [
    "Thumbs.db",
    "desktop.ini",
    ".DS_Store",
    "._{}",
    ".ipynb_checkpoints/{}",
    "@eaDir/{}",
    "__MACOSX/{}",
    ".nfs001",
    ".Trash-0/{}",
]


@pytest.mark.parametrize("packed", [False, True])
def test_what_systems_leave_behind_is_not_there(tiny_folder, packed, tmp_path):
    """No finding, no image, no other digest; .dvcignore has the same names."""
    path = tiny_folder
    before, sum_before = DATASETS["market1501"](path).tables, digest(path)
    for folder in ("bounding_box_train", "query"):
        name = sorted((path / folder).iterdir())[0].name
        for left in LEFT:
            file = path / folder / left.format(name)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(JPEG)
    assert digest(path) == sum_before
    if packed:
        path = Path(shutil.make_archive(str(tmp_path / "set"), "zip", path))
    after = DATASETS["market1501"](path)
    assert after.findings == []
    for split, table in before.items():
        assert after.tables[split]["image"].tolist() == table["image"].tolist()
    ignored = Path(__file__).parents[2].joinpath(".dvcignore").read_text().splitlines()
    for left in LEFT:
        assert any(fnmatch(PurePath(left).parts[0], pattern) for pattern in ignored), left
