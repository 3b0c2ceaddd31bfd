"""Write an augmented data set in the form that other Re-ID code reads."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from pipelines import layout
from pipelines.console import stage
from reid.common.checkpoints import load_json
from reid.common.errors import InputError
from reid.datasets import SPLITS
from reid.export import folder
from reid.export.layout import trap
from reid.export.members import exported
from reid.files import samples
from reid.files.images import write_zip


def run(name: str, alpha: int, out: Path, form: str, shards: bool) -> None:
    """Write `data/augmented/NAME-aALPHA` and the test set to `out`, a folder or a `.zip`.

    Args:
        name: of a generator or rendering.
        alpha: size of the training set as a multiple of the real one.
        out: must not exist, or be an empty folder; appears when it is whole.
        form: of `reid.export.layout.LAYOUTS`.
        shards: whether to add WebDataset shards.

    Raises:
        FileNotFoundError: there is no such augmented set; the message lists those there are.
        InputError: see `reid.export.members.exported` and `reid.export.folder.write`; or other libraries would read
            identities from the name of a folder above.
    """
    row, augmented = layout.row_name(name, alpha), layout.augmented(name, alpha)
    with stage(f"export {row}", f"{form}{', shards' if shards else ''}: {out}") as say:
        folder.refuse_existing(out)
        to_zip = out.suffix.lower() == ".zip"
        found = None if to_zip else trap(PurePosixPath(out.resolve()))
        if found:
            raise InputError(
                f"{out.resolve()} has {found} in it, which torchreid and others would take for the identity and camera "
                "of every image: choose another --out"
            )
        if not augmented.exists():
            there = ", ".join(sorted(one.name for one in layout.AUGMENTED.glob("*"))) or "none"
            raise FileNotFoundError(
                f"{augmented} does not exist; augmented sets that there are: {there}; `dvc repro` makes those that "
                "params.yaml names"
            )
        tables = {"train": samples.read(augmented / "train.parquet")}
        tables |= {split: samples.read(layout.samples(split)) for split in SPLITS if split != "train"}
        provenance, again = augmented / layout.PROVENANCE, f"run `dvc repro`, or make {augmented} again"
        if not provenance.exists():
            raise FileNotFoundError(f"{provenance} does not exist, which says how the images were made: {again}")
        made = load_json(provenance, ("row", "alpha", "seed"), again)
        members = exported(tables, made, form, shards)
        (write_zip if to_zip else folder.write)(out, members)
        generated = int((tables["train"]["origin"] != samples.REAL).sum())
        total = sum(len(table) for table in tables.values())
        say(f"{total:,} images, {generated:,} of them generated: {out}")
