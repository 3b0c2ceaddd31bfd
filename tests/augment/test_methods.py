"""What every method keeps to: those in METHODS, and a toy that is as unlike them as can be."""

import json
import re
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from poses import random_poses
from toy_method import Toy

from augment import methods
from augment.data.people import People
from augment.data.tuples import Tuples
from augment.methods import METHODS
from augment.methods.pose_gan.method import PoseGAN
from augment.poses import Pose
from augment.training import train
from reid.common.checkpoints import Scratch, State
from reid.common.errors import InputError

# Methods, and options with which they are small and train in moments.
TINY = {"width": 0.0625, "features": "pixels", "iterations": 2, "batch_size": 2}
TINY_FACTORS = {
    "width": 0.03125,
    "iterations": 2,
    "batch_size": 2,
    "pose_iterations": 2,
    "pose_batch_size": 2,
    "mapping_iterations": 2,
    "pose_mapping_iterations": 2,
    "mapping_batch_size": 2,
}
TINY_STAGES = {"width": 0.03125, "iterations": 2, "refinement": 2, "batch_size": 2}
GUIDED = {
    **TINY,
    "people": 2,
    "guider_options": {"backbone": "mobilenet-v2", "input_size": [32, 32]},
    "guider_iterations": 2,
    "guider_batch_size": 2,
}
TINY_CODES = {**TINY, "decay_start": 1, "divergence_start": 1, "divergence_end": 2}
CASES = {
    "unet": ("pose_gan", {"generator": "unet", **TINY}),
    "deformable": ("pose_gan", {"generator": "deformable", **TINY}),
    "text": ("pose_gan", {"generator": "deformable", "convention": "paper", **TINY}),
    "sources": ("multi_source", {"sources": 3, "tuning": 2, **TINY}),
    "sources, text": ("multi_source", {"sources": 3, "tuning": 2, "convention": "paper", **TINY}),
    "sources, random": (
        "multi_source",
        {"sources": 3, "tuning": 2, "tuned_with": "random", "background": True, "background_dropout": 0.1, **TINY},
    ),
    "disentangled": ("disentangled", TINY_FACTORS),
    "disentangled, no backgrounds": ("disentangled", {"backgrounds": False, **TINY_FACTORS}),
    "disentangled, text": ("disentangled", {"convention": "paper", **TINY_FACTORS}),
    "pg2": ("pg2", TINY_STAGES),
    "pg2, text": ("pg2", {"convention": "paper", **TINY_STAGES}),
    "guided": ("guided", GUIDED),
    "guided, deformable": ("guided", {**GUIDED, "generator": "deformable", "guider_iterations": 0}),
    "vunet": ("vunet", TINY_CODES),
    "vunet, text": ("vunet", {"convention": "paper", **TINY_CODES}),
    "toy": ("toy", {"iterations": 2}),
}
PEOPLE = People(
    torch.randint(0, 256, (6, 3, 128, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
    random_poses(6, 0),
    identities=torch.tensor([1, 1, 1, 1, 2, 2]),
)
PAIRS = torch.tensor([(a, b) for a in range(6) for b in range(6) if a != b and (a < 4) == (b < 4)])


@pytest.fixture(params=CASES)
def name(request, monkeypatch):
    monkeypatch.setitem(METHODS, "toy", Toy)
    return request.param


def build(name, made=None):
    method, options = CASES[name]
    torch.manual_seed(0)
    return (made or METHODS[method])(size=(128, 64), **options)


def test_every_method_is_tested_here():
    assert {method for method, _ in CASES.values()} == {*METHODS, "toy"}


def ready(method):
    for network in method.networks.values():
        network.eval()
    return method


def a_batch(method, people=PEOPLE):
    """Three samples; the last has one source only where others have more."""
    most = method.needs.sources
    sources = torch.tensor([[0, 1, 2], [1, 2, 3], [4, 4, 4]])[:, :most]
    valid = torch.ones(3, most, dtype=torch.bool)
    valid[2, 1:] = False
    return people.batch(Tuples(sources, valid, torch.tensor([3, 0, 5])))


def weights(method):
    return {(n, k): v.clone() for n, network in method.networks.items() for k, v in network.state_dict().items()}


def test_networks_are_named_and_some_generate(name):
    method = build(name)
    assert set(method.inference) <= set(method.networks)
    assert method.inference
    assert method.size == (128, 64)


def test_images_are_in_range(name):
    generated = ready(build(name)).generate(a_batch(build(name)))
    assert generated.shape == (3, 3, 128, 64)
    assert generated.abs().max() <= 1


def test_samples_do_not_mix(name):
    method = ready(build(name))
    together = a_batch(method)
    alone = replace(
        together,
        source=together.source[1:2],
        source_pose=together.source_pose[1:2],
        target_pose=together.target_pose[1:2],
        source_valid=together.valid()[1:2],
        identity=together.identity[1:2],
        target=None,
    )
    # Rounding alone may differ; VUNet's, untrained, is that of outputs far beyond the images' range.
    tolerance = 1e-4 if name.startswith("vunet") else 1e-5
    torch.testing.assert_close(method.generate(together)[1:2], method.generate(alone), atol=tolerance, rtol=1e-4)


def test_source_and_target_pose_both_matter(name):
    method = ready(build(name))
    one = a_batch(method)
    other_image = replace(one, source=-one.source)
    other_pose = replace(one, target_pose=random_poses(3, 9))
    assert not torch.allclose(method.generate(one), method.generate(other_image))
    assert not torch.allclose(method.generate(one), method.generate(other_pose))


def test_the_target_image_is_not_looked_at(name):
    method = ready(build(name))
    batch = a_batch(method)
    assert torch.equal(method.generate(batch), method.generate(replace(batch, target=None)))


@pytest.mark.parametrize("name", [name for name, (method, _) in CASES.items() if method == "multi_source"])
def test_a_source_that_is_not_valid_has_no_influence(name):
    method = ready(build(name))
    batch = a_batch(method)
    assert not batch.valid().all()
    others = batch.source.clone()
    others[~batch.valid()] = 0.5
    assert torch.equal(method.generate(batch), method.generate(replace(batch, source=others)))


def test_generating_repeats_in_evaluation_mode(name):
    method = ready(build(name))
    batch = a_batch(method)
    first, again = (torch.manual_seed(0) and method.generate(batch) for _ in range(2))
    assert torch.equal(first, again)


def test_usable_says_one_bool_a_pose(name):
    poses = random_poses(6, 0)
    for usable in (build(name).usable_source, build(name).usable_target):
        assert usable(poses).shape == (6,)
        assert usable(poses).dtype == torch.bool
        assert usable(poses).all()
        grid = Pose(poses.joints.view(2, 3, 18, 2), poses.visible.view(2, 3, 18))
        assert torch.equal(usable(grid).flatten(), usable(poses))


def test_each_phase_trains_and_names_finite_losses(name):
    method = build(name)
    phases = method.phases(torch.device("cpu"))
    assert len({phase.name for phase in phases}) == len(phases)
    for phase in phases:
        assert set(phase.trains) <= set(method.networks)
        before, taken = weights(method), []

        for network_name, network in method.networks.items():
            network.train(network_name in phase.trains)

        def batches(phase=phase, taken=taken):
            for _ in range(phase.batches):
                taken.append(1)
                yield a_batch(method)

        if hasattr(method, "begin"):
            method.begin(phase, PEOPLE)
        losses = method.step(phase, 0, batches())
        assert 1 <= len(taken) <= phase.batches
        assert losses
        assert all(loss.ndim == 0 and loss.isfinite() for loss in losses.values())
        changed = {key[0] for key, value in weights(method).items() if not torch.equal(value, before[key])}
        assert changed == set(phase.trains)
        assert set(method.step(phase, 1, batches())) == set(losses)


@pytest.mark.parametrize("size", [(96, 48), (64, 32), (32, 16)])
def test_small_images_are_learnt_from_and_drawn_or_refused(name, size):
    method, options = CASES[name]
    if method in ("pose_gan", "multi_source", "guided") and size != (64, 32):
        with pytest.raises(InputError, match=f"got {size[0]}x{size[1]}"):
            METHODS[method].check_size(size)
        return
    if hasattr(METHODS[method], "check_size"):
        METHODS[method].check_size(size)
    small = People(
        PEOPLE.images[:, :, : size[0], : size[1]], PEOPLE.poses.scaled([(128, 64)] * 6, size), None, PEOPLE.identities
    )
    torch.manual_seed(0)
    method = METHODS[method](size=size, **options)
    phase = method.phases(torch.device("cpu"))[0]
    for network_name, network in method.networks.items():
        network.train(network_name in phase.trains)
    if hasattr(method, "begin"):
        method.begin(phase, small)
    losses = method.step(phase, 0, iter([a_batch(method, small)] * phase.batches))
    assert all(loss.isfinite() for loss in losses.values())
    assert ready(method).generate(a_batch(method, small)).shape == (3, 3, *size)


def test_it_survives_a_folder(name, tmp_path):
    method = ready(build(name))
    for folder in ("a", "b"):
        methods.save(method, *CASES[name], tmp_path / folder)
    assert (tmp_path / "a/weights.pt").read_bytes() == (tmp_path / "b/weights.pt").read_bytes()
    loaded = methods.load(tmp_path / "a")
    assert torch.equal(loaded.generate(a_batch(method)), method.generate(a_batch(method)))


def run(scratch, name, **options):
    method = build(name)
    schedule = {"average": 0.5, "log_every": 2, "checkpoint_every": 1, "sample_every": 2}
    log = train(method, PEOPLE, PAIRS, scratch, **schedule | options)
    return method, log


class InMemory(State):
    """Keeps the state without a file, which takes seconds for large networks; each time it has, the run is killed."""

    state = None

    def load(self):
        return deepcopy(self.state)

    def save(self, state):
        self.state = deepcopy(state)
        raise KeyboardInterrupt


def test_a_run_that_is_interrupted_anywhere_ends_with_the_same_weights(name, tmp_path):
    sheets = []
    whole, log = run(
        Scratch("whole", {}, tmp_path), name, on_samples=lambda averaged, done, minutes: sheets.append(done)
    )
    phases = build(name).phases(torch.device("cpu"))
    assert [row["phase"] for row in log] == [phase.name for phase in phases]
    assert [row["iteration"] for row in log] == [2] * len(phases)
    drawing = max(number for number, phase in enumerate(phases) if phase.draws)
    assert sheets[-1] == sum(phase.iterations for phase in phases[: drawing + 1])

    memory, on_disk = InMemory(tmp_path), Scratch("broken", {}, tmp_path)
    for number in range(sum(phase.iterations for phase in phases)):
        with pytest.raises(KeyboardInterrupt):
            run(memory, name)
        if number % 2 == 0:  # after the first iteration of each phase
            on_disk.save(memory.state)
            memory.state = on_disk.load()
    on_disk.save(memory.state)
    resumed, resumed_log = run(on_disk, name)
    ours, expected = weights(resumed), weights(whole)
    assert all(torch.equal(ours[key], expected[key]) for key in expected)
    assert resumed_log == log


def test_losses_that_are_not_finite_are_refused(name, tmp_path):
    class Broken(METHODS[CASES[name][0]]):
        def step(self, phase, iteration, batches):
            losses = super().step(phase, iteration, batches)
            return {key: loss * torch.nan for key, loss in losses.items()}

    method = build(name, Broken)
    first = method.phases(torch.device("cpu"))[0].name
    with pytest.raises(FloatingPointError, match=f"not finite in phase {first} by iteration 2: .*learning rate"):
        train(method, PEOPLE, PAIRS, Scratch("nan", {}, tmp_path), log_every=2)


def test_an_unknown_method_and_a_missing_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config.json does not exist: .* holds no trained method"):
        methods.load(tmp_path)
    methods.save(build("unet"), "gone", CASES["unet"][1], tmp_path)
    with pytest.raises(ValueError, match="names the method gone; there are pose_gan"):
        methods.load(tmp_path)


def test_options_that_are_no_more_are_named(tmp_path):
    options = {**CASES["unet"][1], "mirror": True, "generator_options": {"symmetry": True}}
    methods.save(build("unet"), "pose_gan", options, tmp_path)
    with pytest.raises(
        InputError, match=r"config.json: mirror: unknown parameter: .* of PoseGAN .*; run train-gan again"
    ):
        methods.load(tmp_path)
    del options["mirror"]
    methods.save(build("unet"), "pose_gan", options, tmp_path)
    with pytest.raises(InputError, match=r"config.json: generator_options.symmetry: unknown parameter: "):
        methods.load(tmp_path)


@pytest.mark.parametrize("size", [64, [64], [64, 32, 3], [64, "32"], [64, 0], None])
def test_a_size_that_is_no_pair_is_named(tmp_path, size):
    methods.save(build("unet"), *CASES["unet"], tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "size": size}))
    message = rf"config.json: size: expected \[height, width\] in pixels, got {re.escape(repr(size))}; restore"
    with pytest.raises(InputError, match=message):
        methods.load(tmp_path)


def test_a_training_starts_from_the_weights_of_another(name, tmp_path):
    first = build(name)
    for value in (value for network in first.networks.values() for value in network.state_dict().values()):
        value.copy_(value.logical_not() if value.dtype == torch.bool else value + 1)
    methods.save(first, *CASES[name], tmp_path / "first", [{"iterations": 2}])
    torch.manual_seed(1)
    second = METHODS[CASES[name][0]](size=(128, 64), **CASES[name][1])
    expected = weights(first)
    assert not any(torch.equal(value, expected[key]) for key, value in weights(second).items())
    assert methods.start_from(second, CASES[name][1], tmp_path / "first") == [{"iterations": 2}]
    assert all(torch.equal(value, expected[key]) for key, value in weights(second).items())


def test_what_only_training_needs_may_be_missing_from_the_start(tmp_path):
    method = build("unet")
    methods.save(method, *CASES["unet"], tmp_path)
    state = torch.load(tmp_path / "weights.pt")
    torch.save({"generator": state["generator"]}, tmp_path / "weights.pt")
    torch.manual_seed(1)
    other = METHODS["pose_gan"](size=(128, 64), **CASES["unet"][1])
    before = {key: value.clone() for key, value in other.discriminator.state_dict().items()}
    methods.start_from(other, CASES["unet"][1], tmp_path)
    assert all(torch.equal(value, before[key]) for key, value in other.discriminator.state_dict().items())
    assert torch.equal(other.generator.decoder.last.weight, method.generator.decoder.last.weight)
    torch.save({}, tmp_path / "weights.pt")
    with pytest.raises(InputError, match=r"expected the weights of the network .* those of .*config.json"):
        methods.start_from(other, CASES["unet"][1], tmp_path)


def test_weights_to_start_from_fit_the_method(tmp_path):
    options = CASES["unet"][1]
    with pytest.raises(FileNotFoundError, match=r"config.json does not exist: .* holds no weights to start from"):
        methods.start_from(build("unet"), options, tmp_path)
    methods.save(build("unet"), *CASES["unet"], tmp_path)
    with pytest.raises(InputError, match=r"for images of \[64, 64\]; this is pose_gan, for images of \[128, 64\]"):
        methods.start_from(METHODS["pose_gan"](size=(64, 64), **options), options, tmp_path)
    wider = options | {"width": 0.125}
    with pytest.raises(InputError, match=r"those of .*config.json: width is 0.0625 there, 0.125 here$"):
        methods.start_from(METHODS["pose_gan"](size=(128, 64), **wider), wider, tmp_path)
    with pytest.raises(InputError, match="to start from, a method like the one in params.yaml is needed"):
        methods.start_from(Toy((128, 64)), {}, tmp_path)


def test_backgrounds_are_withheld_from_a_share():
    method = PoseGAN((128, 64), "unet", background=True, background_dropout=0.25, **TINY)
    assert method.needs.background_optional
    backgrounds = torch.rand(40, 3, 128, 64) + 1
    batch = replace(a_batch(build("unet")), source=torch.zeros(40, 1, 3, 128, 64), background=backgrounds)
    torch.manual_seed(0)
    shown = method._with_background(batch).background
    withheld = shown.flatten(1).abs().amax(1) == 0
    assert 3 <= withheld.sum() <= 18
    assert torch.equal(shown[~withheld], backgrounds[~withheld])
    always = PoseGAN((128, 64), "unet", background=True, **TINY)
    assert always._with_background(batch) is batch


def test_without_backgrounds_it_trains_and_draws_on_grey(tmp_path):
    options = {"background": True, "background_dropout": 0.25, **TINY}
    method = PoseGAN((128, 64), "unet", **options)
    train(method, PEOPLE, PAIRS, Scratch("s", {}, tmp_path))
    grey = replace(a_batch(method), background=torch.zeros(3, 3, 128, 64))
    torch.testing.assert_close(method.generate(a_batch(method)), method.generate(grey))
    always = ready(PoseGAN((128, 64), "unet", background=True, **TINY))
    with pytest.raises(InputError, match="draws people before a given background"):
        always.generate(a_batch(method))


def test_weights_that_are_not_the_methods_are_named(tmp_path):
    methods.save(build("unet"), *CASES["unet"], tmp_path)
    state = torch.load(tmp_path / "weights.pt")
    weights = state["generator"]
    first = next(iter(weights))
    for wrong, message in (
        ({"other": weights}, "expected weights of the networks generator, got other"),
        (weights[first], "expected weights of networks by name, got Tensor"),
        ({"generator": 3}, "expected the weights of the network in config.json"),
        ({"generator": {**weights, first: torch.zeros(1)}}, f"expected the weights .* size mismatch for {first}"),
        ({"generator": {**weights, "more": torch.zeros(1)}}, 'expected the weights .* Unexpected key.*: "more"'),
    ):
        torch.save(wrong, tmp_path / "weights.pt")
        with pytest.raises(
            InputError, match=rf"weights.pt: {message}.*; restore it .`dvc checkout -f`, .*, or train again"
        ):
            methods.load(tmp_path)
