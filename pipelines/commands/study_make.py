"""Write the page of a study in which people say of real and generated images which they are, and its key."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from augment import methods
from pipelines import layout
from pipelines.console import stage
from pipelines.drawn import Drawn, generated_images, pixels
from pipelines.runtime import Threads, describe, set_up
from pipelines.study.choice import choose
from pipelines.study.key import digest
from pipelines.study.page import page
from reid.common import atomic
from reid.common.digests import digest as digest_of_file
from reid.common.errors import InputError
from reid.common.saved import save_json
from reid.files import samples
from reid.files.images import encode_jpeg
from reid.randomness.seeds import seed_for

POOL = 6  # pairs of which images are drawn, for each image of a kind: the chosen ones must not have images in common
LONGEST = 60  # seconds that an image is shown


class Shown(NamedTuple):
    """An image of the study."""

    origin: str  # `real` or `generated`
    source: str | None
    target: str
    data: bytes  # JPEG

    @property
    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.data).hexdigest()

    def entry(self) -> dict[str, Any]:
        """What the key says of it."""
        return {"origin": self.origin, "source": self.source, "target": self.target, "sha256": self.sha256}


def run(
    name: str,
    images: int,
    practice: int,
    seconds: float,
    choice_seed: int,
    out: Path,
    seed: int,
    device_name: str,
    threads: Threads,
    size: tuple[int, int],
) -> None:
    """Write the page, and beside it the key, `NAME.key.json`.

    Real images are targets of test pairs, generated ones are drawn of other test pairs; both are of one size and
    compressed alike, once, as images of generated training sets are.

    Args:
        name: of a trained generator.
        images: of each kind, that count.
        practice: of each kind, that are shown before with the answer, and do not count.
        seconds: that each image is shown.
        choice_seed: of the choice of images.
        out: HTML to write.
        seed: of the choice of further sources, for methods that take several.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        FileNotFoundError: the generator is not trained.
        InputError: there are too few test pairs, or a page or key of this name, which somebody may have answered, or
            the time is none that an image can be shown for.
    """
    if not 0 < seconds <= LONGEST:
        raise InputError(f"--seconds: expected more than 0 and at most {LONGEST}, got {seconds:g}")
    if out.suffix != ".html":
        raise InputError(f"{out}: expected a name that ends in .html, so that browsers open it; choose another --out")
    key = out.with_suffix(".key.json")
    device = set_up(device_name, threads)
    does = f"{images} real and {images} generated images, {practice} of each for practice, on {describe(device)}"
    with stage(f"study make {name}", does) as say, atomic.owning(out):
        for path in (out, key):
            atomic.refuse_existing(path)
        random = np.random.default_rng(seed_for(choice_seed, "study", "pairs"))
        pairs = samples.read_parquet(layout.pairs("test"))
        pool = pairs.iloc[random.permutation(len(pairs))[: POOL * (images + practice)]].reset_index(drop=True)
        drawn, scratch = generated_images(name, pool, seed, device, threads, size)
        more = "choose fewer --images" + (", or set a larger pairs.test" if len(pool) == len(pairs) else "")
        chosen = _choose(drawn, images + practice, choice_seed, more)
        tried = [one for kind in chosen for one in kind[images:]]
        tried = [tried[index] for index in random.permutation(len(tried))]
        # Their order has nothing to do with what they are, even for somebody who knows this code and the seed.
        counted = sorted((one for kind in chosen for one in kind[:images]), key=lambda one: one.sha256)
        digits = len(str(len(counted)))
        named = {f"i{number:0{digits}d}": one for number, one in enumerate(counted, 1)}
        content: dict[str, Any] = {
            "study": "",
            "generator": name,
            "weights_sha256": digest_of_file(layout.gan(name) / methods.storage.WEIGHTS),
            "data": [path.as_posix() for path in samples.archives(drawn.table)],
            "seed": choice_seed,
            "seconds": seconds,
            "practice": practice,
            "images": {image: one.entry() for image, one in named.items()},
        }
        content["study"] = digest(content)
        html = page(
            content["study"],
            [(one.origin, one.data) for one in tried],
            {image: one.data for image, one in named.items()},
            seconds,
            size,
        )
        save_json(content, key, indent=1)
        atomic.write(out, html)
        scratch.remove()
        say(f"{out}: for participants ({out.stat().st_size / 1e6:.1f} MB); {key}: keep it to yourself")


def _choose(drawn: Drawn, count: int, seed: int, remedy: str) -> tuple[list[Shown], list[Shown]]:
    """So many real and so many generated images; raises InputError where there are fewer that go together."""
    names = drawn.table["image"].to_numpy()
    source, target = (names[indices.numpy()].tolist() for indices in drawn.pairs.unbind(1))
    made_from = [frozenset(own) for own in names[drawn.made_from.numpy()].tolist()]
    real, generated = choose(target, made_from, count, seed)
    found = min(len(real), len(generated))
    if found < count:
        raise InputError(
            f"{drawn.name}: of {len(target)} test pairs that were tried {found} real and {found} generated images can "
            f"be shown, but {count} of each are wanted, practice included: {remedy}"
        )
    return (
        [Shown("real", None, target[row], encode_jpeg(pixels(drawn.target[row]))) for row in real],
        [Shown("generated", source[row], target[row], encode_jpeg(pixels(drawn.images[row]))) for row in generated],
    )
