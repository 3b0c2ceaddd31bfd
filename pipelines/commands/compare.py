"""Draw the same test people by several generators, one below the other."""

from __future__ import annotations

from pathlib import Path

import torch

from augment import methods
from pipelines import layout
from pipelines.console import stage
from pipelines.people import places, read_pairs, tuples_of_pairs, usable_pairs
from pipelines.runtime import Threads, describe, set_up
from reid.files import samples
from reid.files.images import to_uint8
from reid.pictures.sheets import sheet


def run(names: list[str], out: Path, seed: int, device_name: str, threads: Threads, size: tuple[int, int]) -> None:
    """Write a sheet of the test pairs that are drawn during training: source, target, and each generator's image.

    Args:
        names: of trained generators.
        out: PNG to write.
        seed: of the choice of further sources, for methods that take several.
        device_name: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        size: (H, W) of the images.

    Raises:
        FileNotFoundError: a generator is not trained.
        InputError: a generator can use none of the pairs.
    """
    device = set_up(device_name, threads)
    with stage("compare", f"{', '.join(names)}, on {describe(device)}") as say:
        shown = samples.read_parquet(layout.pairs("shown"))
        trained = {name: methods.load(layout.gan(name), device) for name in names}
        for name, method in trained.items():  # keep the pairs that all generators can use
            shown = usable_pairs(method, shown, *read_pairs("gallery", shown, size, method.needs), name)
        lines: dict[str, torch.Tensor] = {}
        for name, method in trained.items():
            people, table = read_pairs("gallery", shown, size, method.needs)
            tuples = tuples_of_pairs(method, shown, people, table, seed)
            sources, targets = places(shown, table).unbind(1)
            lines |= {"source": people.images[sources], "target": people.images[targets]}
            with torch.inference_mode():
                generated = method.generate(people.to(device).batch(tuples, with_target=False))
            lines[name] = to_uint8(generated).cpu()
        pictures = [(caption, list(images.permute(0, 2, 3, 1).numpy())) for caption, images in lines.items()]
        sheet(pictures, out, height=128, title="people who are not in the training set, by generator")
        say(str(out))
