"""Render alpha - 1 images for each training image: the rows that generators are measured against."""

from __future__ import annotations

from augment.plans import check_alpha
from augment.plans.rendering import RENDERINGS, render, seed_of
from augment.streets.body import ASSET
from pipelines import augmented, layout, resume
from pipelines.console import stage
from pipelines.runtime import bound_threads
from reid.common.errors import InputError
from reid.files import samples


def run(name: str, alpha: int, seed: int, threads: int) -> None:
    """Write `data/augmented/NAME-aALPHA/`: `images.zip`, `train.parquet`, `provenance.json`, `sheet.png`.

    Args:
        name: of RENDERINGS. `views` renders each training image's person again, so the data set must be a rendered one;
            `identities` renders new people, beside any data set.
        alpha: size of the training set as a multiple of the real one, from 2.
        seed: of new people beside a data set that is not rendered; a rendered one brings its own.
        threads: CPU threads; as many processes of one thread each render at once.

    Raises:
        InputError: alpha is too small, or the people cannot be rendered again.
    """
    check_alpha(alpha)
    bound_threads(threads)
    row, folder = layout.row_name(name, alpha), layout.augmented(name, alpha)
    with stage(f"augment {row}", f"render {alpha - 1} images for each training image") as say:
        real = samples.read(layout.samples("train"))
        known = seed_of(real)
        if known is None and name == "views":
            raise InputError(
                f"{real['archive'].iloc[0]} has no truth.json: only people of a rendered data set can be rendered "
                "again; take `views` out of `renderings` in params.yaml"
            )
        seed = seed if known is None else known
        archive = folder / "images.zip"
        rows = RENDERINGS[name](real, alpha, seed, row, archive.as_posix())
        inputs = [layout.samples("train"), ASSET]
        scratch = resume.scratch(f"augment-{row}", {"row": row, "seed": seed}, inputs, __name__)
        render(rows, seed, archive, scratch.folder, threads)
        augmented.write(real, rows, folder, {"row": row, "alpha": alpha, "seed": seed, "rendering": name}, say)
        scratch.remove()
