"""WebDataset shards: tar files in which `KEY.jpg` and `KEY.json` of an image follow each other.

See https://github.com/webdataset/webdataset for the format. KEY is the file name without its suffix; the JSON is the
image's entry in the manifest. Images are sorted by their SHA-256, an order that is as good as random and always the
same: images of one identity are spread over all shards, so that readers need only a small shuffle buffer.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import tarfile
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from reid.datasets.folders import Finding

FOLDER = "shards"
IMAGES = 4096  # in a shard: some 10 MB of person crops


def shards(manifest: pd.DataFrame, read: Callable[[str], bytes], images: int = IMAGES) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each shard, e.g. `shards/train-000000.tar`.

    Args:
        manifest: of the data set.
        read: returns the bytes of an image that the manifest names.
        images: in a shard, at most.
    """
    for split, table in manifest.groupby("split", sort=False):
        ordered = table.sort_values(["sha256", "image"])
        for number, start in enumerate(range(0, len(ordered), images)):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for entry in ordered.iloc[start : start + images].to_dict("records"):
                    path = PurePosixPath(entry["image"])
                    _add(tar, path.name, read(entry["image"]))
                    _add(tar, f"{path.stem}.json", _label(entry))
            yield f"{FOLDER}/{split}-{number:06d}.tar", buffer.getvalue()


def shard_faults(manifest: pd.DataFrame, files: Iterable[tuple[str, bytes]]) -> Iterator[Finding]:
    """A finding for each image or JSON in the shards that the manifest does not list, or lists with other contents.

    Files that the shards lack are one finding for each split.

    Args:
        manifest: of the data set.
        files: (name, bytes) of each shard.
    """
    missing = dict[tuple[str, str], str]()
    for entry in manifest.to_dict("records"):
        path = PurePosixPath(entry["image"])
        missing[entry["split"], path.name] = entry["sha256"]
        missing[entry["split"], f"{path.stem}.json"] = hashlib.sha256(_label(entry)).hexdigest()
    for shard, data in files:
        split = PurePosixPath(shard).name.rpartition("-")[0]
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
                for member in tar:
                    file = tar.extractfile(member)
                    if file is None:
                        continue
                    expected = missing.pop((split, member.name), None)
                    if expected != hashlib.sha256(file.read()).hexdigest():
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


def _label(entry: Mapping[Hashable, Any]) -> bytes:
    """An image's entry in the manifest as JSON, without the values that are null."""
    return json.dumps({str(key): value for key, value in entry.items() if pd.notna(value)}).encode()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    header = tarfile.TarInfo(name)  # with time stamp 0 and owner 0, so that equal sets give equal bytes
    header.size = len(data)
    tar.addfile(header, io.BytesIO(data))
