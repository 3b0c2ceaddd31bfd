"""`check` passes on what `export` writes, and names what is wrong with files and names."""

import shutil
import warnings
import zipfile
from pathlib import Path

import pytest
from export_files import QUERY, ROOT, TEST, TRAIN, first, found, rewrite
from PIL import Image

from reid.common.errors import InputError
from reid.export.checks import check
from reid.files.images import Archive, write_zip


def test_a_good_export_has_no_findings(good_export, tmp_path):
    files, findings = check(good_export)
    assert findings == []
    assert files["sha256"].notna().all()
    assert (files["split"] == "train").sum() == 2 * files["image"].str.contains("_g01_").sum()
    with Archive(good_export) as archive:
        members = {name: archive.read(name) for name in archive.names()}
    write_zip(tmp_path / "out.zip", members.items())
    write_zip(tmp_path / "deep.zip", {f"some/folder/{name}": data for name, data in members.items()}.items())
    assert check(tmp_path / "out.zip")[1] == check(tmp_path / "deep.zip")[1] == []


def test_links_for_flat_readers_are_no_second_copy(out):
    for folder in (out / ROOT).iterdir():
        (out / "market1501" / folder.name).symlink_to(folder)
    assert len(list((out / "market1501/query").glob("*.jpg"))) == 10
    assert check(out)[1] == []


def test_an_original_set_has_no_findings(tiny_zip):
    assert check(tiny_zip)[1] == []


# Each plants one fault and returns what must be found: kind, and the file at fault.


def a_name_that_cannot_be_read(out):
    path = first(out, TRAIN)
    path.rename(path.with_name("synth_0001.jpg"))
    rewrite(out, lambda rows: rows[~rows["image"].str.endswith(path.name)])
    return "file name does not say identity and camera", f"{TRAIN}/synth_0001.jpg"


def a_camera_of_two_digits(out):
    path = first(out, TRAIN)
    path.rename(path.with_name("0001_c12s1_000451_03.jpg"))
    return "file name that other libraries would misread", f"{TRAIN}/0001_c12s1_000451_03.jpg"


def a_truncated_image(out):
    path = first(out, TRAIN)
    path.write_bytes(path.read_bytes()[:-200])
    return "unreadable image", f"{TRAIN}/{path.name}"


def an_empty_image(out):
    first(out, TRAIN, "*_g01_*.jpg").write_bytes(b"")
    return "unreadable image", f"{TRAIN}/{first(out, TRAIN, '*_g01_*.jpg').name}"


def a_test_identity_in_train(out):
    path = first(out, QUERY)
    shutil.copyfile(first(out, TRAIN), out / TRAIN / path.name.replace("_00.jpg", "_09.jpg"))
    return "identity in train and in query", f"{QUERY}/{path.name}"


def the_same_file_in_train_and_test(out):
    path = first(out, TEST, "0101*")
    shutil.copyfile(path, first(out, TRAIN))
    return "the same file in train and in gallery", f"{TEST}/{path.name}"


def the_same_file_under_two_identities(out):
    path = first(out, TRAIN)
    other = first(out, TRAIN, "0002*")
    shutil.copyfile(path, other)
    return "the same file as an image of another identity, in train", f"{TRAIN}/{other.name}"


def a_folder_named_like_an_image(out):
    (out / TRAIN / "0001_c1s1_088888_00.jpg").mkdir()
    return "named like an image, but not a file", f"{TRAIN}/0001_c1s1_088888_00.jpg"


def a_link_to_nowhere(out):
    (out / QUERY / "0101_c1s1_088888_00.jpg").symlink_to("nowhere.jpg")
    return "named like an image, but not a file", f"{QUERY}/0101_c1s1_088888_00.jpg"


def an_image_of_too_many_pixels(out):
    Image.new("L", (20_000, 15_000)).save(first(out, TRAIN))
    return "unreadable image", f"{TRAIN}/{first(out, TRAIN).name}"


def a_distractor_in_train(out):
    path = first(out, TEST, "0000_*")
    path.rename(out / TRAIN / path.name)
    return "distractor (identity 0) in train", f"{TRAIN}/{path.name}"


def one_name_with_two_suffixes(out):
    path = first(out, TRAIN)
    shutil.copyfile(path, path.with_suffix(".png"))
    return "same name as another image but for the suffix", f"{TRAIN}/{path.with_suffix('.png').name}"


def no_queries(out):
    shutil.rmtree(out / QUERY)
    (out / QUERY).mkdir()
    (out / QUERY / "notes.txt").write_bytes(b"x")
    return "no images", "query"


FATAL = [
    a_name_that_cannot_be_read, a_truncated_image, an_empty_image, a_test_identity_in_train,
    the_same_file_in_train_and_test, the_same_file_under_two_identities, a_folder_named_like_an_image,
    a_link_to_nowhere, an_image_of_too_many_pixels, a_distractor_in_train, one_name_with_two_suffixes, no_queries,
]  # fmt: skip


@pytest.mark.parametrize("plant", FATAL, ids=lambda plant: plant.__name__)
def test_a_fatal_fault_is_found_with_its_file(out, plant):
    what, where = plant(out)
    findings = found(out)
    assert any(f[0] and f[1].startswith(what) and f[2] == where for f in findings), findings


def a_png(out):
    path = first(out, TEST, "0000*")
    path.rename(path.with_suffix(".png"))
    return "does not end in .jpg", f"{TEST}/{path.with_suffix('.png').name}"


def an_image_in_a_subfolder(out):
    path = first(out, TEST, "0000*")
    (out / TEST / "more").mkdir()
    path.rename(out / TEST / "more" / path.name)
    return "in a subfolder", f"{TEST}/more/{path.name}"


def a_name_twice(out):
    path = first(out, TEST, "0000*")
    (out / TEST / "more").mkdir()
    shutil.copyfile(path, out / TEST / "more" / path.name)
    return "file name occurs more than once", f"{TEST}/more/{path.name}"


def an_identity_that_libraries_stop_at(out):
    shutil.copyfile(first(out, TRAIN), out / TRAIN / "1502_c1s1_000001_01.jpg")
    return "identity above 1501", f"{TRAIN}/1502_c1s1_000001_01.jpg"


def a_camera_that_libraries_stop_at(out):
    shutil.copyfile(first(out, TRAIN), out / TRAIN / "0001_c7s1_000001_01.jpg")
    return "camera above 6", f"{TRAIN}/0001_c7s1_000001_01.jpg"


def a_query_without_a_match(out):
    shutil.copyfile(first(out, QUERY), out / QUERY / "0900_c1s1_000001_01.jpg")
    return "query without a gallery image in another camera", f"{QUERY}/0900_c1s1_000001_01.jpg"


def a_file_that_is_no_image(out):
    (out / TRAIN / "notes.txt").write_bytes(b"x")
    return "not an image, left out", f"{TRAIN}/notes.txt"


def a_file_that_a_system_left(out):
    (out / TRAIN / "._0001_c1s1_000151_00.jpg").write_bytes(b"x")
    return "left behind by a system", f"{TRAIN}/._0001_c1s1_000151_00.jpg"


WARNINGS = [a_file_that_a_system_left, 
    a_png, an_image_in_a_subfolder, a_name_twice, an_identity_that_libraries_stop_at,
    a_camera_that_libraries_stop_at, a_query_without_a_match, a_file_that_is_no_image,
]  # fmt: skip


@pytest.mark.parametrize("plant", WARNINGS, ids=lambda plant: plant.__name__)
def test_what_is_only_odd_is_a_warning(out, plant):
    what, where = plant(out)
    findings = found(out)
    assert any(not f[0] and f[1].startswith(what) and f[2] == where for f in findings), findings


def test_a_folder_named_like_an_image(out, tmp_path):
    out.rename(tmp_path / "exp2_c1")
    (finding,) = check(tmp_path / "exp2_c1")[1][:1]
    assert (finding.fatal, finding.what) == (True, "folder is named like an image")
    assert finding.where == f"{tmp_path}/exp2_c1/{TEST}"
    assert "take 2_c1 in it for the label of every image" in finding.detail
    write_zip(
        tmp_path / "a.zip", [(f"a2_c1/{p.relative_to(tmp_path)}", p.read_bytes()) for p in tmp_path.rglob("*.jpg")]
    )
    assert (True, "folder is named like an image", f"a2_c1/exp2_c1/{QUERY}") in found(tmp_path / "a.zip")


def test_a_name_twice_in_a_zip(good_export, tmp_path):
    with Archive(good_export) as archive:
        names = [name for name in archive.names() if not name.startswith("shards/")]
    twice = next(name for name in names if name.startswith(QUERY))
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the name
        for name in [*names, twice]:
            archive.writestr(name, (good_export / name).read_bytes())
    assert found(tmp_path / "out.zip") == {(True, "name occurs more than once in the zip", twice)}


def test_several_data_sets_are_checked_one_by_one(good_export, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(good_export, tmp_path / name)
    with pytest.raises(InputError, match=rf"holds 2 data sets: check a/{ROOT}/, b/{ROOT}/ one by one"):
        check(tmp_path)


def test_a_member_that_leads_out_of_the_folder(good_export, tmp_path):
    with Archive(good_export) as archive:
        members = {name: archive.read(name) for name in archive.names()}
    write_zip(tmp_path / "out.zip", [*members.items(), ("../../harm.txt", b"x")])
    (finding,) = check(tmp_path / "out.zip")[1]
    assert (finding.fatal, finding.where) == (True, "../../harm.txt")
    assert "leads out of the folder" in finding.what


def test_a_split_that_is_not_there_is_named(out):
    shutil.rmtree(out / QUERY)
    with pytest.raises(FileNotFoundError, match=rf"found no files that can be read in {ROOT}/query; unpack"):
        check(out)


def test_what_is_no_data_set(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(FileNotFoundError, match=r"expected the folders bounding_box_train, query, bounding_box_test"):
        check(tmp_path)
    with pytest.raises(InputError, match=r"notes.txt is neither a folder nor a readable zip"):
        check(tmp_path / "notes.txt")
    with pytest.raises(FileNotFoundError, match="none does not exist"):
        check(Path("none"))
