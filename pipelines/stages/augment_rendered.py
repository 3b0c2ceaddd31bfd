"""Render alpha - 1 images for each training image: the training sets that those of generators are compared with."""

from __future__ import annotations

from augment.plans import check_alpha
from augment.plans.pasting import paste
from augment.plans.rendering import RENDERINGS, render, seed_of
from augment.streets.body import ASSET
from pipelines import augmented, layout, resume
from pipelines.console import stage
from pipelines.runtime import Threads, bound_threads, processes
from reid.common.errors import InputError
from reid.files import samples


def run(name: str, alpha: int, seed: int, threads: Threads) -> None:
    """Write `data/augmented/NAME-aALPHA/`: `images.zip`, `train.parquet`, `provenance.json`, `sheet.png`.

    Args:
        name: key of RENDERINGS. `views` renders the people of the training images again, and `pasted` puts them before
            other images' backgrounds, so the data set must be a rendered one; `identities` renders new people, for any
            data set.
        alpha: size of the training set as a multiple of the real one, from 2.
        seed: of backgrounds, and of new people where the data set is not a rendered one; else that of the data set is
            used.
        threads: CPU threads; as many processes of one thread each render at once.

    Raises:
        InputError: alpha is too small, or the people cannot be rendered again.
    """
    check_alpha(alpha)
    count = processes(threads)
    bound_threads(count)
    row, folder = layout.row_name(name, alpha), layout.augmented(name, alpha)
    with (
        stage(f"augment {row}", f"render {alpha - 1} images for each training image") as say,
        augmented.replacing(folder) as made,
    ):
        real = samples.read(layout.samples("train"))
        rendered_from = seed_of(real)
        if rendered_from is None and name != "identities":
            raise InputError(
                f"{real['archive'].iloc[0]} has no truth.json: only people of a rendered data set can be rendered "
                f"again, or pasted; take `{name}` out of `renderings` in params.yaml"
            )
        seed = seed if rendered_from is None or name == "pasted" else rendered_from
        archive = made / augmented.IMAGES
        new = RENDERINGS[name](real, alpha, seed, row, archive.as_posix())
        inputs = [layout.samples("train"), ASSET]
        scratch = resume.scratch(f"augment-{row}", {"row": row, "seed": seed}, inputs, __name__)
        if name == "pasted":
            paste(new, real, seed, archive)
        else:
            render(new, seed, archive, scratch.folder, count)
        augmented.write(real, new, made, folder, {"row": row, "alpha": alpha, "seed": seed, "rendering": name}, say)
    scratch.remove()
