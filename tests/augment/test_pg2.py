"""PG2: its networks' sizes, its losses by formulas written anew, what each phase trains, and that it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import STREETS
from overfitting import learn
from poses import random_poses
from skimage.morphology import closing
from torch.nn import functional as F

from augment.data.people import People
from augment.data.tuples import Tuples
from augment.geometry.discs import coarse_mask, discs
from augment.methods.pg2.method import PG2
from augment.methods.pg2.refiner import Refiner
from augment.networks.dcgan import DCGANDiscriminator
from augment.poses.pose import INDEX, Pose

SIZE = (128, 64)
TINY = {"width": 1 / 32, "batch_size": 2, "flip": 0.0, "learning_rate": 1e-12}
PEOPLE = People(
    torch.randint(0, 256, (6, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def convolution(inputs, outputs, side=3):
    return inputs * outputs * side**2 + outputs


def test_numbers_of_parameters_are_the_released_ones():
    with torch.device("meta"):
        method = PG2(SIZE)
    integrator = convolution(3 + 18, 128)
    integrator += sum(2 * convolution(128 * level, 128 * level) for level in range(1, 6))
    integrator += sum(convolution(128 * level, 128 * (level + 1)) for level in range(1, 5))
    integrator += (8 * 4 * 640 + 1) * 64 + (64 + 1) * 8 * 4 * 128
    integrator += sum(2 * convolution(own, own) for own in (768, 1024, 768, 512, 256))
    integrator += sum(convolution(own, less, 1) for own, less in ((768, 512), (1024, 384), (768, 256), (512, 128)))
    integrator += convolution(256, 3)
    assert count(method.integrator) == integrator
    assert round(integrator / 1e6, 1) == 70.8
    refiner = convolution(6, 128) + 2 * convolution(128, 128)
    refiner += convolution(128, 128) + convolution(128, 256) + convolution(256, 256)  # down, then the second level
    refiner += convolution(256, 256) + convolution(256, 384) + convolution(384, 384)
    refiner += convolution(384 + 384, 128) + convolution(128, 128)
    refiner += convolution(128 + 256, 128) + convolution(128, 128)
    refiner += 2 * convolution(128, 128) + convolution(128, 3)
    assert count(method.refiner) == refiner
    assert round(refiner / 1e6, 2) == 6.06


def test_larger_images_have_a_level_more_and_a_skip_connection_more():
    """As the released networks for images of 256 pixels."""
    with torch.device("meta"):
        method = PG2((256, 256))
    assert method.integrator.coarsest == (8, 8)
    assert len(method.integrator.blocks) == 6
    assert [block[0].in_channels for block in method.refiner.decoder] == [1024, 128 + 384, 128 + 256, 128 + 128]
    sizes = ((3, 64), (64, 128), (128, 256), (256, 512), (512, 512))
    expected = sum(convolution(*own, 5) for own in sizes) + 2 * (128 + 256 + 512 + 512) + 8 * 8 * 512 + 1
    assert count(method.discriminator) == expected


def test_the_coarse_image_is_in_the_batch_normalisation_up_to_128_pixels():
    for size, seen in (((128, 64), 8), ((256, 256), 6)):
        method = PG2(size, **TINY)
        counts = []
        method.discriminator.register_forward_pre_hook(lambda _, inputs, counts=counts: counts.append(len(inputs[0])))
        of = replace(batch((0, 1), (2, 3)), source=torch.zeros(2, 1, 3, *size), target=torch.zeros(2, 3, *size))
        method._judged(of, torch.zeros(2, 3, *size), torch.zeros(2, 3, *size))
        assert counts == [seen]


def test_the_finest_skip_connection_of_the_refiner_is_left_out_at_128_pixels():
    torch.manual_seed(0)
    refiner = Refiner(SIZE, width=4)
    assert [block[0].in_channels for block in refiner.decoder] == [24, 4 + 8, 4]
    coarse, source = torch.randn(2, 2, 3, *SIZE)
    x = F.relu(refiner.first(torch.cat([coarse, source], 1)))
    one = refiner.encoder[0](x)
    two = refiner.encoder[1](F.relu(refiner.downs[0](one)))
    three = refiner.encoder[2](F.relu(refiner.downs[1](two)))
    x = refiner.decoder[0](torch.cat([three, three], 1)).repeat_interleave(2, 2).repeat_interleave(2, 3)
    x = refiner.decoder[1](torch.cat([x, two], 1)).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(refiner(coarse, source), refiner.last(refiner.decoder[2](x)))


def batch(*pairs):
    sources, targets = torch.tensor(pairs).T
    return PEOPLE.batch(Tuples.of_pairs(sources, targets))


def slow_distance(images, of):
    """|I - T| (1 + M), a mean over all values, where M is drawn pixel by pixel."""
    total = 0.0
    for image, target, pose in zip(images, of.target, (of.target_pose[row] for row in range(len(of))), strict=True):
        mask = coarse_mask(pose[None], SIZE, radius=4)[0].numpy()
        weights = np.where(mask, 2.0, 1.0)
        total += float((np.abs((image - target).detach().numpy()) * weights).sum())
    return total / images.numel()


def test_the_first_stage_minimises_the_masked_distance_and_trains_alone():
    torch.manual_seed(0)
    method = PG2(SIZE, **TINY)
    phase, _ = method.phases(torch.device("cpu"))
    assert (phase.name, phase.trains, phase.iterations, phase.batches) == ("integration", ("integrator",), 22_000, 1)
    assert method.phases(torch.device("cpu"))[1].iterations == 38_000
    of = batch((0, 1), (2, 3))
    losses = method.step(phase, 0, iter([of]))
    images = method.integrator(torch.cat([of.source[:, 0], discs(of.target_pose, SIZE, 4)], 1))
    assert losses["reconstruction"].item() == pytest.approx(slow_distance(images, of), rel=1e-5)


def test_the_mask_is_made_of_discs_of_four_pixels():
    """By scikit-image's closing, of one limb: the discs at its ends and at int(d / 4) - 1 places between them."""
    pose = Pose(torch.zeros(1, 18, 2), torch.zeros(1, 18, dtype=torch.bool))
    for joint, place in (("left_knee", [20.0, 40.0]), ("left_ankle", [20.0, 60.0])):
        pose.visible[0, INDEX[joint]] = True
        pose.joints[0, INDEX[joint]] = torch.tensor(place)
    rows, columns = np.mgrid[:128, :64]
    drawn = np.zeros(SIZE, bool)
    for y in (40, 44, 48, 52, 56, 60):
        drawn |= (rows - y) ** 2 + (columns - 20) ** 2 <= 16
    assert np.array_equal(coarse_mask(pose, SIZE, radius=4)[0].numpy(), closing(drawn, np.ones((5, 5))))


def logits_of(discriminator, images):
    """By the layers, with batch normalisation over all of the images."""
    x = F.leaky_relu(discriminator.convolutions[0](images), 0.2)
    for layer, norm in zip(list(discriminator.convolutions)[1:], discriminator.norms, strict=True):
        x = layer(x)
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
        x = (x - mean) / (variance + norm.eps).sqrt() * norm.weight[:, None, None] + norm.bias[:, None, None]
        x = F.leaky_relu(x, 0.2)
    return discriminator.last(x.flatten(1))[:, 0]


def negative_log(probabilities):
    return -float(np.log(probabilities.detach().numpy().astype(np.float64)).mean())


@pytest.mark.parametrize("convention", ["released", "paper"])
def test_the_second_stage_has_the_losses_of_its_convention(convention):
    """With hardly a learning rate, so that the discriminator's step sees the same networks."""
    torch.manual_seed(0)
    method = PG2(SIZE, convention=convention, **TINY)
    torch.nn.init.normal_(method.refiner.last.weight, 0, 0.1)
    _, phase = method.phases(torch.device("cpu"))
    assert (phase.trains, phase.batches) == (("refiner", "discriminator"), 2)
    first, second = batch((0, 1), (2, 3)), batch((1, 0), (3, 2))
    losses = {name: loss.item() for name, loss in method.step(phase, 0, iter([first, second])).items()}

    def judged(of):
        """What is real, the fakes, and the refined image, each as probabilities."""
        source = of.source[:, 0]
        coarse = method.integrator(torch.cat([source, discs(of.target_pose, SIZE, 4)], 1))
        fine = coarse + method.refiner(coarse, source)
        if convention == "paper":
            seen = torch.cat([torch.cat([source, of.target], 1), torch.cat([source, fine], 1)])
            real, fake = logits_of(method.discriminator, seen).sigmoid().chunk(2)
            return real, [fake], fine
        seen = torch.cat([of.target, source, fine, coarse])
        real, on_source, fake, _ = logits_of(method.discriminator, seen).sigmoid().chunk(4)
        return real, [on_source, fake], fine

    with torch.no_grad():
        _, fakes, fine = judged(first)
        assert losses["adversarial"] == pytest.approx(negative_log(fakes[-1]), rel=1e-4)
        assert losses["reconstruction"] == pytest.approx(slow_distance(fine, first), rel=1e-5)
        real, fakes, _ = judged(second)
    on_real, on_fakes = negative_log(real), [negative_log(1 - fake) for fake in fakes]
    expected = (
        on_real + on_fakes[0] if convention == "paper" else 0.5 * on_real + 0.25 * on_fakes[0] + 0.25 * on_fakes[1]
    )
    assert losses["discriminator"] == pytest.approx(expected, rel=1e-4)


def test_the_refiner_descends_the_weighted_sum():
    """Its gradient is that of the adversarial loss and ten times the masked distance."""
    torch.manual_seed(0)
    method = PG2(SIZE, **TINY)
    torch.nn.init.normal_(method.refiner.last.weight, 0, 0.1)
    _, phase = method.phases(torch.device("cpu"))
    of = batch((0, 1), (2, 3))
    seen = {}
    phase.optimisers["refiner"].register_step_pre_hook(
        lambda *_: seen.update(
            refiner=method.refiner.last.weight.grad.clone(), first=method.integrator.first.weight.grad
        )
    )
    method.step(phase, 0, iter([of, of]))
    source = of.source[:, 0]
    coarse = method.integrator(torch.cat([source, discs(of.target_pose, SIZE, 4)], 1)).detach()
    fine = coarse + method.refiner(coarse, source)
    logits = logits_of(method.discriminator, torch.cat([of.target, source, coarse, fine]))[-2:]
    mask = coarse_mask(of.target_pose, SIZE, 4)[:, None]
    loss = F.softplus(-logits).mean() + 10 * ((fine - of.target).abs() * (1 + mask.float())).mean()
    (expected,) = torch.autograd.grad(loss, [method.refiner.last.weight])
    torch.testing.assert_close(seen["refiner"], expected, rtol=1e-3, atol=1e-5)
    assert seen["first"] is None  # the first stage's network learns no more


def test_before_the_second_stage_the_coarse_image_is_what_is_generated():
    torch.manual_seed(0)
    method = PG2(SIZE, **TINY)
    of = batch((0, 1), (2, 3))
    assert torch.equal(method.generate(of), method.coarse(of).clamp(-1, 1))


def test_both_images_of_a_pair_are_mirrored():
    """A discriminator's step of mirrored pairs is that of images and poses that were mirrored by hand."""
    torch.manual_seed(0)
    always, never = PG2(SIZE, **{**TINY, "flip": 1.0}), PG2(SIZE, **TINY)
    for name, network in never.networks.items():
        network.load_state_dict(always.networks[name].state_dict())
    mirrored = People(PEOPLE.images.flip(3), PEOPLE.poses.mirrored(64))
    by_hand = mirrored.batch(Tuples.of_pairs(torch.tensor([0, 2]), torch.tensor([1, 3])))
    for number in (0, 1):
        ours = always.step(always.phases(torch.device("cpu"))[number], 0, iter([batch((0, 1), (2, 3))] * 2))
        theirs = never.step(never.phases(torch.device("cpu"))[number], 0, iter([by_hand] * 2))
        assert {name: loss.item() for name, loss in ours.items()} == pytest.approx(
            {name: loss.item() for name, loss in theirs.items()}, rel=1e-6
        )


def test_in_the_text_the_discriminator_sees_pairs():
    with torch.device("meta"):
        discriminator, single = PG2(SIZE, convention="paper").discriminator, DCGANDiscriminator(SIZE)
    assert count(discriminator) == count(single) + 3 * 64 * 25


@pytest.mark.slow
def test_it_learns_twelve_pairs_by_heart(tmp_path):
    torch.manual_seed(0)
    method = PG2((64, 32), width=1 / 16, iterations=250, refinement=50, batch_size=3, learning_rate=1e-3, flip=0.0)
    learnt = learn(method, STREETS, tmp_path)
    assert learnt.found == 12
    assert learnt.distance < 0.7 * learnt.of_mean
