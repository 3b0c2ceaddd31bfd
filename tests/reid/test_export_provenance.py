"""`check` finds what a manifest and its files, or the names of generated images, say of a fault."""

import hashlib
import io
import json
import re
import shutil
import tarfile
import zipfile

import pandas as pd
import pytest
from export_files import QUERY, TEST, TRAIN, at, first, found, rewrite

from reid.export import manifest

# Each plants one fault and returns what must be found: kind, and the file at fault.


def an_image_generated_from_a_test_person(out):
    query = f"{QUERY}/{first(out, QUERY).name}"

    def change(rows):
        rows.loc[at(rows, origin="full-a2"), "source"] = query

    rewrite(out, change)
    return "generated from an image of query", f"{TRAIN}/{first(out, TRAIN, '*_g01_*.jpg').name}"


def further_source(out, folder, pattern="*.jpg"):
    """Plants a second source; the generated image and the second source."""
    name = f"{folder}/{sorted((out / folder).glob(pattern))[-1].name}"

    def change(rows):
        rows.loc[at(rows, origin="full-a2"), "further_sources"] = name

    rewrite(out, change)
    return f"{TRAIN}/{first(out, TRAIN, '*_g01_*.jpg').name}"


def a_further_source_that_is_a_test_person(out):
    return "generated from an image of gallery", further_source(out, TEST)


def a_further_source_of_somebody_else(out):
    return "identity differs from a further source's", further_source(out, TRAIN)


def a_further_source_that_is_not_there(out):
    def change(rows):
        rows.loc[at(rows, origin="full-a2"), "further_sources"] = "nowhere.jpg"

    rewrite(out, change)
    return "a further source is not in the manifest", f"{TRAIN}/{first(out, TRAIN, '*_g01_*.jpg').name}"


def a_pose_of_a_test_person(out):
    gallery = f"{TEST}/{first(out, TEST).name}"

    def change(rows):
        rows.loc[at(rows, origin="full-a2"), "pose_of"] = gallery

    rewrite(out, change)
    return "generated in the pose of an image of gallery", f"{TRAIN}/{first(out, TRAIN, '*_g01_*.jpg').name}"


def an_entry_without_a_file(out):
    path = first(out, TRAIN, "*_g01_*.jpg")
    path.unlink()
    return "in the manifest, but the file is missing", f"{TRAIN}/{path.name}"


def a_file_without_an_entry(out):
    path = first(out, TRAIN)
    shutil.copyfile(path, path.with_name(path.name.replace(".jpg", "_g02.jpg")))
    return "not in the manifest", f"{TRAIN}/{path.name.replace('.jpg', '_g02.jpg')}"


def two_entries_of_a_file(out):
    rewrite(out, lambda rows: pd.concat([rows, rows.iloc[:1]], ignore_index=True))
    return "listed more than once in the manifest", f"{TRAIN}/{first(out, TRAIN).name}"


def another_file_than_was_exported(out):
    one, other = sorted((out / TRAIN).glob("*_g01_*.jpg"))[:2]
    shutil.copyfile(other, one)
    return "sha256 differs from the manifest's", f"{TRAIN}/{one.name}"


def another_identity_in_the_manifest(out):
    def change(rows):
        rows.loc[at(rows, split="query"), "identity"] += 1

    rewrite(out, change)
    return "identity differs from the manifest's", f"{QUERY}/{first(out, QUERY).name}"


def another_camera_in_the_manifest(out):
    def change(rows):
        rows.loc[at(rows, split="query"), "camera"] = 7

    rewrite(out, change)
    return "camera differs from the manifest's", f"{QUERY}/{first(out, QUERY).name}"


def another_split_in_the_manifest(out):
    def change(rows):
        rows.loc[at(rows, split="query"), "split"] = "gallery"

    rewrite(out, change)
    return "split differs from the manifest's", f"{QUERY}/{first(out, QUERY).name}"


def a_generated_image_of_another_identity(out):
    return generated_anew(out, lambda name: "0002" + name[4:], "identity differs from its source's")


def a_generated_image_in_another_camera(out):
    return generated_anew(out, lambda name: name[:6] + "1" + name[7:], "camera differs from its source's")


def generated_anew(out, rename, what):
    """A generated image under another label, with a manifest that knows it."""
    path = first(out, TRAIN, "0001_c[2-6]*_g01_*.jpg")
    new = path.with_name(rename(path.name))
    path.rename(new)

    def change(rows):
        index = at(rows, image=f"{TRAIN}/{path.name}")
        rows.loc[index, "image"] = f"{TRAIN}/{new.name}"
        rows.loc[index, "identity"], rows.loc[index, "camera"] = int(new.name[:4]), int(new.name[6])

    rewrite(out, change)
    return what, f"{TRAIN}/{new.name}"


def a_generated_image_whose_source_is_gone(out):
    path = first(out, TRAIN)
    path.unlink()
    rewrite(out, lambda rows: rows[rows["image"] != f"{TRAIN}/{path.name}"])
    return "its source is not in the manifest", f"{TRAIN}/{path.stem}_g01_000001.jpg"


def a_generated_image_among_the_queries(out):
    path = first(out, QUERY)
    name = path.name.replace(".jpg", "_g01.jpg")
    shutil.copyfile(first(out, TRAIN, "*_g01_*.jpg"), path.with_name(name))

    def change(rows):
        query = rows.loc[[at(rows, split="query")]]
        drawn = query.assign(image=f"{QUERY}/{name}", origin="full-a2", draw=1)
        digest = hashlib.sha256((out / QUERY / name).read_bytes()).hexdigest()
        return pd.concat([rows, drawn.assign(sha256=digest)], ignore_index=True)

    rewrite(out, change)
    return "generated image in query", f"{QUERY}/{name}"


def a_generated_image_that_is_said_to_be_real(out):
    def change(rows):
        index = at(rows, origin="full-a2")
        rows.loc[index, "origin"] = "real"

    rewrite(out, change)
    return "named like a generated image, real in the manifest", f"{TRAIN}/{first(out, TRAIN, '*_g01_*.jpg').name}"


def a_damaged_manifest(out):
    (out / manifest.PARQUET).write_bytes(b"PAR1")
    return "damaged manifest", manifest.PARQUET


def a_manifest_without_a_column(out):
    rewrite(out, lambda rows: rows.drop(columns="source"))
    return "damaged manifest", manifest.CSV


def two_manifests_that_differ(out):
    path = out / manifest.CSV
    path.write_text(path.read_text().replace(",7,", ",8,"))
    return "differs from manifest.parquet", manifest.CSV


FAULTS = [
    an_image_generated_from_a_test_person,
    a_further_source_that_is_a_test_person,
    a_further_source_of_somebody_else,
    a_further_source_that_is_not_there,
    a_pose_of_a_test_person,
    an_entry_without_a_file,
    a_file_without_an_entry,
    two_entries_of_a_file,
    another_file_than_was_exported,
    another_identity_in_the_manifest,
    another_camera_in_the_manifest,
    another_split_in_the_manifest,
    a_generated_image_of_another_identity,
    a_generated_image_in_another_camera,
    a_generated_image_whose_source_is_gone,
    a_generated_image_among_the_queries,
    a_generated_image_that_is_said_to_be_real,
    a_damaged_manifest,
    a_manifest_without_a_column,
    two_manifests_that_differ,
]


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_fault_is_found_with_its_file(out, plant):
    what, where = plant(out)
    findings = found(out)
    assert any(f[0] and f[1].startswith(what) and f[2] == where for f in findings), findings


def test_without_a_manifest_names_tell_what_they_can(out):
    assert found(out) == set()
    for name in (manifest.PARQUET, manifest.CSV):
        (out / name).unlink()
    lone = first(out, TRAIN, "0004*_g01_*.jpg")
    lone.with_name(f"{lone.name.partition('_g')[0]}.jpg").unlink()
    query, test = first(out, QUERY), first(out, TEST, "0103*")
    shutil.copyfile(lone, query.with_name(query.name.replace(".jpg", "_g01.jpg")))
    shutil.copyfile(lone, out / TRAIN / test.name.replace(".jpg", "_g01.jpg"))
    findings = found(out)
    assert (False, "its source is not in the set", f"{TRAIN}/{lone.name}") in findings
    assert (True, "generated image in query", f"{QUERY}/{query.name.replace('.jpg', '_g01.jpg')}") in findings
    leak = f"{TRAIN}/{test.name.replace('.jpg', '_g01.jpg')}"
    assert (True, "generated from an image of gallery", leak) in findings
    assert (False, "missing: how images were generated is not known", manifest.PARQUET) in findings


def test_sets_of_earlier_versions_whose_generated_images_have_no_numbers_are_still_checked(out):
    for path in (out / TRAIN).glob("*_g01_*.jpg"):
        path.rename(path.with_name(f"{path.stem.rpartition('_')[0]}.jpg"))
    rewrite(out, lambda rows: rows.assign(image=rows["image"].str.replace(r"_g01_\d+", "_g01", regex=True)))
    for table in out.glob("manifest-*.parquet"):
        table.unlink()
    assert found(out) == set()
    for name in (manifest.PARQUET, manifest.CSV):
        (out / name).unlink()
    assert found(out) == {(False, "missing: how images were generated is not known", manifest.PARQUET)}


def test_shards_are_compared_with_the_manifest(good_export, tmp_path):
    shutil.copytree(good_export, tmp_path / "out")
    shard = tmp_path / "out/shards/query-000000.tar"
    data = shard.read_bytes()
    shard.write_bytes(data[:700] + bytes([data[700] ^ 1]) + data[701:])
    assert [f[1] for f in found(tmp_path / "out")] == ["in a shard: other contents than the manifest says"]
    shard.write_bytes(b"x" * 2000)
    assert {f[1] for f in found(tmp_path / "out")} == {"damaged shard", "in no shard"}
    shutil.copyfile(tmp_path / "out/shards/train-000000.tar", shard)
    assert {f[1] for f in found(tmp_path / "out")} == {
        "in a shard: not in the manifest, or twice", "in no shard"
    }  # fmt: skip


def test_labels_in_shards_are_compared_with_the_manifest(good_export, tmp_path):
    shutil.copytree(good_export, tmp_path / "out")
    shard = tmp_path / "out/shards/query-000000.tar"
    data = shard.read_bytes()
    assert b'"identity": 10' in data
    shard.write_bytes(data.replace(b'"identity": 10', b'"identity": 90', 1))
    ((fatal, what, where),) = found(tmp_path / "out")
    assert (fatal, what) == (True, "in a shard: other contents than the manifest says")
    assert re.fullmatch(r"shards/query-000000\.tar: 010\d_.*\.json", where)
    shard.write_bytes(data.replace(b'{"image"', b'["image"', 1))
    assert {f[1] for f in found(tmp_path / "out")} == {"in a shard: other contents than the manifest says"}
    shard.unlink()
    assert found(tmp_path / "out") == {(True, "in no shard", "shards/query-*.tar")}


def test_shards_of_earlier_versions_whose_labels_leave_out_what_is_null_are_still_checked(good_export, tmp_path):
    shutil.copytree(good_export, tmp_path / "out")
    for shard in (tmp_path / "out/shards").iterdir():
        members = []
        with tarfile.open(shard) as old:
            for member in old:
                data = old.extractfile(member).read()
                if member.name.endswith(".json"):
                    known = {key: value for key, value in json.loads(data).items() if value not in ("", -1)}
                    data = json.dumps(known).encode()
                members.append((member.name, data))
        with tarfile.open(shard, "w") as new:
            for name, data in members:
                header = tarfile.TarInfo(name)
                header.size = len(data)
                new.addfile(header, io.BytesIO(data))
    assert found(tmp_path / "out") == set()


def test_a_sparse_image_in_a_shard_is_not_read(good_export, tmp_path):
    """A terabyte of zeros in a shard of two kilobytes, under the name of an image that belongs there."""
    shutil.copytree(good_export, tmp_path / "out")
    shard = tmp_path / "out/shards/query-000000.tar"
    with tarfile.open(shard) as tar:
        name = tar.getnames()[0]
    header = tarfile.TarInfo(name)
    header.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(1 << 40)}
    with tarfile.open(shard, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(header)
    assert (True, "in a shard: larger than the shard", f"shards/query-000000.tar: {name}") in found(tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_a_shard_leads_nowhere(good_export, tmp_path, kind):
    shutil.copytree(good_export, tmp_path / "out")
    shard = tmp_path / "out/shards/query-000000.tar"
    header = tarfile.TarInfo("a.jpg")
    header.type, header.linkname = kind, "/etc/passwd"
    with tarfile.open(shard, "a") as tar:
        tar.addfile(header)
    ((fatal, what, _),) = found(tmp_path / "out")
    assert (fatal, what) == (True, "damaged shard")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_zips_of_other_compressions_are_read_and_damage_in_them_told(good_export, tmp_path, method):
    with zipfile.ZipFile(tmp_path / "out.zip", "w", method) as archive:
        for file in sorted(good_export.rglob("*")):
            archive.write(file, file.relative_to(good_export))
    assert found(tmp_path / "out.zip") == set()
    data = bytearray((tmp_path / "out.zip").read_bytes())
    for place in range(2000, len(data) // 2, 97):
        data[place] ^= 255
    (tmp_path / "out.zip").write_bytes(data)
    assert any(fatal for fatal, _, _ in found(tmp_path / "out.zip"))
