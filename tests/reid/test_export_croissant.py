"""What croissant.json says of a set (test_export_readers.py has mlcroissant validate it and load its records)."""

import hashlib
import io
import json

import pandas as pd
import pytest
from export_files import MADE, augmented_tables

from reid.export.members import exported

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture
def tables(tiny_zip, tmp_path):
    return augmented_tables(tiny_zip, tmp_path / "images.zip")


@pytest.fixture
def members(tables):
    return dict(exported(tables, MADE))


def test_files_are_named_with_their_digests(members):
    said = json.loads(members["croissant.json"])
    files = [part for part in said["distribution"] if part["@type"] == "cr:FileObject"]
    assert len(files) == 3
    for file in files:
        assert file["sha256"] == hashlib.sha256(members[file["contentUrl"]]).hexdigest()


def test_it_says_how_the_set_was_made_and_what_for(members):
    said = json.loads(members["croissant.json"])
    assert said["prov:wasDerivedFrom"][0]["prov:label"] == "streets.zip"
    assert said["prov:wasGeneratedBy"]["@id"] == "full-a2"
    assert json.loads(said["prov:wasGeneratedBy"]["prov:value"]) == MADE
    assert "http://mlcommons.org/croissant/1.1" in said["conformsTo"]
    assert said["rai:dataUseCases"]
    assert all(line.replace("\n", " ") in members["DATASHEET.md"].decode() for line in said["rai:dataLimitations"])


def test_each_image_says_what_it_was_derived_from(members, tables):
    said = json.loads(members["croissant.json"])
    for records in said["recordSet"]:
        means = {field.get("equivalentProperty"): field for field in records["field"]}
        assert means["prov:wasDerivedFrom"]["source"]["extract"] == {"column": "derived_from"}
        assert means["prov:wasGeneratedBy"]["source"]["extract"] == {"column": "generated_by"}
        assert means["sc:digitalSourceType"]["source"]["extract"] == {"column": "digital_source_type"}
    rows = pd.read_parquet(io.BytesIO(members["manifest-train.parquet"]))
    drawn = rows["origin"] != "real"
    assert drawn.sum() == len(tables["train"]) / 2
    assert (rows.loc[drawn, "derived_from"] == rows.loc[drawn, "source"] + "|" + rows.loc[drawn, "pose_of"]).all()
    assert (rows.loc[drawn, "generated_by"] == "full-a2").all()
    assert rows.loc[~drawn, ["derived_from", "generated_by", "digital_source_type"]].isna().all(axis=None)


def test_further_sources_count_and_new_people_come_from_nowhere(tables):
    train = tables["train"]
    same = train.index[train["origin"] != "real"][:2]
    train.loc[same[0], "further_sources"] = train.loc[same[1], "source"]
    train.loc[same[1], "source"], train.loc[same[1], "pose_of"] = train.loc[same[1], "image"], None
    rows = pd.read_parquet(io.BytesIO(dict(exported(tables, MADE))["manifest-train.parquet"]))
    one, other = (rows.loc[index] for index in same)
    assert one["derived_from"] == "|".join([one["source"], one["further_sources"], one["pose_of"]])
    assert pd.isna(other["derived_from"])
    assert other["generated_by"] == "full-a2"


def test_a_pose_of_a_bank_is_nothing_that_is_there_to_derive_from(tables):
    train = tables["train"]
    drawn = train.index[train["origin"] != "real"][0]
    train.loc[drawn, "pose_of"] = "bank:x.jpg"
    rows = pd.read_parquet(io.BytesIO(dict(exported(tables, MADE))["manifest-train.parquet"]))
    assert rows.loc[drawn, "pose_of"] == "bank:x.jpg"
    assert rows.loc[drawn, "derived_from"] == rows.loc[drawn, "source"]


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (MADE, "trainedAlgorithmicMedia"),
        ({"row": "views-a2", "seed": 0, "rendering": "views"}, "algorithmicMedia"),
        ({"row": "pasted-a2", "seed": 0, "rendering": "pasted"}, "composite"),
    ],
)
def test_generated_images_are_marked_by_what_made_them(tables, made, kind):
    rows = pd.read_parquet(io.BytesIO(dict(exported(tables, made))["manifest.parquet"]))
    drawn = rows["origin"] != "real"
    assert set(rows.loc[drawn, "digital_source_type"]) == {IPTC + kind}
    assert rows.loc[~drawn, "digital_source_type"].isna().all()
