"""WebDataset shards: tar files in which `KEY.jpg` and `KEY.json` of an image follow each other.

See https://github.com/webdataset/webdataset for the format. KEY is the file name without its suffix; the JSON is the
image's row of the manifest. Images are in the order of their SHA-256, which is as good as a random one and always the
same, so that a reader's shuffle buffer need not undo an order of identities.
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
IMAGES = 4096  # of a shard: some 10 MB of person crops


def shards(manifest: pd.DataFrame, read: Callable[[str], bytes], images: int = IMAGES) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each shard, e.g. `shards/train-000000.tar`.

    Args:
        manifest: of the data set.
        read: gives the bytes of an image of the manifest.
        images: of a shard, at most.
    """
    for split, table in manifest.groupby("split", sort=False):
        ordered = table.sort_values(["sha256", "image"])
        for number, start in enumerate(range(0, len(ordered), images)):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for row in ordered.iloc[start : start + images].to_dict("records"):
                    path = PurePosixPath(row["image"])
                    _add(tar, path.name, read(row["image"]))
                    _add(tar, f"{path.stem}.json", _label(row))
            yield f"{FOLDER}/{split}-{number:06d}.tar", buffer.getvalue()


def shard_faults(manifest: pd.DataFrame, files: Iterable[tuple[str, bytes]]) -> Iterator[Finding]:
    """A finding for each image or JSON that the shards have besides, or have in another form than the manifest says.

    What they lack is one finding a split.

    Args:
        manifest: of the data set.
        files: (name, bytes) of each shard.
    """
    missing = dict[tuple[str, str], str]()
    for row in manifest.to_dict("records"):
        path = PurePosixPath(row["image"])
        missing[row["split"], path.name] = row["sha256"]
        missing[row["split"], f"{path.stem}.json"] = hashlib.sha256(_label(row)).hexdigest()
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
                        what = "not in the manifest, or twice" if expected is None else "not what the manifest says"
                        yield Finding(True, f"in a shard: {what}", f"{shard}: {member.name}")
        except tarfile.TarError as error:
            yield Finding(True, "damaged shard", shard, str(error))
    for split, lacking in itertools.groupby(sorted(missing), key=lambda place: place[0]):
        files_of = [name for _, name in lacking]
        yield Finding(True, "in no shard", f"{FOLDER}/{split}-*.tar", f"{len(files_of)} files, {files_of[0]} the first")


def _label(row: Mapping[Hashable, Any]) -> bytes:
    """An image's row of the manifest as JSON, without what is null."""
    return json.dumps({str(key): value for key, value in row.items() if pd.notna(value)}).encode()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    header = tarfile.TarInfo(name)  # its time stamp is 0, its owner 0
    header.size = len(data)
    tar.addfile(header, io.BytesIO(data))
