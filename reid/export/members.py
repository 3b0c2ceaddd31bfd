"""The files of an exported data set: its original test images, and real and generated training images together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from reid.common.errors import InputError
from reid.common.progress import progress
from reid.datasets.folders import SPLITS
from reid.export import hugging_face, manifest
from reid.export.croissant import CROISSANT, croissant
from reid.export.datasheet import datasheet, labelled
from reid.export.layout import FOLDER_OF, GENERATED, ROOTS, naming, numbered
from reid.export.shards import shards
from reid.files.images import Archive, decode
from reid.files.samples import REAL, is_of_bank, join_names, split_names

DATASHEET = "DATASHEET.md"
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def exported(
    tables: Mapping[str, pd.DataFrame],
    made: dict[str, Any],
    layout: str = "nested",
    with_shards: bool = False,
    with_parquet: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each file: the images byte for byte, the manifest, the datasheet, and what other readers need.

    That is `README.md`, `croissant.json` and a table of labels for each split.

    Args:
        tables: sample table of each of SPLITS; that of `train` has the generated images too, and where they were judged
            the columns `reid.export.manifest.JUDGED`.
        made: how they were generated: `row`, `seed`, `weights_sha256` (absent where no network drew them), `published`
            (the day, where it is known), and further settings for the datasheet.
        layout: one of LAYOUTS.
        with_shards: whether to add the images as WebDataset shards too.
        with_parquet: whether to add Parquet files with the images in them, and to have the card name these.

    Raises:
        InputError: images are not named as in Market-1501 or DukeMTMC-reID, two would have one name, or one cannot be
            decoded.
    """
    table = pd.concat([tables[split].assign(split=split) for split in SPLITS], ignore_index=True)
    style = naming(table["image"])
    root = ROOTS[style][layout]
    places = _places(table, root)
    with ExitStack() as stack:
        archives = {path: stack.enter_context(Archive(path)) for path in sorted(table["archive"].unique())}
        where = dict(zip(places, zip(table["archive"], table["image"], strict=True), strict=True))

        def read(place: str) -> bytes:
            archive, image = where[place]
            return archives[archive].read(image)

        sums = []
        for place in progress(list(places), f"export {len(places)} images", "image"):
            data = read(place)
            decode(data, str(where[place]))  # readers of other libraries hang or stop on a broken image
            sums.append(hashlib.sha256(data).hexdigest())
            yield place, data
        entries = _manifest(table, places, sums, made)
        yield from manifest.encode(entries).items()
        sources = sorted(tables["query"]["archive"].unique())
        yield DATASHEET, datasheet(entries, made, style, root, sources).encode()
        yield hugging_face.CARD, hugging_face.card(made["row"], root, with_parquet, labelled(entries))
        labels = dict(hugging_face.label_tables(entries))
        yield from labels.items()
        yield CROISSANT, croissant(entries, made, root, sources, labels)
        if with_parquet:
            yield from hugging_face.image_tables(entries, read)
        if with_shards:
            yield from shards(entries, read)


def _places(table: pd.DataFrame, root: str) -> pd.Series[str]:
    """The name of each image in the exported set; raises InputError where two images would have one name.

    Generated images that are named after a source get their numbers, from 1, in the order of the table.
    """
    folders = table["split"].map(FOLDER_OF)
    names = table["image"].map(lambda image: PurePosixPath(image).name)
    generated = (table["origin"] != REAL) & names.map(lambda name: GENERATED.fullmatch(name) is not None)
    names[generated] = [numbered(name, number) for number, name in enumerate(names[generated], 1)]
    places = root + "/" + folders + "/" + names
    twice = places[places.duplicated(keep=False)]
    if len(twice):
        images = ", ".join(table.loc[twice.index, "image"][:2])
        raise InputError(f"two images would become {twice.iloc[0]}: {images}; rename one of them in the data set")
    return places


def _source_type(made: dict[str, Any]) -> str:
    """What made the generated images, a term of IPTC's vocabulary: a trained network, pasting, or a renderer."""
    if "weights_sha256" in made:
        return f"{SOURCE_TYPES}trainedAlgorithmicMedia"
    return f"{SOURCE_TYPES}{'composite' if made.get('rendering') == 'pasted' else 'algorithmicMedia'}"


def _manifest(table: pd.DataFrame, places: pd.Series[str], sums: list[str], made: dict[str, Any]) -> pd.DataFrame:
    new = dict(zip(table["image"], places, strict=True))
    source = table["source"].map(new)
    pose_of = table["pose_of"].map(lambda name: new.get(name, name if is_of_bank(name) else None))
    further = [join_names(new[name] for name in split_names(joined)) for joined in table["further_sources"]]
    entries = table.assign(image=places, source=source, further_sources=further, pose_of=pose_of, sha256=sums)
    generated = table["origin"] != REAL
    entries["seed"] = pd.Series([made["seed"] if drawn else None for drawn in generated], dtype="Int64")
    entries["weights_sha256"] = [made.get("weights_sha256") if drawn else None for drawn in generated]
    entries["digital_source_type"] = [_source_type(made) if drawn else None for drawn in generated]
    return manifest.typed(entries.assign(**{column: None for column in manifest.OPTIONAL if column not in entries}))
