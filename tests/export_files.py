"""An augmented set of a few people, as `augment` leaves it, without a generator: images are mirrored."""

import json

import pandas as pd

from reid.datasets import DATASETS
from reid.export import manifest
from reid.export.checks import check
from reid.files import samples
from reid.files.images import Archive, encode_jpeg, generated_name, write_zip

ROOT = "market1501/Market-1501-v15.09.15"
TRAIN, QUERY, TEST = (f"{ROOT}/{name}" for name in ("bounding_box_train", "query", "bounding_box_test"))
MADE = {"row": "full-a2", "alpha": 2, "seed": 7, "generator": {"generator": "deformable"}, "weights_sha256": "ab" * 32}


def augmented_tables(original, archive, name="market1501"):
    """Sample tables of a data set whose training images have a generated one each, written to the zip `archive`."""
    tables = DATASETS[name](original).tables
    real = tables["train"]
    files = [generated_name(image, 1) for image in real["image"]]
    poses = list(real["image"].iloc[::-1])
    rows = real.assign(image=files, archive=archive.as_posix(), origin="full-a2", pose_of=poses, draw=1)
    with Archive(original) as images:
        drawn = [(file, encode_jpeg(images.image(s)[:, ::-1])) for file, s in zip(files, real["image"], strict=True)]
    write_zip(archive, drawn)
    return tables | {"train": pd.concat([real, rows], ignore_index=True)}


def write_augmented(original, root, row="full-a2"):
    """`data/samples` and `data/augmented/full-a2` below `root`, as prepare and augment leave them."""
    folder = root / "data/augmented" / row
    for split, table in augmented_tables(original, folder / "images.zip").items():
        samples.write(table, folder / "train.parquet" if split == "train" else root / f"data/samples/{split}.parquet")
    (folder / "provenance.json").write_text(json.dumps(MADE))


def found(path):
    return {(finding.fatal, finding.what, finding.where) for finding in check(path)[1]}


def first(out, below, pattern="*.jpg"):
    return sorted((out / below).glob(pattern))[0]


def rewrite(out, change):
    """Change the manifest, both forms."""
    rows = pd.read_parquet(out / manifest.PARQUET)
    changed = change(rows)
    for name, data in manifest.encode(rows if changed is None else changed).items():
        (out / name).write_bytes(data)


def at(rows, **conditions):
    """The index of the first row that is so."""
    chosen = pd.Series(True, rows.index)
    for column, value in conditions.items():
        chosen &= rows[column] == value
    return rows.index[chosen][0]
