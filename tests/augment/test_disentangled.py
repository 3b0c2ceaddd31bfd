"""DPIG: what its phases learn, and from what."""

import itertools

import pytest
import torch
from disentangled import PEOPLE, SIZE, TINY, taught
from poses import random_poses
from torch import nn
from torch.nn import functional as F

from augment import methods
from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods.disentangled.method import CLIP, CODES, CRITIC_STEPS, DEVIATION, Disentangled
from augment.methods.disentangled.vectors import pose_vectors
from augment.poses import Pose
from augment.poses.pose import JOINTS
from augment.scores.pose_likeness import INSIDE, KNOWN, likeness
from augment.training import train
from reid.common.checkpoints import Scratch
from reid.common.errors import InputError

PAIRS = torch.tensor([(a, b) for a in range(6) for b in range(6) if a != b])


class Spied(Disentangled):
    """Keeps, whenever images are embedded for a critic, the weights of the encoder and the embeddings."""

    def __init__(self, **options):
        super().__init__(SIZE, **options)
        self.seen = []

    def embeddings(self, factor, images, poses):
        found = super().embeddings(factor, images, poses)
        network = self.pose_encoder if factor == "pose" else self.encoder
        self.seen.append((factor, {name: value.clone() for name, value in network.state_dict().items()}, found))
        return found


def trained(folder, average=0.5, made=Spied, **options):
    torch.manual_seed(0)
    method = made(**{**TINY, **options})
    before = {name: {k: v.clone() for k, v in n.state_dict().items()} for name, n in method.networks.items()}
    log = train(method, PEOPLE, PAIRS, Scratch("dpig", {}, folder), average=average, log_every=1, checkpoint_every=1)
    return method, before, log


def test_critics_see_encodings_of_trained_encoders(tmp_path):
    """Those are the averaged ones that people are redrawn with in the end, and are not what training began with."""
    method, before, log = trained(tmp_path)
    assert [entry["phase"] for entry in log] == [
        name for name in ("image", "pose", "foreground mapping", "background mapping", "pose mapping") for _ in range(2)
    ]
    assert len(method.seen) == 3  # once for each factor
    assert [method.untaught(factor) for factor in CODES] == [None, None, None]
    for factor, state, _ in method.seen:
        name = "pose encoder" if factor == "pose" else "encoder"
        final = method.networks[name].state_dict()
        assert all(torch.equal(state[key], value) for key, value in final.items())
        assert not all(torch.equal(before[name][key], value) for key, value in final.items())


@pytest.mark.parametrize(
    ("phase", "networks"),
    [
        ("image", {"encoder", "composer", "discriminator"}),
        ("pose", {"pose encoder", "pose decoder"}),
        ("foreground mapping", {"foreground mapping", "foreground critic"}),
        ("background mapping", {"background mapping", "background critic"}),
        ("pose mapping", {"pose mapping", "pose critic"}),
    ],
)
def test_a_phase_trains_its_networks_alone(phase, networks):
    method = taught(**TINY)
    its = next(one for one in method.phases(torch.device("cpu")) if one.name == phase)
    assert set(its.trains) == networks
    before = {name: {k: v.clone() for k, v in n.state_dict().items()} for name, n in method.networks.items()}
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(2), torch.arange(2)))
    method.begin(its, PEOPLE)
    method.step(its, 0, iter([batch] * its.batches))
    changed = {
        name
        for name, network in method.networks.items()
        if any(not torch.equal(before[name][key], value) for key, value in network.state_dict().items())
    }
    assert changed == networks


def test_what_it_has_learnt_is_kept_with_the_weights(tmp_path):
    """Also where a training starts from weights that earlier iterations have taught, or have not."""
    before = {**TINY, "mapping_iterations": 0, "pose_mapping_iterations": 0}
    methods.save(taught(**before), "disentangled", before, tmp_path / "before")
    later = {**before, "pose_iterations": 0, "pose_mapping_iterations": 1}
    method = Disentangled(SIZE, **later)
    (_, phase) = method.phases(torch.device("cpu"))
    with pytest.raises(InputError, match="embedded by untrained weights; `initial` has none"):
        method.begin(phase, PEOPLE)
    methods.start_from(method, later, tmp_path / "before")
    method.begin(phase, PEOPLE)
    assert [method.untaught(factor) for factor in CODES] == ["foreground mapping", "background mapping", "pose mapping"]
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(2), torch.arange(2)))
    method.step(phase, 0, iter([batch] * CRITIC_STEPS))
    methods.save(method, "disentangled", later, tmp_path / "later")
    loaded = methods.load(tmp_path / "later")
    assert [loaded.untaught(factor) for factor in CODES] == ["foreground mapping", "background mapping", None]


def test_sampled_poses_become_poses(tmp_path):
    """After 100 iterations of the auto-encoder and 40 of the mapping, its poses are far more like those it has seen."""
    real = random_poses(300, 0)
    half = Pose(real.joints / 2, real.visible)
    people = People(torch.zeros(300, 3, 64, 32, dtype=torch.uint8), half)
    torch.manual_seed(0)
    method = Disentangled(
        (64, 32), width=1 / 32, vector_start="fan_in", iterations=1, batch_size=2, flip=0.0, vector_learning_rate=2e-3,
        pose_iterations=100, mapping_iterations=0, pose_mapping_iterations=40,
    )  # fmt: skip

    def distances():
        torch.manual_seed(0)
        with torch.no_grad():
            made = method.decode_anywhere(method.from_noise("pose", method.noise("pose", 500)))
        table = likeness(made, half, (64, 32)).set_index("measure")["distance"]
        return table[KNOWN], table.drop([INSIDE, KNOWN]).median()

    known, lengths = distances()
    train(method, people, torch.arange(300)[:, None].repeat(1, 2), Scratch("poses", {}, tmp_path), average=0.9)
    known_after, lengths_after = distances()
    assert known_after < 0.4 * known
    assert lengths_after < 0.5 * lengths
    with torch.no_grad():
        seen = method.decode_anywhere(method.encode_pose(half))
    assert (seen.joints - half.joints)[half.visible].norm(dim=-1).median() < 2, "pixels"


def test_phases_without_iterations_are_left_out():
    method = Disentangled(SIZE, **TINY | {"mapping_iterations": 0, "pose_mapping_iterations": 0})
    assert [phase.name for phase in method.phases(torch.device("cpu"))] == ["image", "pose"]


def test_optimisers_are_those_of_the_convention():
    for convention, kind in (("released", torch.optim.RMSprop), ("paper", torch.optim.Adam)):
        phases = Disentangled(SIZE, **TINY, convention=convention).phases(torch.device("cpu"))
        kinds = {phase.name: {type(optimiser) for optimiser in phase.optimisers.values()} for phase in phases}
        assert kinds["image"] == kinds["pose"] == {torch.optim.Adam}
        assert kinds["pose mapping"] == kinds["foreground mapping"] == {kind}
    (optimiser, _) = Disentangled(SIZE, **TINY).phases(torch.device("cpu"))[-1].optimisers.values()
    assert (optimiser.defaults["alpha"], optimiser.defaults["eps"]) == (0.9, 1e-10)


def test_learning_rates_are_halved():
    method = taught(SIZE, **TINY | {"learning_rate": 4e-3}, halve_every=10)
    image, pose, *mappings = method.phases(torch.device("cpu"))
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(2), torch.arange(2)))
    for iteration, rate in ((9, 1e-3), (10, 5e-4), (25, 2.5e-4)):
        method.step(image, iteration, iter([batch, batch]))
        rates = [optimiser.param_groups[0]["lr"] for optimiser in image.optimisers.values()]
        assert rates == pytest.approx([4 * rate, 4 * rate]), "of the discriminator too"
        method.step(pose, iteration, iter([batch]))
        assert pose.optimisers["auto-encoder"].param_groups[0]["lr"] == pytest.approx(rate)
        for mapping in mappings:
            method.begin(mapping, PEOPLE)
            method.step(mapping, iteration, itertools.repeat(batch))
            rates = [optimiser.param_groups[0]["lr"] for optimiser in mapping.optimisers.values()]
            assert rates == pytest.approx([rate, rate]), "of the critic too"


def test_mirrored_images_have_mirrored_poses():
    method = Disentangled(SIZE, **{**TINY, "flip": 0.5})
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(6), torch.arange(6)))
    torch.manual_seed(0)
    found = method._flipped(batch)
    mirrored = [not torch.equal(*pair) for pair in zip(found.source, batch.source, strict=True)]
    assert {True, False} == set(mirrored)
    for image in range(6):
        old, new = batch.source_pose[image, 0], found.source_pose[image, 0]
        if mirrored[image]:
            assert torch.equal(found.source[image], batch.source[image].flip(3))
            mirror_images = [[63 - x, y] for x, y in old.joints.tolist()]
            left, right = JOINTS.index("left_wrist"), JOINTS.index("right_wrist")
            assert new.joints[left].tolist() == pytest.approx(mirror_images[right])
            assert new.joints[0].tolist() == pytest.approx(mirror_images[0])
            assert new.visible[left] == old.visible[right]
        else:
            assert torch.equal(new.joints, old.joints)


@pytest.mark.parametrize("factor", CODES)
def test_critics_see_the_images_of_their_batch_some_of_them_mirrored(factor, monkeypatch):
    method = taught(**{**TINY, "flip": 0.5})
    phase = next(phase for phase in method.phases(torch.device("cpu")) if phase.name == f"{factor} mapping")
    with pytest.raises(RuntimeError, match=f"phase {factor} mapping has not begun"):
        method.step(phase, 0, iter([PEOPLE.batch(Tuples.of_pairs(*torch.arange(2).repeat(2, 1)))] * 5))
    method.begin(phase, PEOPLE)
    rows = torch.tensor([5, 3, 0, 3])
    batch = PEOPLE.batch(Tuples.of_pairs(rows, rows))
    seen = []
    critic = method.critics[factor]
    critic.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].clone()))
    torch.manual_seed(1)
    method.step(phase, 0, iter([batch] * 5))
    torch.manual_seed(1)
    for real in seen[0:10:2]:
        mirrored = method._flipped(batch)
        torch.testing.assert_close(real, method.embeddings(factor, *mirrored.single_source()), atol=1e-6, rtol=1e-4)
    assert not torch.equal(seen[0], seen[2])


def test_critics_are_clipped(tmp_path):
    method, _, _ = trained(tmp_path)
    for critic in method.critics.values():
        assert max(float(weight.detach().abs().max()) for weight in critic.parameters()) <= CLIP


def test_the_losses_of_an_iteration_are_those_of_the_equations():
    """Eq. 1 and 2, with hardly a learning rate, so that the generator's step sees the same discriminator."""
    torch.manual_seed(0)
    method = Disentangled(SIZE, **TINY | {"learning_rate": 1e-12, "vector_learning_rate": 1e-12})
    (phase, *_) = method.phases(torch.device("cpu"))
    first, second = (PEOPLE.batch(Tuples.of_pairs(torch.tensor(rows), torch.tensor(rows))) for rows in ([0, 1], [2, 3]))
    losses = {name: loss.item() for name, loss in method.step(phase, 0, iter([first, second])).items()}

    def composed(batch):
        return method.composer(method.encoder(batch.source[:, 0], batch.source_pose[:, 0]), batch.source_pose[:, 0])

    real = torch.sigmoid(method.discriminator(first.source[:, 0]))
    fake = torch.sigmoid(method.discriminator(composed(first)))
    fooled = torch.sigmoid(method.discriminator(composed(second)))
    assert losses["discriminator"] == pytest.approx(
        (-0.5 * (real.log().mean() + (1 - fake).log().mean())).item(), rel=1e-4
    )
    assert losses["adversarial"] == pytest.approx(-fooled.log().mean().item(), rel=1e-4)
    difference = (composed(second) - second.source[:, 0]).abs().mean()
    assert losses["reconstruction"] == pytest.approx(difference.item(), rel=1e-4)


def test_wasserstein_distances_by_hand():
    method = taught(**TINY | {"learning_rate": 1e-12, "vector_learning_rate": 1e-12})
    for critic in method.critics.values():
        nn.init.uniform_(critic.layers[0].weight, -CLIP, CLIP)
    phase = next(phase for phase in method.phases(torch.device("cpu")) if phase.name == "pose mapping")
    batch = PEOPLE.batch(Tuples.of_pairs(torch.arange(6), torch.arange(6)))
    with torch.no_grad():
        for weight in method.critics["pose"].parameters():
            weight.clamp_(-CLIP, CLIP)
    torch.manual_seed(1)
    method.begin(phase, PEOPLE)
    losses = {name: loss.item() for name, loss in method.step(phase, 0, iter([batch] * 5)).items()}
    torch.manual_seed(1)
    torch.rand(5, 6)  # which of the images are mirrored
    noise = [0.2 * torch.randn(count, 32) for count in (6, 6, 6, 6, 6, 2)]
    vectors = pose_vectors(PEOPLE.poses, SIZE).flatten(1)
    real = method.critics["pose"](method.pose_encoder(vectors)).mean()
    fake = [method.critics["pose"](method.mappings["pose"](own)).mean() for own in noise]
    assert losses["distance"] == pytest.approx((real - fake[4]).item(), abs=1e-7)
    assert losses["mapping"] == pytest.approx(-fake[5].item(), abs=1e-7)


@pytest.mark.parametrize("convention", ["released", "paper"])
def test_each_optimiser_descends_its_equation(convention, monkeypatch):
    """The gradients of what is minimised, against those of Eq. 1 to 5 written anew."""
    method = taught(**TINY, convention=convention, reconstruction_weight=7.0)
    with torch.no_grad():
        for critic in method.critics.values():
            for weight in critic.parameters():
                weight.clamp_(-CLIP, CLIP)
    found = []

    def gradients(loss, optimiser):
        own = [weight for group in optimiser.param_groups for weight in group["params"]]
        return [g for g in torch.autograd.grad(loss, own, allow_unused=True) if g is not None]

    monkeypatch.setattr(
        "augment.methods.disentangled.method.update", lambda optimiser, loss: found.append(gradients(loss, optimiser))
    )
    image, pose, *mappings = method.phases(torch.device("cpu"))
    first, second = (PEOPLE.batch(Tuples.of_pairs(torch.tensor(rows), torch.tensor(rows))) for rows in ([0, 1], [2, 3]))

    def composed(batch):
        source, its = batch.source[:, 0], batch.source_pose[:, 0]
        return method.composer(method.encoder(source, its), its)

    method.step(image, 0, iter([first, second]))
    log = F.logsigmoid
    real, fake = method.discriminator(first.source[:, 0]), method.discriminator(composed(first).detach())
    fooled, drawn = method.discriminator(composed(second)), composed(second)
    wanted = [
        (-0.5 * (log(real).mean() + log(-fake).mean()), image.optimisers["discriminator"]),
        (-log(fooled).mean() + 7 * (drawn - second.source[:, 0]).abs().mean(), image.optimisers["composer"]),
    ]
    method.step(pose, 0, iter([first]))
    vectors = pose_vectors(first.source_pose[:, 0], SIZE)
    decoded = method.pose_decoder(method.pose_encoder(vectors.flatten(1)))
    wanted.append((20 * ((decoded - vectors) ** 2).mean(), pose.optimisers["auto-encoder"]))
    for phase in mappings:
        factor = phase.name.removesuffix(" mapping")
        mapping, critic = method.mappings[factor], method.critics[factor]
        method.begin(phase, PEOPLE)
        torch.manual_seed(1)
        method.step(phase, 0, iter([first] * CRITIC_STEPS))
        torch.manual_seed(1)
        torch.rand(CRITIC_STEPS, 2)  # which of the images are mirrored
        noises = [DEVIATION[convention] * torch.randn(2, CODES[factor]) for _ in range(CRITIC_STEPS + 1)]
        encoded_images = method.embeddings(factor, first.source[:, 0], first.source_pose[:, 0])
        for own in noises[:-1]:
            loss = critic(mapping(own).detach()).mean() - critic(encoded_images).mean()
            wanted.append((loss, phase.optimisers["critic"]))
        wanted.append((-critic(mapping(noises[-1])).mean(), phase.optimisers["mapping"]))
    assert len(found) == len(wanted) == 3 + 3 * (CRITIC_STEPS + 1)
    for own, (loss, optimiser) in zip(found, wanted, strict=True):
        expected = gradients(loss, optimiser)
        largest = max(float(gradient.abs().max()) for gradient in expected)
        assert largest > 0
        for one, other in zip(own, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * largest)
