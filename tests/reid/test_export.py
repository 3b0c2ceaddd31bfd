"""What leaves the house: where it lies, what it says of itself, and that it is whole or not there."""

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import PurePosixPath

import pandas as pd
import pytest
from export_files import MADE, augmented_tables, found

from reid.common.errors import InputError
from reid.datasets import DATASETS
from reid.export import manifest
from reid.export.layout import naming, trap
from reid.export.members import exported
from reid.export.shards import shards
from reid.files.images import Archive, ImageError, write_folder, write_zip

ROOTS = {"nested": "market1501/Market-1501-v15.09.15", "flat": "market1501"}


@pytest.fixture
def tables(tiny_zip, tmp_path):
    return augmented_tables(tiny_zip, tmp_path / "images.zip")


def in_the_set(image, train):
    """An image's name in the exported set: that of a generated one has its number at the end."""
    generated = list(train.loc[train["origin"] != "real", "image"])
    return image.replace(".jpg", f"_{generated.index(image) + 1:06d}.jpg") if image in generated else image


@pytest.mark.parametrize("layout", ["nested", "flat"])
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_our_own_reader_reads_it_with_the_labels_of_the_original(tables, tmp_path, layout, form):
    out = tmp_path / ("out.zip" if form == "zip" else "out")
    (write_zip if form == "zip" else write_folder)(out, exported(tables, MADE, layout))
    read = DATASETS["market1501"](out)
    assert read.findings == []
    for split, table in tables.items():
        found = read.tables[split].set_index("image")
        assert len(found) == len(table)
        for row in table.itertuples():
            label = found.loc[f"{ROOTS[layout]}/{in_the_set(row.image, tables['train'])}"]
            assert (label["identity"], label["camera"]) == (row.identity, row.camera)


def test_images_are_copied_byte_for_byte(tables, tiny_zip):
    members = dict(exported(tables, MADE))
    with Archive(tiny_zip) as original:
        for table in tables.values():
            for image in table.loc[table["origin"] == "real", "image"]:
                assert members[f"{ROOTS['nested']}/{image}"] == original.read(image)
    assert sorted(name for name in members if not name.startswith("market1501/")) == [
        "DATASHEET.md", "README.md", "croissant.json", "manifest-gallery.parquet", "manifest-query.parquet",
        "manifest-train.parquet", "manifest.csv", "manifest.parquet",
    ]  # fmt: skip


def test_equal_sets_give_equal_bytes(tables, tmp_path):
    for name in ("a.zip", "b.zip"):
        write_zip(tmp_path / name, exported(tables, MADE, with_shards=True))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_manifest_says_where_each_image_comes_from(tables, tmp_path):
    write_zip(tmp_path / "out.zip", exported(tables, MADE))
    with Archive(tmp_path / "out.zip") as archive:
        parquet, csv = (manifest.read(archive, name) for name in (manifest.PARQUET, manifest.CSV))
        assert parquet.equals(csv)
        assert list(parquet.columns) == list(manifest.COLUMNS)
        for image, found in zip(parquet["image"], parquet["sha256"], strict=True):
            assert found == hashlib.sha256(archive.read(image)).hexdigest()
    assert list(parquet["split"].unique()) == ["train", "query", "gallery"]
    train = tables["train"]
    rows = parquet[parquet["split"] == "train"].reset_index(drop=True)
    for column in ("identity", "camera", "origin", "draw"):
        assert (rows[column] == train[column]).all()
    above = f"{ROOTS['nested']}/"
    for column in ("image", "source", "pose_of"):
        assert (rows[column].dropna() == above + train[column].dropna().map(lambda name: in_the_set(name, train))).all()
    generated = parquet["origin"] == "full-a2"
    assert generated.sum() == len(train) / 2
    assert (parquet.loc[generated, ["seed", "weights_sha256"]] == [7, "ab" * 32]).all(axis=None)
    assert parquet.loc[~generated, ["seed", "weights_sha256", "pose_of"]].isna().all(axis=None)


def test_poses_of_a_bank_keep_their_names_and_are_no_fault(tables, tmp_path):
    train = tables["train"].assign(pose_of=tables["train"]["pose_of"].where(tables["train"]["draw"] == 0, "bank:x.jpg"))
    write_folder(tmp_path / "out", exported(tables | {"train": train}, MADE))
    assert found(tmp_path / "out") == set()
    rows = pd.read_parquet(tmp_path / "out" / manifest.PARQUET)
    assert (rows.loc[rows["origin"] == "full-a2", "pose_of"] == "bank:x.jpg").all()
    assert rows.loc[rows["origin"] != "full-a2", "pose_of"].isna().all()
    text = (tmp_path / "out/DATASHEET.md").read_text().replace("\n", " ")
    assert "redrawn in the pose of a pose bank, of images that are not here" in text


def test_the_datasheet_counts(tables):
    text = dict(exported(tables, MADE))["DATASHEET.md"].decode()
    real, people = len(tables["train"]) // 2, tables["train"]["identity"].nunique()
    assert f"| bounding_box_train | {2 * real} | {real} | {real} | {people} | " in text
    assert "The images of streets.zip, untouched" in text
    assert f"| weights sha256 | {'ab' * 32} |" in text
    assert '| generator | `{"generator": "deformable"}` |' in text
    assert "redrawn in the pose of another training image" in text.replace("\n", " ")
    assert "they inherit the terms of streets.zip" in text
    assert "do not end in" not in text
    assert "AssertionError" not in text


def test_the_datasheet_warns_of_what_other_readers_leave_out_or_stop_at(tmp_path, tiny_folder):
    image = sorted((tiny_folder / "bounding_box_train").iterdir())[0]
    (image.parent / "9000_c1s1_000001_01.jpg").write_bytes(image.read_bytes())
    image.rename(image.with_suffix(".png"))
    text = dict(exported(augmented_tables(tiny_folder, tmp_path / "images.zip"), MADE))["DATASHEET.md"].decode()
    assert "- 1 images do not end in `.jpg`: most libraries leave them out" in text
    assert "- There are identities above 1501 or cameras above 6" in text


def test_the_datasheet_tells_rendered_images_from_drawn_ones(tables):
    made = {"row": "views-a2", "alpha": 2, "seed": 0, "rendering": "views"}
    text = dict(exported(tables, made))["DATASHEET.md"].decode()
    assert "each shows the person of its source" in text
    text = dict(exported(tables, made | {"row": "pasted-a2", "rendering": "pasted"}))["DATASHEET.md"].decode()
    assert "real pixels of its source's person" in text
    assert "is rendered" not in text
    strangers = tables["train"].assign(source=tables["train"]["image"], pose_of=None)  # their own sources
    text = dict(exported(tables | {"train": strangers}, made))["DATASHEET.md"].decode()
    assert "of people who are not in the original set" in text


def test_shards_have_each_image_and_its_row_one_after_the_other(tables):
    members = dict(exported(tables, MADE, with_shards=True))
    assert {name for name in members if name.endswith(".tar")} == {
        f"shards/{split}-{number:06d}.tar" for split in ("train", "query", "gallery") for number in range(8)
    }
    sizes = {split: [] for split in tables}
    for name in (name for name in members if name.endswith(".tar")):
        with tarfile.open(fileobj=io.BytesIO(members[name])) as tar:
            sizes[name.split("/")[1].split("-")[0]].append(len(tar.getnames()) // 2)
    assert {split: sum(counts) for split, counts in sizes.items()} == {split: len(t) for split, t in tables.items()}
    assert all(max(counts) - min(counts) <= 1 for counts in sizes.values())
    with tarfile.open(fileobj=io.BytesIO(members["shards/train-000000.tar"])) as tar:
        names = tar.getnames()
        assert all((member.mtime, member.uid) == (0, 0) for member in tar)
        key = next(name for name in names if "_g01_" in name).removesuffix(".jpg")
        row = json.load(tar.extractfile(f"{key}.json"))
        assert tar.extractfile(f"{key}.jpg").read() == members[row["image"]]
        labels = [json.load(tar.extractfile(name)) for name in names[1::2]]
    assert names[::2] == [name.replace(".json", ".jpg") for name in names[1::2]]
    kinds = {(key, type(value)) for label in labels for key, value in label.items()}
    assert sorted(key for key, _ in kinds) == sorted(manifest.COLUMNS), "each has all keys, each of one type"
    real = next(label for label in labels if label["origin"] == "real")
    assert (real["pose_of"], real["weights_sha256"], real["seed"], real["margin"]) == ("", "", -1, -1.0)
    assert row["source"].endswith(key.partition("_g01")[0] + ".jpg")
    assert (row["split"], row["draw"], row["seed"]) == ("train", 1, 7)
    assert row["identity"] == int(key[:4])
    first = [name[:4] for name in names[::2]]
    assert first != sorted(first), "in no order of identities"


def test_shards_are_cut(tables):
    members = dict(exported(tables, MADE))
    rows = pd.read_csv(io.BytesIO(members["manifest.csv"]))
    rows, count = rows[rows["split"] == "query"], (rows["split"] == "query").sum()
    assert len(list(shards(rows, members.__getitem__, least=100))) == count, "no shard is empty"
    cut = dict(shards(rows, members.__getitem__, images=3, least=1))
    assert list(cut) == [f"shards/query-{number:06d}.tar" for number in range(-(-count // 3))]
    seen = []
    for data in cut.values():
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            seen += tar.getnames()
    assert len(seen) == len(set(seen)) == 2 * count


def test_generated_images_have_numbers_of_their_own_and_new_people_keep_their_names(tables, tmp_path):
    train, stranger = tables["train"], "bounding_box_train/100001_c1s1_000001_01.jpg"
    last = train["image"].iloc[-1]
    train.loc[train.index[-1], ["image", "source"]] = stranger
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    write_zip(tmp_path / "images.zip", (files | {stranger: files[last]}).items())
    rows = pd.read_csv(io.BytesIO(dict(exported(tables, MADE))["manifest.csv"]))
    drawn = rows.loc[rows["origin"] != "real", "image"].str.rpartition("/")[2]
    assert drawn.iloc[-1] == "100001_c1s1_000001_01.jpg"
    numbers = drawn.iloc[:-1].str.extract(r"^\d{4}_c\ds\d_\d{6}_\d{2}_g01_(\d{6})\.jpg$")[0].astype(int)
    assert numbers.tolist() == list(range(1, len(train) // 2))


def test_dukemtmc_keeps_its_names(tiny_folder, tmp_path):
    for number, path in enumerate(sorted(p for p in tiny_folder.rglob("*.jpg"))):
        if path.name[0] == "-" or "masks" in path.parts:
            path.unlink()
        else:
            path.rename(path.with_name(f"{path.name[:7]}_f{number:07d}.jpg"))
    tables = augmented_tables(tiny_folder, tmp_path / "images.zip", "dukemtmc-reid")
    for layout, root in (("nested", "dukemtmc-reid/DukeMTMC-reID"), ("flat", "DukeMTMC-reID")):
        write_folder(tmp_path / layout, exported(tables, MADE, layout))
        read = DATASETS["dukemtmc-reid"](tmp_path / layout)
        assert read.findings == []
        assert (read.tables["train"]["identity"].to_numpy() == sorted(tables["train"]["identity"])).all()
        assert read.tables["train"]["image"].str.startswith(f"{root}/bounding_box_train/").all()
        assert read.tables["train"]["image"].str.contains(r"_f\d{7}_g01_\d{6}\.jpg$").sum() == len(tables["train"]) / 2
    assert "as in DukeMTMC-reID" in (tmp_path / "flat/DATASHEET.md").read_text()


def test_other_names_are_refused():
    for name in ("0002_c1s1_000451_03_g01.jpg", "0002_c1s1_000451_03_g01_000017.jpg"):
        assert naming([f"query/{name}"]) == "market1501"
    assert naming(["query/0005_c2_f0046985.jpg"]) == "dukemtmc-reid"
    with pytest.raises(InputError, match=r"^0000_000_01_0303morning_0008_0.jpg is named neither .* are not exported"):
        naming(["query/0002_c1s1_000451_03.jpg", "train/0000/0000_000_01_0303morning_0008_0.jpg"])


def test_two_images_of_one_name_are_refused(tables):
    again = tables["query"].iloc[:1].assign(image="query/more/" + tables["query"]["image"].iloc[0].split("/")[1])
    tables["query"] = pd.concat([tables["query"], again], ignore_index=True)
    with pytest.raises(InputError, match=r"two images would become market1501/.*: query/.*jpg, query/more/.*jpg"):
        list(exported(tables, MADE))


def test_a_broken_image_is_not_passed_on(tables, tmp_path):
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    broken = sorted(files)[3]
    write_zip(tmp_path / "images.zip", (files | {broken: files[broken][:-300]}).items())
    for write, out in ((write_folder, tmp_path / "out"), (write_zip, tmp_path / "out.zip")):
        with pytest.raises(ImageError, match=f"{broken}.*: not a whole image"):
            write(out, exported(tables, MADE))
        assert not out.exists()


def test_folders_that_look_like_labels():
    assert trap(PurePosixPath("/data/exp2_c1/market1501")) == "2_c1"
    assert trap(PurePosixPath("/data/run-_c3")) == "-_c3"
    assert trap(PurePosixPath("/data/market1501/Market-1501-v15.09.15/my_c1")) is None
