"""What an iteration of each generator of a profile costs, beside the first one's.

python -m benchmarks.methods [--profile "evidence rivals"]

The generators take turns, so that a machine whose speed changes slows all of them alike. What is measured is computing
time, not that of the clock. Last comes what all iterations of the profile's phases take.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from ruamel.yaml import YAML

from augment.data.people import People
from augment.data.tuples import with_further_sources
from augment.methods import METHODS
from augment.methods.contract import Method, Phase
from augment.training import precision_of
from benchmarks.compare import command
from pipelines import params
from pipelines.profiles import compose
from tests.poses import random_poses

PEOPLE, OF_EACH = 64, 4  # images; how many of each person


def main(profile: str = "evidence rivals", iterations: int = 3, rounds: int = 5, threads: int = 1) -> None:
    torch.set_num_threads(threads)
    values = params.check(YAML(typ="safe").load(compose(profile.split())), "profile")
    size = values.image_size
    identities = torch.arange(PEOPLE) // OF_EACH
    images = torch.randint(0, 256, (PEOPLE, 3, *size), dtype=torch.uint8)
    poses = random_poses(PEOPLE, 0).scaled([(128, 64)] * PEOPLE, size)
    people = People(images, poses, images, identities)
    timed: dict[tuple[str, str], Callable[[], float]] = {}
    lengths: dict[tuple[str, str], int] = {}
    for name in values.generators:
        section = values.gan[name]
        reduced = precision_of(section.training["precision"], torch.device("cpu")) == "bfloat16"
        count = len(METHODS[section.method](size=size, **section.options).phases(torch.device("cpu")))
        for number in range(count):  # a method of its own for each phase, since `begin` prepares one phase
            method = METHODS[section.method](size=size, **section.options)
            phase = method.phases(torch.device("cpu"))[number]
            timed[name, phase.name] = _seconds(method, phase, people, iterations, reduced)
            lengths[name, phase.name] = phase.iterations
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in timed}
    for version in timed.values():
        version()
    for _ in range(rounds):
        for key, version in timed.items():
            seconds[key].append(version())
    median = {key: statistics.median(found) for key, found in seconds.items()}
    whole = {name: sum(median[key] * lengths[key] for key in median if key[0] == name) for name in values.generators}
    first = next(iter(whole))
    for key, found in median.items():
        print(f"{' '.join(key):40} {1000 * found:9.1f} ms an iteration, {lengths[key]:,} iterations")
    for name, found in whole.items():
        print(f"{name:40} {found / 60:9.1f} minutes in all, ratio {found / whole[first]:.3g} to {first}")


def _seconds(method: Method, phase: Phase, people: People, iterations: int, reduced: bool) -> Callable[[], float]:
    """Seconds of computing time that an iteration of a phase takes, when called."""
    random = torch.Generator().manual_seed(0)
    begun = False

    def iterate() -> float:
        nonlocal begun
        for name, network in method.networks.items():
            network.train(name in phase.trains)
        if hasattr(method, "begin") and not begun:
            method.begin(phase, people)
            begun = True
        start = time.process_time()
        for iteration in range(iterations):
            groups = torch.randint(PEOPLE // OF_EACH, (phase.batches, phase.batch_size), generator=random) * OF_EACH
            pairs = torch.stack([groups, groups + 1], -1)
            batches = (
                people.batch(
                    with_further_sources(part, people.identities, method.needs.sources, random), pixels=phase.pixels
                )
                for part in pairs
            )
            with torch.autocast("cpu", torch.bfloat16, enabled=reduced, cache_enabled=False):
                method.step(phase, iteration, batches)
        return (time.process_time() - start) / iterations

    return iterate


if __name__ == "__main__":
    command(main)()
