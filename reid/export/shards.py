"""WebDataset shards: tar files in which `KEY.jpg` and `KEY.json` of an image follow each other.

See https://github.com/webdataset/webdataset for the format. KEY is the file name without its suffix; the JSON is the
image's entry in the manifest, all of its columns: what is null there is an empty text or -1 here, because readers take
the keys and types of all images from those of the first. Images are sorted by their SHA-256, an order that is as good
as random and always the same: images of one identity are spread over all shards, so that readers need only a small
shuffle buffer. Each process of a reader takes whole shards, so there are several even where one would hold all images.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from reid.datasets.folders import Finding
from reid.export.manifest import label
from reid.files.images import without_suffix

FOLDER = "shards"
IMAGES = 4096  # in a shard: some 10 MB of person crops
LEAST = 8  # shards of a split: as many processes can read it


def shards(
    manifest: pd.DataFrame, read: Callable[[str], bytes], images: int = IMAGES, least: int = LEAST
) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each shard, e.g. `shards/train-000000.tar`.

    Args:
        manifest: of the data set.
        read: returns the bytes of an image that the manifest names.
        images: in a shard, at most.
        least: shards of a split, where it has as many images; their sizes differ by one image at most.
    """
    for split, table in manifest.groupby("split", sort=False):
        ordered = table.sort_values(["sha256", "image"])
        count = max(-(-len(ordered) // images), min(least, len(ordered)))
        for number in range(count):
            start, stop = (len(ordered) * end // count for end in (number, number + 1))
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for entry in ordered.iloc[start:stop].to_dict("records"):
                    picture, text = _members(entry["image"])
                    _add(tar, picture, read(entry["image"]))
                    _add(tar, text, json.dumps(label(entry)).encode())
            yield f"{FOLDER}/{split}-{number:06d}.tar", buffer.getvalue()


def shard_faults(manifest: pd.DataFrame, files: Iterable[tuple[str, bytes]]) -> Iterator[Finding]:
    """A finding for each image or JSON in the shards that the manifest does not list, or lists with other contents.

    Files that the shards lack are one finding for each split.

    Args:
        manifest: of the data set.
        files: (name, bytes) of each shard.
    """
    missing = dict[tuple[str, str], str | dict[str, Any]]()
    for entry in manifest.to_dict("records"):
        picture, text = _members(entry["image"])
        missing[entry["split"], picture] = entry["sha256"]
        missing[entry["split"], text] = label(entry)
    for shard, data in files:
        split = PurePosixPath(shard).name.rpartition("-")[0]
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
                for member in tar:
                    file = tar.extractfile(member)
                    if file is None:
                        continue
                    if member.size > len(data):  # sparse: it takes no place in the shard, and all of the memory
                        yield Finding(True, "in a shard: larger than the shard", f"{shard}: {member.name}")
                        continue
                    expected = missing.pop((split, member.name), None)
                    if expected is None or not _is(file.read(), expected):
                        what = (
                            "not in the manifest, or twice"
                            if expected is None
                            else "other contents than the manifest says"
                        )
                        yield Finding(True, f"in a shard: {what}", f"{shard}: {member.name}")
        except (tarfile.TarError, KeyError, ValueError, OverflowError, EOFError, OSError) as error:
            yield Finding(True, "damaged shard", shard, str(error))
    for split, group in itertools.groupby(sorted(missing), key=lambda key: key[0]):
        lacking = [name for _, name in group]
        yield Finding(True, "in no shard", f"{FOLDER}/{split}-*.tar", f"{len(lacking)} files, {lacking[0]} the first")


def _is(data: bytes, expected: str | dict[str, Any]) -> bool:
    """Whether a file in a shard is the image of this SHA-256, or the JSON of this label."""
    if isinstance(expected, str):
        return hashlib.sha256(data).hexdigest() == expected
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and label({}) | found == expected  # earlier versions left out what is null


def _members(image: str) -> tuple[str, str]:
    """Names in a shard of an image and its JSON; readers take all up to the first point for the key."""
    path = PurePosixPath(image)
    key = without_suffix(path.name)
    return f"{key}{path.suffix}", f"{key}.json"


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    header = tarfile.TarInfo(name)  # with time stamp 0 and owner 0, so that equal sets give equal bytes
    header.size = len(data)
    tar.addfile(header, io.BytesIO(data))
