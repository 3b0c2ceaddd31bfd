import numpy as np
import pandas as pd
import pytest

from reid.files import samples


@pytest.fixture
def table():
    real = samples.real_table(["b.jpg", "a.jpg"], "data/raw/x.zip", [7, 7], [2, 1])
    generated = real.iloc[[0]].assign(image="a_g01.jpg", origin="full-a2", source="a.jpg", pose_of="b.jpg", draw=1)
    return pd.concat([real, generated], ignore_index=True)


def test_survives_parquet_byte_for_byte(table, tmp_path):
    samples.write(table, tmp_path / "t.parquet")
    read = samples.read(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read, table)
    samples.write(read, tmp_path / "again.parquet")
    assert (tmp_path / "t.parquet").read_bytes() == (tmp_path / "again.parquet").read_bytes()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("image", "a.jpg", "image occurs more than once"),
        ("camera", 0, "camera is below 1"),
        ("identity", -2, "identity is below -1"),
        ("draw", 0, "generated one without"),
        ("source", "c.jpg", "source is not in the table"),
        ("identity", 8, "identity differs from its source's"),
        ("camera", 2, "camera differs from its source's"),
    ],
)
def test_broken_rules_are_named(table, column, value, message):
    table.loc[2, column] = value
    with pytest.raises(ValueError, match=message):
        samples.check(table, "t")


def test_missing_column_is_named(table):
    with pytest.raises(ValueError, match=r"columns \['camera'\] are missing"):
        samples.check(table.drop(columns="camera"))


def test_labels_follow_sorted_identities():
    labels, classes = samples.class_labels(np.array([9, 2, 9, 5]))
    assert (labels.tolist(), classes) == ([2, 0, 2, 1], 3)


def test_a_damaged_table_is_named(table, tmp_path):
    samples.write(table, tmp_path / "t.parquet")
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:100])
    with pytest.raises(ValueError, match=r"t.parquet is damaged .* run `dvc checkout -f`"):
        samples.read(tmp_path / "t.parquet")
