"""Guided generation: what the guider learns and teaches, and where foreign poses count."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from poses import random_poses
from torch.nn import functional as F

from augment import methods
from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods.guided.guider import Guider
from augment.methods.guided.method import Guided
from augment.training import train
from reid.common.checkpoints import Scratch
from reid.common.errors import InputError
from reid.datasets import DATASETS
from reid.files.images import load
from reid.networks.ide import IDE

SIZE = (128, 64)
SMALL = {"backbone": "mobilenet-v2", "input_size": (64, 32)}
TINY = {
    "width": 0.0625,
    "people": 3,
    "guider_options": SMALL,
    "guider_iterations": 2,
    "guider_batch_size": 2,
    "iterations": 2,
    "batch_size": 2,
}
PEOPLE = People(
    torch.randint(0, 256, (6, 3, *SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
    identities=torch.tensor([5, 5, 5, 9, 9, 7]),
)
BANK = replace(PEOPLE, bank=random_poses(1, 8))
MODULE = "augment.methods.guided.method"


def pairs(*rows):
    sources, targets = torch.tensor(rows).T
    return PEOPLE.batch(Tuples.of_pairs(sources, targets))


def begun(people=PEOPLE, **options):
    """A method, without dropout, and its joint phase."""
    torch.manual_seed(0)
    method = Guided(SIZE, **{**TINY, **options})
    for up in method.generator.decoder.ups:
        up.dropout = 0.0
    phase = method.phases(torch.device("cpu"))[-1]
    method.begin(phase, people)
    return method, phase


def state(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def equal(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_parameters_of_the_guider():
    """MobileNetV2 by its paper's table, and ResNet-50 by torchvision's documented number, less its own classifier."""

    def block(inputs, outputs, expansion):
        wide = expansion * inputs
        widening = wide * (inputs + 2) if expansion > 1 else 0
        return widening + wide * (9 + 2) + outputs * (wide + 2)

    count, inputs = 32 * (27 + 2), 32
    for expansion, outputs, repeats in (
        (1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1),
    ):  # fmt: skip
        for _ in range(repeats):
            count, inputs = count + block(inputs, outputs, expansion), outputs
    count += 1280 * (320 + 2)
    with torch.device("meta"):
        small, large = Guider(100, **SMALL), Guider(751)
    assert sum(p.numel() for p in small.parameters()) == count + 1281 * 100
    assert sum(p.numel() for p in large.parameters()) == 25_557_032 - 2049 * 1000 + 2049 * 751


def test_parameters_of_generator_and_discriminator_are_the_baselines():
    """Those that the released Baseline has: tests/augment/test_generators.py."""
    with torch.device("meta"):
        method = Guided(SIZE, guider_options=SMALL)
    assert sum(p.numel() for p in method.discriminator.parameters()) == 2_803_782
    assert sum(p.numel() for p in method.generator.parameters()) == 36_072_533


def test_options_of_the_guider_are_checked():
    with pytest.raises(ValueError, match="unknown parameter|extra"):
        Guided.check_options({"generator": "unet", "generator_options": None, "background": False,
                              "background_dropout": 0.0, "guider_options": {"clases": 3}})  # fmt: skip


def test_the_phases():
    method = Guided(SIZE, **{**TINY, "guider_batch_size": 8, "guider_rate": 0.4, "classifier_rate": 5.0})
    alone, joint = method.phases(torch.device("cpu"))
    rates = [[group["lr"] for group in phase.optimisers["guider"].param_groups] for phase in (alone, joint)]
    assert rates == [[0.4, 2.0], [pytest.approx(0.1), pytest.approx(0.5)]], (
        "a quarter of the pairs, a quarter of the rate"
    )
    assert (alone.name, alone.trains, alone.batches, alone.draws) == ("guider", ("guider",), 1, False)
    assert (joint.name, joint.batches) == ("guided", 4)
    assert set(joint.trains) == set(joint.optimisers) == {"generator", "guider", "discriminator"}
    assert method.inference == ("generator",)
    (only,) = Guided(SIZE, **{**TINY, "guider_iterations": 0}).phases(torch.device("cpu"))
    assert only.name == "guided"


@torch.no_grad()
def slow_cross_entropy(method, images, identities):
    """-log of the person's share, by the networks' own layers: resized, normalised as ImageNet's, classified."""
    seen = F.interpolate(images, (64, 32), mode="bilinear", antialias=True)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    seen = (seen / 2 + 0.5 - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
    features = method.guider.backbone.convolutions(seen).flatten(2).mean(2)
    logits = features @ method.guider.classifier.weight.T + method.guider.classifier.bias
    place = {identity: index for index, identity in enumerate((5, 7, 9))}
    losses = [row.exp().sum().log() - row[place[one]] for row, one in zip(logits, identities, strict=True)]
    return (sum(losses) / len(losses)).item()


def test_the_losses_of_an_iteration_by_hand(monkeypatch):
    """With hardly a learning rate, so that all steps see the same networks; one foreign pose, and nothing mirrored."""
    monkeypatch.setattr(f"{MODULE}.FLIP", 0.0)
    monkeypatch.setattr(f"{MODULE}.FOREIGN", 1.0)
    method, phase = begun(BANK, learning_rate=1e-12, guider_rate=1e-12, guider_weight=0.7, reconstruction_weight=3.0)
    torch.nn.init.normal_(method.guider.classifier.weight, std=0.1)
    batches = [pairs((0, 1), (3, 4)), pairs((2, 0), (4, 3)), pairs((1, 2), (4, 3)), pairs((3, 4), (0, 2))]
    losses = {name: loss.item() for name, loss in method.step(phase, 0, iter(batches)).items()}
    real, generated, own, other = batches
    generated, other = (replace(one, target_pose=BANK.bank[[0, 0]]) for one in (generated, other))
    with torch.no_grad():
        drawn, foreign, faked = (method.generator(one) for one in (own, other, generated))
        judged = method.discriminator
        fooled = [-(judged(batch, fake) + 1e-7).log().mean() for batch, fake in ((own, drawn), (other, foreign))]
        adversarial = (sum(fooled) / 2).item()
        seen = (judged(real, real.target) + 1e-7).log().mean() + (1 - judged(generated, faked) + 1e-7).log().mean()
    guidance = slow_cross_entropy(method, torch.cat([drawn, foreign]), (5, 9, 9, 5))
    distance = (drawn - own.target).abs().sum(1).mean().item()
    assert losses["adversarial"] == pytest.approx(adversarial, rel=1e-4)
    assert losses["guidance"] == pytest.approx(guidance, rel=1e-3)
    assert losses["reconstruction"] == pytest.approx(distance, rel=1e-4)
    assert losses["generator"] == pytest.approx(adversarial + 3 * distance + 0.7 * guidance, rel=1e-3)
    assert losses["discriminator"] == pytest.approx(-seen.item(), rel=1e-4)
    images = torch.cat([real.source[:, 0], real.target])
    assert losses["guider"] == pytest.approx(slow_cross_entropy(method, images, (5, 9, 5, 9)), rel=1e-3)


def test_of_foreign_samples_no_target_counts():
    """The last batch is drawn in foreign poses: its targets and their poses change nothing; those of pairs do."""
    results = {}
    for case in ("plain", "foreign", "pairs"):
        method, phase = begun(BANK)
        own, other = pairs((1, 2), (4, 3)), pairs((3, 4), (0, 2))
        changed = {"target": -pairs((3, 4), (0, 2)).target, "target_pose": random_poses(2, 5)}
        own = replace(own, **changed) if case == "pairs" else own
        other = replace(other, **changed) if case == "foreign" else other
        torch.manual_seed(1)
        losses = method.step(phase, 0, iter([pairs((0, 1), (3, 4)), pairs((2, 0), (4, 3)), own, other]))
        results[case] = losses, state(method.generator)
    assert equal(*(results[case][0] for case in ("plain", "foreign")))
    assert equal(*(results[case][1] for case in ("plain", "foreign")))
    assert not equal(*(results[case][1] for case in ("plain", "pairs")))
    assert results["plain"][0]["reconstruction"] != results["pairs"][0]["reconstruction"]


def test_the_guider_teaches_the_generator_and_learns_from_real_images_alone():
    """Also where its statistics are not frozen: no step but its own changes it."""
    drawn = {}
    for weight in (0.0, 5.0):
        options = {"guider_options": {**SMALL, "freeze_batch_norm": False}, "guider_weight": weight}
        method, phase = begun(BANK, **options)
        method.guider.train()
        guider, discriminator = state(method.guider), state(method.discriminator)
        own, other = (method._prepared(method._in_foreign_poses(pairs((1, 2), (4, 3)), torch.tensor([foreign] * 2)), 1)
                      for foreign in (False, True))  # fmt: skip
        method._generator_step(phase, replace(own, target=pairs((1, 2), (4, 3)).target), other)
        assert equal(guider, state(method.guider))
        assert equal(discriminator, state(method.discriminator))
        assert all(p.grad is None and p.requires_grad for p in method.guider.parameters())
        assert method.guider.training
        drawn[weight] = state(method.generator)
        before = state(method.generator)
        method._guider_step(phase, pairs((0, 1), (3, 4)))
        assert equal(before, state(method.generator))
        assert not equal(guider, state(method.guider))
    assert not equal(drawn[0.0], drawn[5.0])


def test_foreign_poses_are_those_of_other_people():
    method, _ = begun()
    torch.manual_seed(0)
    batch = pairs(*[(0, 1), (3, 4), (5, 5)] * 20)
    found = method._in_foreign_poses(batch, torch.ones(60, dtype=torch.bool))
    assert found.target is None
    owners = [(PEOPLE.poses.joints == pose).all((1, 2)).nonzero().item() for pose in found.target_pose.joints]
    taken = {(int(identity), owner) for identity, owner in zip(batch.identity, owners, strict=True)}
    assert taken == {(5, 3), (5, 4), (5, 5), (9, 0), (9, 1), (9, 2), (9, 5), *((7, owner) for owner in range(5))}
    half = torch.arange(60) < 30
    mixed = method._in_foreign_poses(batch, half)
    assert torch.equal(mixed.target_pose.joints[~half], batch.target_pose.joints[~half])
    assert torch.equal(mixed.target_pose.visible[~half], batch.target_pose.visible[~half])


def test_behind_foreign_poses_is_what_was_there():
    """As when people are redrawn; poses of a bank have no pictures, and the pair's own target stays behind them."""
    backgrounds = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, 3, *SIZE)
    people = replace(PEOPLE, backgrounds=backgrounds)
    half = torch.arange(20) < 10
    for given, moves in ((people, True), (replace(people, bank=PEOPLE.poses), False)):
        method, _ = begun(given)
        batch = given.batch(Tuples.of_pairs(torch.zeros(20, dtype=torch.int64), torch.ones(20, dtype=torch.int64)))
        found = method._in_foreign_poses(batch, half)
        shown = ((found.background[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()
        poses = [(PEOPLE.poses.joints == pose).all((1, 2)).nonzero().item() for pose in found.target_pose.joints]
        assert shown == (poses if moves else [1] * 20)
        assert shown[10:] == [1] * 10


def test_who_is_to_be_told_apart_has_to_be_known():
    method = Guided(SIZE, **TINY)
    phase = method.phases(torch.device("cpu"))[0]
    with pytest.raises(InputError, match="not known whom the images show"):
        method.begin(phase, replace(PEOPLE, identities=None))
    with pytest.raises(InputError, match="tells 3 people apart, there are 6: set options.people: 6"):
        method.begin(phase, replace(PEOPLE, identities=torch.arange(6)))
    with pytest.raises(InputError, match="those of other people, and there are none: give a pose bank"):
        method.begin(phase, replace(PEOPLE, identities=torch.zeros(6, dtype=torch.int64)))


def test_the_guider_starts_from_pretrained_weights_or_from_those_of_another(tmp_path):
    method = Guided(SIZE, **TINY)
    pretrained = state(IDE(3, **SMALL).backbone)
    assert not equal(pretrained, state(method.guider.backbone)), "they are loaded for training alone"
    method.phases(torch.device("cpu"))
    assert equal(pretrained, state(method.guider.backbone))
    with torch.no_grad():
        next(method.guider.backbone.parameters()).add_(1)
    methods.save(method, "guided", TINY, tmp_path)
    other = Guided(SIZE, **TINY)
    methods.start_from(other, TINY, tmp_path)
    other.phases(torch.device("cpu"))
    assert equal(state(method.guider), state(other.guider))


@pytest.mark.slow
def test_it_copies_twelve_pairs_whose_people_the_guider_recognises_better_than_at_first(tiny_zip, tmp_path):
    """Of four people, three images each. What is drawn is nearest to its own target, for which it takes both person and
    pose: one that draws the same of each person or of each pose finds a third or a fourth of the targets at best."""
    table = DATASETS["streets"](tiny_zip).tables["train"]
    table = table.groupby("identity").head(3).reset_index(drop=True)
    size = (64, 32)
    images = load(table["archive"], table["image"], size)
    poses = random_poses(12, 0).scaled([SIZE] * 12, size)
    people = People(images, poses, identities=torch.from_numpy(table["identity"].to_numpy(copy=True)))
    rows = torch.tensor([(3 * person + one, 3 * person + (one + 1) % 3) for person in range(4) for one in range(3)])
    torch.manual_seed(0)
    method = Guided(
        size,
        width=0.125,
        start="fan_in",
        people=4,
        guider_options=SMALL,
        guider_iterations=12,
        guider_batch_size=6,
        guider_rate=3e-4,
        classifier_rate=5.0,
        iterations=100,
        batch_size=3,
        learning_rate=2e-3,
        reconstruction_weight=100.0,
    )
    at_first = deepcopy(method)
    train(method, people, rows, Scratch("s", {}, tmp_path))
    batch = people.batch(Tuples.of_pairs(*rows.T))
    method.guider.eval()
    distances, costs = [], []
    for one in (at_first, method):
        with torch.no_grad():
            drawn = one.generator.eval()(batch)
            costs.append(method.guider.loss(drawn, method.classes(batch)).mean().item())
            distances.append(torch.cdist(drawn.flatten(1), batch.target.flatten(1), p=1))
    assert (distances[1].argmin(1) == torch.arange(12)).sum() >= 10
    assert (distances[0].argmin(1) == torch.arange(12)).sum() <= 4
    mean = (batch.target - batch.target.mean(0)).flatten(1).abs().sum(1).mean()
    assert distances[1].diag().mean() < 0.9 * mean
    assert costs[1] < 0.7 * costs[0]
