"""Anybody's data set, its images listed in a table."""

import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest

from augment.plans.redraw import redraw
from reid.common.errors import InputError
from reid.datasets import DATASETS
from reid.datasets.checks import find_faults
from reid.files import samples

ENTRIES = [
    ("anna/1.JPG", "anna", "door", "train"),
    ("anna/2.png", "anna", "hall", "train"),
    ("b/1.jpeg", "0", "hall", "Train"),
    ("q/1.jpg", "7", "door", "query"),
    ("g/1.jpg", "7", "hall", "gallery"),
    ("g/2.jpg", "junk", "hall", "gallery"),
    ("g/3.jpg", "distractor", "hall", "gallery"),
]
TABLE = pd.DataFrame(ENTRIES, columns=["image", "identity", "camera", "split"])


def folder(path, table=TABLE, name="images.csv", **options):
    """The folder of a table, with an image of other bytes for each entry."""
    for number, image in enumerate(TABLE["image"]):
        (path / image).parent.mkdir(parents=True, exist_ok=True)
        (path / image).write_bytes(bytes([number]))
    if name.endswith(".csv"):
        (path / name).write_bytes(table.to_csv(index=False, **{"encoding": "utf-8"} | options).encode())
    else:
        table.to_parquet(path / name)
    return path


def rows(dataset):
    columns = ["image", "identity", "camera"]
    return {split: table[columns].to_numpy().tolist() for split, table in dataset.tables.items()}


EXPECTED = {  # identities 0, 7, anna are 1, 2, 3 in the order of their words; cameras door and hall 1 and 2
    "train": [["anna/1.JPG", 3, 1], ["anna/2.png", 3, 2], ["b/1.jpeg", 1, 2]],
    "query": [["q/1.jpg", 2, 1]],
    "gallery": [["g/1.jpg", 2, 2], ["g/2.jpg", -1, 2], ["g/3.jpg", 0, 2]],
}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_words_become_numbers(tmp_path, separator):
    assert rows(DATASETS["listed"](folder(tmp_path, sep=separator))) == EXPECTED


def test_generated_images_of_equal_file_names_have_different_ones(tmp_path):
    table = DATASETS["listed"](folder(tmp_path)).tables["train"]
    everybody = np.ones(len(table), bool)
    new = redraw(table, 3, 0, "full-a3", "new.zip", usable_sources=everybody, usable_targets=everybody, sources=1)
    assert len(samples.check(pd.concat([table, new], ignore_index=True))) == 9
    assert {"anna/1_g01.jpg", "b/1_g01.jpg", "b/1_g02.jpg"} <= set(new["image"])


def test_words_for_nobody_and_numbers_with_a_point(tmp_path):
    identities = ["12.0", "12.0", "5.0", "700.0", "700.0", "-1.0", "Distractor"]
    found = rows(DATASETS["listed"](folder(tmp_path, TABLE.assign(identity=identities))))
    assert [entry[1] for entry in found["train"] + found["gallery"]] == [12, 12, 5, 700, -1, 0]


def test_one_number_written_twice_is_refused(tmp_path):
    identities = ["12", "012", "5", "7", "7", "junk", "distractor"]
    with pytest.raises(InputError, match="identity: 012 and 12 are one number"):
        DATASETS["listed"](folder(tmp_path, TABLE.assign(identity=identities)))


def test_names_of_files_may_be_composed_otherwise(tmp_path):
    """macOS takes accents apart, spreadsheets do not."""
    apart, together = "zoe\u0308/1.jpg", "zoë/1.jpg"
    assert apart != together
    made = folder(tmp_path, TABLE.replace("q/1.jpg", together))
    (made / apart).parent.mkdir()
    (made / apart).write_bytes(b"x")
    dataset = DATASETS["listed"](made)
    assert dataset.tables["query"]["image"].tolist() == [apart]
    assert [fault.where for fault in dataset.findings] == ["q/1.jpg"]


def test_parquet_and_zip_read_alike(tmp_path):
    made = folder(tmp_path / "a", name="images.parquet")
    assert rows(DATASETS["listed"](made)) == EXPECTED
    shutil.make_archive(str(tmp_path / "b"), "zip", made)
    assert rows(DATASETS["listed"](tmp_path / "b.zip")) == EXPECTED


def test_a_zip_of_a_folder_has_its_table_in_that_folder(tmp_path):
    folder(tmp_path / "mine/b")
    (tmp_path / "mine/b/b/images.csv").write_text("another one, further below")
    shutil.make_archive(str(tmp_path / "c"), "zip", tmp_path / "mine")
    inside = {split: [[f"b/{image}", *label] for image, *label in table] for split, table in EXPECTED.items()}
    assert rows(DATASETS["listed"](tmp_path / "c.zip")) == inside
    folder(tmp_path / "mine/c")
    with pytest.raises(FileNotFoundError, match="found b/images.csv and c/images.csv"):
        DATASETS["listed"](tmp_path / "mine")


def test_whole_numbers_from_one_are_kept(tmp_path):
    table = TABLE.assign(identity=[12, 12, 5, 700, 700, -1, "distractor"], camera=[1, 3, 3, 1, 14, 14, 14])
    found = rows(DATASETS["listed"](folder(tmp_path, table)))
    assert found["train"] == [["anna/1.JPG", 12, 1], ["anna/2.png", 12, 3], ["b/1.jpeg", 5, 3]]
    assert [entry[1:] for entry in found["gallery"]] == [[700, 14], [-1, 14], [0, 14]]


def test_ids_from_zero_and_huge_ones_are_people_too(tmp_path):
    huge = "1" * 34
    table = TABLE.assign(identity=["0", "0", huge, "10", "10", "junk", "distractor"])
    found = rows(DATASETS["listed"](folder(tmp_path, table)))
    assert [entry[1] for entry in found["train"]] == [1, 1, 3], "in the order of the numbers: 0, 10, 111..."
    assert found["query"][0][1] == found["gallery"][0][1] == 2


def test_what_is_missing_or_twice_is_a_finding(tmp_path):
    table = pd.concat([TABLE, TABLE.head(1), TABLE.tail(1).assign(image="gone.jpg")])
    made = folder(tmp_path, table)
    (made / "more.jpg").write_bytes(b"x")
    found = {(fault.fatal, fault.what.split(";")[0], fault.where) for fault in DATASETS["listed"](made).findings}
    assert found == {
        (True, "listed twice", "anna/1.JPG"),
        (True, "listed, but there is no such image", "gone.jpg"),
        (False, "not listed, left out", "more.jpg"),
    }
    assert any(fault.what == "unreadable image" for fault in find_faults(DATASETS["listed"](made)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda t: t.drop(columns="camera"),
            "images.csv: expected the columns image, .*camera is missing; it has image",
        ),
        (
            lambda t: t.assign(split=["test", *t["split"][1:]]),
            "split is none of train, query, gallery in 1 of 7 entries",
        ),
        (lambda t: t.assign(identity=[None, *t["identity"][1:]]), "a value is missing in 1 of 7 entries, first in 1: "),
        (lambda t: t.assign(image=["../1.jpg", *t["image"][1:]]), "image is no path below the table's folder"),
    ],
)
def test_a_table_with_a_fault_is_refused(tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        DATASETS["listed"](folder(tmp_path, change(TABLE)))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("images.csv", b"", "images.csv is no table of separated values"),
        ("images.csv", "image,identität".encode("latin-1"), "images.csv:1: is not UTF-8 text"),
        ("images.csv", b'a,b\n"', "images.csv is no table of separated values"),
        ("images.parquet", b"PAR1", "images.parquet is damaged"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        DATASETS["listed"](tmp_path)


def test_a_folder_without_a_table_is_named(tmp_path):
    (tmp_path / "1.jpg").touch()
    with pytest.raises(
        FileNotFoundError, match="expected images.csv or images.parquet with the columns .* found 1.jpg"
    ):
        DATASETS["listed"](tmp_path)
    zipfile.ZipFile(tmp_path / "a.zip", "w").close()
    with pytest.raises(FileNotFoundError, match="found nothing"):
        DATASETS["listed"](tmp_path / "a.zip")
