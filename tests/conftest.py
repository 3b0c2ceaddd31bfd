"""Fixtures: a data set of a few people cut out of the embedded one."""

import json
import os
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.runtime import bound_threads
from reid.export.members import exported
from reid.files.images import write_folder

ROOT = Path(__file__).parent.parent
STREETS = ROOT / "data/raw/streets.zip"
TRAIN_PEOPLE, TEST_PEOPLE = range(1, 5), range(101, 104)
PEOPLE_OF = {"bounding_box_train": TRAIN_PEOPLE, "backgrounds": (*TRAIN_PEOPLE, *TEST_PEOPLE)}
MEMORY = 4 << 30  # bytes for a process of tests and those that it starts


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many processes as this machine has cores and memory for; more than 8 would wait for the longest file."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(len(os.sched_getaffinity(0)), memory // MEMORY, 8))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with many slow tests come first, so that processes that share the files end together."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Each test starts alike, whatever ran before it: rounding depends on the number of threads, draws on the seed."""
    bound_threads(1)
    torch.manual_seed(0)


def tiny_members() -> dict[str, bytes]:
    """Files of a Market-1501 folder with 4 training people, 3 test people, some junk and distractors."""
    members = {}
    with zipfile.ZipFile(STREETS) as archive:
        for name in sorted(archive.namelist()):
            folder, _, file = name.rpartition("/")
            if folder and int(file.split("_")[0]) in PEOPLE_OF.get(folder, TEST_PEOPLE):
                members[name] = archive.read(name)
        others = [name for name in archive.namelist() if "/-1_" in name or "/0000_" in name]
        members |= {name: archive.read(name) for name in sorted(others)[::30]}
        truth = json.loads(archive.read("truth.json"))
    truth["images"] = [record for record in truth["images"] if record["image"] in members]
    members["truth.json"] = json.dumps(truth).encode()
    return members


@pytest.fixture(scope="session")
def tiny_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "streets.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in tiny_members().items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Path:
    for name, data in tiny_members().items():
        path = tmp_path / "market" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "market"


@pytest.fixture(scope="session")
def good_export(tmp_path_factory: pytest.TempPathFactory, tiny_zip: Path) -> Path:
    """An export with shards, not to be changed."""
    from export_files import MADE, augmented_tables

    root = tmp_path_factory.mktemp("good")
    write_folder(root / "out", exported(augmented_tables(tiny_zip, root / "images.zip"), MADE, with_shards=True))
    return root / "out"


@pytest.fixture
def out(good_export: Path, tmp_path: Path) -> Path:
    """A copy of it without shards, to plant faults in."""
    shutil.copytree(good_export, tmp_path / "out", ignore=shutil.ignore_patterns("shards"))
    return tmp_path / "out"


def official(distances, query_ids, query_cameras, gallery_ids, gallery_cameras):
    """The official rule, image by image: walk down the ranking, skip junk, add up trapezoids."""
    aps, cmc = [], np.zeros(distances.shape[1])
    for q in range(len(distances)):
        same = gallery_ids == query_ids[q]
        good = same & (gallery_cameras != query_cameras[q])
        junk = (gallery_ids == -1) | (same & (gallery_cameras == query_cameras[q]))
        ap, old_recall, old_precision, hits, place = 0.0, 0.0, 1.0, 0, 0
        for g in sorted(range(distances.shape[1]), key=lambda g: (distances[q, g], g)):
            if junk[g]:
                continue
            if good[g]:
                hits += 1
                if hits == 1:
                    cmc[place:] += 1
            place += 1
            recall, precision = hits / max(good.sum(), 1), hits / place
            ap += (recall - old_recall) * (old_precision + precision) / 2
            old_recall, old_precision = recall, precision
        aps.append(ap)
    return cmc / len(distances), np.array(aps)
