"""The card and tables that Hugging Face's `datasets` reads (test_export_readers.py has it read them)."""

import hashlib
import io
import json
import shutil

import pandas as pd
import pyarrow.parquet
import pytest
import ruamel.yaml
from export_files import MADE, ROOT, augmented_tables, found

from reid.export import manifest
from reid.export.hugging_face import LABELS, image_tables
from reid.export.members import exported
from reid.files.images import write_folder


@pytest.fixture(scope="module")
def embedded(tmp_path_factory, tiny_zip):
    """An export with the images in Parquet files, not to be changed."""
    root = tmp_path_factory.mktemp("embedded")
    write_folder(root / "out", exported(augmented_tables(tiny_zip, root / "images.zip"), MADE, with_parquet=True))
    return root / "out"


def config(folder):
    front = (folder / "README.md").read_text().split("---\n")[1]
    (only,) = ruamel.yaml.YAML(typ="safe").load(front)["configs"]
    return only


@pytest.mark.parametrize("kind", ["images beside", "images inside"])
def test_the_card_names_files_that_are_there_for_each_split(good_export, embedded, kind):
    out = good_export if kind == "images beside" else embedded
    entries = pd.read_parquet(out / "manifest.parquet")
    for part in config(out)["data_files"]:
        files = [path for pattern in part["path"] for path in out.glob(pattern)]
        tables = [path for path in files if path.suffix == ".parquet"]
        table = pd.concat([pd.read_parquet(path) for path in tables])
        expected = entries.loc[entries["split"] == part["split"], "image"]
        assert table["file"].tolist() == expected.tolist()
        assert len(files) == len(tables) + (len(expected) if kind == "images beside" else 0)
    assert [part["split"] for part in config(out)["data_files"]] == ["train", "query", "gallery"]


def test_all_tables_have_the_manifests_columns_with_equal_types(good_export, embedded):
    for out, files in ((good_export, LABELS.values()), (embedded, [p.name for p in (embedded / "parquet").iterdir()])):
        folder = out if out == good_export else out / "parquet"
        schemas = [pyarrow.parquet.read_schema(folder / file) for file in files]
        assert all(schema.equals(schemas[0]) for schema in schemas)
        names = {*schemas[0].names} - {"file_name", "derived_from", "generated_by"}
        assert names == {*manifest.COLUMNS, "file"} - ({"image"} if out == good_export else set())


def test_images_in_tables_are_the_files_and_are_marked_as_images(embedded):
    for path in (embedded / "parquet").iterdir():
        schema = pyarrow.parquet.read_schema(path)
        assert json.loads(schema.metadata[b"huggingface"])["info"]["features"] == {"image": {"_type": "Image"}}
        for row in pyarrow.parquet.read_table(path).to_pylist():
            assert row["image"]["bytes"] == (embedded / row["file"]).read_bytes()
            assert hashlib.sha256(row["image"]["bytes"]).hexdigest() == row["sha256"]


def test_many_images_are_several_files(embedded):
    entries = pd.read_parquet(embedded / "manifest.parquet")
    files = dict(image_tables(entries, lambda path: (embedded / path).read_bytes(), images=40))
    assert [name for name in files if "train" in name] == [f"parquet/train-{n:05d}-of-00003.parquet" for n in range(3)]
    assert [len(pd.read_parquet(io.BytesIO(data))) for data in files.values()] == [40, 40, 22, 10, 29]


def another_label(table):
    return table.assign(identity=table["identity"] + 1)


def another_origin(table):
    return table.assign(derived_from=table["file"])


def another_image(table):
    return table.assign(image=table["image"].iloc[::-1].to_list())


def no_image(table):
    return table.assign(image=None)


def a_row_twice(table):
    return pd.concat([table, table.iloc[:1]])


def a_row_less(table):
    return table.iloc[1:]


def no_column(table):
    return table.drop(columns="camera")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (another_label, "in a table: another label than the manifest's"),
        (another_origin, "in a table: another label than the manifest's"),
        (another_image, "in a table: another image than the manifest's"),
        (no_image, "in a table: another image than the manifest's"),
        (a_row_twice, "in a table: not in the manifest, or twice"),
        (a_row_less, "in no table"),
        (no_column, "damaged table"),
    ],
)
def test_a_fault_in_a_table_of_images_is_found(embedded, tmp_path, change, what):
    shutil.copytree(embedded, tmp_path / "out")
    path = tmp_path / "out/parquet/query-00000-of-00001.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    findings = found(tmp_path / "out")
    assert any(f[0] and f[1] == what for f in findings), findings


def test_a_fault_in_a_table_of_labels_is_found(out):
    path = out / LABELS["query"]
    table = pd.read_parquet(path)
    table.assign(camera=table["camera"] + 1).to_parquet(path, index=False)
    assert {f[1] for f in found(out)} == {"in a table: another label than the manifest's"}
    shutil.copyfile(out / LABELS["train"], path)
    assert {f[1] for f in found(out)} == {"in a table: not in the manifest, or twice", "in no table"}
    path.write_bytes(b"PAR1")
    assert {f[1] for f in found(out)} == {"damaged table", "in no table"}


def test_equal_sets_give_equal_tables(embedded):
    entries = pd.read_parquet(embedded / "manifest.parquet")
    for name, data in image_tables(entries, lambda path: (embedded / path).read_bytes()):
        assert (embedded / name).read_bytes() == data
    assert (embedded / ROOT).is_dir()
