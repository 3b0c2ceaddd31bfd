import shutil

import numpy as np
import prw_files
import pytest
import scipy.io

from reid.common.errors import InputError
from reid.datasets import DATASETS
from reid.datasets.prw import crops, read_published


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = tmp_path_factory.mktemp("small") / "PRW-v16.04.20"
    found = prw_files.annotations(0)
    prw_files.write(root, found)
    return root, found


def test_boxes_are_the_pixels_that_they_touch(small):
    root, found = small
    published = read_published(root)
    assert published.root == ""
    assert list(published.frames["frame"]) == sorted(found)
    expected = []
    for frame in sorted(found):
        for row in found[frame]:
            mask = prw_files.touched(frame, row)
            if mask.any():
                lines, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
                expected.append((frame, row[0], columns[0], lines[0], columns[-1] + 1, lines[-1] + 1))
    columns = ["frame", "identity", "left", "top", "right", "bottom"]
    assert list(published.boxes[columns].itertuples(index=False, name=None)) == expected
    assert len(expected) + len(published.findings) == sum(map(len, found.values()))


def test_splits_videos_and_cameras(small):
    published = read_published(small[0])
    for row in published.frames.itertuples():
        assert row.frame in prw_files.names("train" if row.split == "train" else "test")
        assert (row.video, row.camera) == (row.frame[:4], int(row.frame[1]))
    assert published.people == {"train": set(prw_files.TRAIN), "gallery": set(prw_files.TEST)}


def test_crops_are_the_splits_own_people_once_a_frame(small):
    root, found = small
    images, left_out = crops(read_published(root))
    expected, unknown, others, twice = set(), 0, 0, 0
    for split, people, folder in (
        ("train", prw_files.TRAIN, "bounding_box_train"),
        ("test", prw_files.TEST, "bounding_box_test"),
    ):
        for frame in prw_files.names(split):
            shown = [int(row[0]) for row in found[frame] if prw_files.touched(frame, row).any()]
            for person in shown:
                if person == -2:
                    unknown += 1
                elif person not in people:
                    others += 1
                elif shown.count(person) > 1:
                    twice += 1
                else:
                    expected.add(f"{folder}/{person:04d}_{frame}_01.jpg")
    assert set(images["image"]) == expected
    assert len(images) == len(expected)
    assert list(left_out.values()) == [unknown, others, twice]
    assert min(unknown, others, twice) > 0, "the small set has each"


def test_a_zip_with_its_folder_reads_alike(small):
    root, _ = small
    path = shutil.make_archive(str(root.with_name("prw")), "zip", root.parent, root.name)
    zipped, folder = read_published(path), read_published(root)
    assert zipped.root == "PRW-v16.04.20/"
    assert zipped.boxes.equals(folder.boxes)
    assert zipped.queries.equals(folder.queries)


def test_queries(small):
    root, _ = small
    queries = read_published(root).queries
    lines = (root / "query_info.txt").read_text().split("\n")
    assert len(queries) == sum(bool(line.strip()) for line in lines) > 5
    for row in queries.itertuples():
        assert row.image == f"query/{row.identity:04d}_{row.frame}_00.jpg"
        assert row.identity in prw_files.TEST


def test_prw_as_published_is_no_data_set_yet(small):
    with pytest.raises(
        InputError, match="is PRW as published, whole frames: run `python -m pipelines import-prw --path"
    ):
        DATASETS["prw"](small[0])


def lists(root, split, cells):
    scipy.io.savemat(root / f"frame_{split}.mat", {"x": np.array(cells, object).reshape(-1, 1)})


FRAME = "c1s1_001000"
MISTAKES = [
    (lambda root: (root / f"frames/{FRAME}.jpg").unlink(), rf"1 files are missing, e.g. frames/{FRAME}.jpg"),
    (lambda root: (root / f"annotations/{FRAME}.jpg.mat").unlink(), rf"e.g. annotations/{FRAME}.jpg.mat"),
    (lambda root: (root / f"annotations/{FRAME}.jpg.mat").write_bytes(b"x" * 300), "is not a readable MATLAB file"),
    (
        lambda root: scipy.io.savemat(root / f"annotations/{FRAME}.jpg.mat", {"boxes": np.ones((2, 5))}),
        "expected one of box_new, anno_file, anno_previous, it has boxes",
    ),
    (
        lambda root: scipy.io.savemat(root / f"annotations/{FRAME}.jpg.mat", {"box_new": np.ones((2, 4))}),
        r"expected an array \(N, 5\) of identity, x, y, width, height, got \(2, 4\)",
    ),
    (
        lambda root: lists(root, "train", ["frame 1"]),
        "frame_train.mat: expected names such as c1s1_001051, got 'frame 1'",
    ),
    (lambda root: lists(root, "test", prw_files.names("train")), "list c1s1_001000 twice"),
    (lambda root: (root / "ID_test.mat").unlink(), "cannot read ID_test.mat"),
    (
        lambda root: (root / "query_info.txt").write_text("7 1 2 3 4\n"),
        "query_info.txt:1: expected `identity x y width",
    ),
    (lambda root: (root / "query_info.txt").write_text("7 1 2 3 4 c9s9_000001\n"), "query_info.txt:1: .* listed frame"),
    (lambda root: shutil.rmtree(root / "frames"), "expected the folders frames, annotations"),
]


@pytest.mark.parametrize(("mistake", "message"), MISTAKES)
def test_mistakes_are_named(small, tmp_path, mistake, message):
    shutil.copytree(small[0], tmp_path / "prw")
    mistake(tmp_path / "prw")
    with pytest.raises((InputError, FileNotFoundError), match=message):
        read_published(tmp_path / "prw")


def test_frames_in_no_list_are_left_out(small, tmp_path):
    shutil.copytree(small[0], tmp_path / "prw")
    lists(tmp_path / "prw", "test", prw_files.names("test")[1:])
    (tmp_path / "prw/query_info.txt").write_text(f"7 1 2 3 4 {prw_files.names('test')[1]}\n")
    published = read_published(tmp_path / "prw")
    gone = prw_files.names("test")[0]
    assert gone not in set(published.frames["frame"]) | set(published.boxes["frame"])
    assert [f.where for f in published.findings if f.what.startswith("listed neither")] == [f"frames/{gone}.jpg"]
