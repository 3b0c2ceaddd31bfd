"""How robust a generator is to errors of the pose estimator: noise on the sources' poses at test time (Fig. 11)."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from augment import methods
from augment.data.people import People
from augment.generation import generate_images
from augment.poses import Pose
from augment.poses.noise import with_noise
from augment.scores.classifiers import judge
from augment.scores.inception import SPLITS, inception_score
from augment.scores.masks import masked
from pipelines import layout
from pipelines.console import stage
from pipelines.params import ScoresParams
from pipelines.people import read_pairs, tuples_of_pairs, usable_pairs
from pipelines.report import figures
from pipelines.runtime import Threads, describe, set_up
from pipelines.scoring import find_scratch, load_classifier, masks, mean_ssim
from reid.common import atomic
from reid.files import samples

SIGMAS = (0, 5, 10, 15, 20, 25)  # pixels; Fig. 11


def run(name: str, scores: ScoresParams, seed: int, device_name: str, threads: Threads, size: tuple[int, int]) -> None:
    """Write `data/gan_scores/NAME-noise.tsv` (sigma, mask_ssim, mask_is, mask_is_std) and a figure of it.

    Without the classifier's weights the last two columns are missing.
    """
    device = set_up(device_name, threads)
    out = layout.gan_noise(name)
    does = f"noise of {', '.join(map(str, SIGMAS))} pixels on the sources' arms and legs"
    with stage(f"score-noise {name}", f"{does}, on {describe(device)}") as say, atomic.owning(out):
        method = methods.load(layout.gan(name), device, size)
        chosen = samples.read_parquet(layout.pairs("test")).head(scores.pairs)
        people, table = read_pairs("gallery", chosen, size, method.needs)
        kept = usable_pairs(method, chosen, people, table, name)
        tuples = tuples_of_pairs(method, kept, people, table, seed)
        target, mask = people.images[tuples.targets], masks(people.poses[tuples.targets], size)
        notes = list[str]()
        classifier = load_classifier(scores.classifier, device, "mask-IS", notes)
        if classifier and len(kept) < SPLITS:
            notes.append(f"No mask-IS: it takes {SPLITS} pairs, there are {len(kept)}")
            classifier = None

        lines, scratches = [], []
        for sigma in SIGMAS:
            settings = {"sigma": sigma, "seed": seed, "size": size, "threads": threads}
            work = f"noise-{name}-{sigma}"
            scratches.append(find_scratch(work, name, method, chosen, table, settings, device, __name__))
            noisy = with_noise(people.poses, sigma, list(table["image"]), seed)
            # All N images twice: first with noisy poses, for the sources, then with exact ones, for the targets.
            backgrounds = None if people.backgrounds is None else people.backgrounds.repeat(2, 1, 1, 1)
            doubled = People(people.images.repeat(2, 1, 1, 1), _joined(noisy, people.poses), backgrounds)
            from_noisy = tuples._replace(targets=tuples.targets + len(people))
            images = generate_images(method, doubled.to(device), from_noisy, scratches[-1], seed=seed)
            people_only = masked(images, mask)
            line = {"sigma": float(sigma), "mask_ssim": mean_ssim(people_only, masked(target, mask), scores.ssim)}
            if classifier:
                judged = judge(classifier, people_only.to(device), title=f"classify images, sigma {sigma}")
                line["mask_is"], line["mask_is_std"] = inception_score(judged.probabilities)
            lines.append(line)

        results = pd.DataFrame(lines)
        out.unlink(missing_ok=True)  # until the figure is the new one
        figures.noise(results, name, f"{name}, {len(kept):,} pairs, {scores.classifier}", out.with_suffix(".png"))
        samples.write_tsv(results, out, "%.4f")
        for scratch in scratches:
            scratch.remove()
        first, last = results.iloc[0], results.iloc[-1]
        say(f"mask-SSIM {first['mask_ssim']:.4f} without noise, {last['mask_ssim']:.4f} with a sigma of {SIGMAS[-1]}")
        for note in notes:
            say(note)
        say(str(out))


def _joined(first: Pose, second: Pose) -> Pose:
    pairs: list[tuple[Tensor, Tensor]] = [(first.joints, second.joints), (first.visible, second.visible)]
    return Pose(*(torch.cat(both) for both in pairs))
