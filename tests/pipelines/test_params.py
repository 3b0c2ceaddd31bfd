import inspect

import pytest
from commands import profile
from conftest import ROOT
from ruamel.yaml import YAML

from augment.methods.pose_gan.deformable import Deformable
from augment.methods.pose_gan.method import PoseGAN
from augment.training import train as train_generator
from pipelines import params
from pipelines.params import ParamsError
from pipelines.stages import check_params
from reid.common.errors import InputError
from reid.distances import DISTANCES
from reid.networks import IDE, Siamese
from reid.training.labelling import label
from reid.training.loop import train


def changed(tmp_path, change):
    raw = profile("demo")
    change(raw)
    path = tmp_path / "params.yaml"
    YAML().dump(raw, path)
    return path


def invent_without(phase, **options):
    """A change of the parameters: people are to be invented, and one phase is left out."""

    def change(raw):
        raw["gan"]["disentangled"] = {**raw["gan"]["full"], "method": "disentangled", "options": {phase: 0}}
        raw["virtual_people"]["virtual"].update(options)
        raw.update(generators=["disentangled"], exports=[], virtual=["virtual"])

    return change


def test_paper_profile_is_the_papers():
    paper = params.check(profile("paper"), "paper")
    assert paper.dataset.name == "market1501"
    assert (paper.pose.estimator, paper.image_size, paper.alphas) == ("annotations", (128, 64), [2, 10])
    for gan in paper.gan.values():
        assert gan.training["average"] == 0
    defaults = {name: argument.default for name, argument in inspect.signature(PoseGAN).parameters.items()}
    baseline, full = (paper.gan[name].options for name in ("baseline", "full"))
    for name, value in full.items():
        assert value == defaults[name] or name == "generator_options", "the method's defaults are the paper's"
    own = inspect.signature(Deformable).parameters
    assert full["generator_options"] == {name: own[name].default for name in full["generator_options"]}
    assert (full["width"], full["iterations"], full["batch_size"], full["learning_rate"]) == (1, 90_000, 4, 2e-4)
    assert (full["generator"], full["features"], full["layer"]) == ("deformable", "vgg19", "conv1_2")
    assert (full["neighbourhood"], full["reconstruction_weight"]) == (3, 0.01)
    assert (baseline["generator"], baseline["features"], baseline["neighbourhood"]) == ("unet", "pixels", 1)
    assert baseline["reconstruction_weight"] == pytest.approx(100 / 3, abs=1e-3)
    shared = ("width", "iterations", "batch_size", "learning_rate", "convention", "background")
    assert all(baseline[name] == full[name] for name in shared)
    scores = paper.scores
    assert (scores.pairs, scores.ssim, scores.classifier) == (12_000, "released", "inception-v3")


def test_paper_profile_has_the_papers_re_id():
    paper = params.check(profile("paper"), "paper")
    options, training = paper.reid["ide"].options, paper.reid["ide"].training
    assert (options["backbone"], options["input_size"], options["dropout"]) == ("resnet50", (224, 224), 0)
    assert options["freeze_batch_norm"]
    assert options["crop_size"] is None
    assert (training["iterations"], training["batch_size"], training["decay_at"]) == (50_000, 16, [20_000, 40_000])
    assert (training["learning_rate"], training["momentum"], training["weight_decay"]) == (1e-3, 0.9, 5e-4)
    assert (training["bias_rate"], training["bias_decay"]) == (2, False)
    siamese = paper.reid["siamese"]
    assert siamese.options == defaults(Siamese, siamese.options), "the recipe behind Table 4"
    assert (siamese.training["iterations"], siamese.training["decay_at"]) == (100_000, [90_000])
    assert (siamese.training["batch_size"], siamese.training["sampling"]) == (16, "drawn")
    assert (siamese.training["learning_rate"], siamese.training["classifier_rate"]) == (1e-3, 1)
    assert (siamese.training["bias_rate"], siamese.training["bias_decay"]) == (1, True)
    assert (training["classifier_rate"], training["flip"], paper.evaluation.normalise) == (1, 0.5, True)
    assert not any(reid.mirror for reid in paper.reid.values())
    assert paper.distances == {name: defaults(part, set(paper.distances[name])) for name, part in DISTANCES.items()}


def defaults(part, names):
    """Of arguments of a class or function."""
    parameters = inspect.signature(part).parameters
    return {name: parameters[name].default for name in names}


def test_what_is_left_out_has_the_default_of_the_signature(tmp_path):
    def change(params):
        params["reid"]["ide"].update(options={}, training={"iterations": 7}, generated={})
        params["distances"] = {"k-reciprocal": {"k1": 7}, "xqda": {}}

    found = params.load(changed(tmp_path, change))
    reid = found.reid["ide"]
    given = {"classes", "pretrained"}
    assert reid.options == defaults(IDE, inspect.signature(IDE).parameters.keys() - given)
    assert set(reid.training) == set(profile("demo")["reid"]["ide"]["training"])
    assert reid.training == {**defaults(train, reid.training), "iterations": 7}
    assert reid.generated == defaults(label, ("labels", "smoothing", "weight"))
    assert found.distances == {
        "euclidean": {},
        "xqda": {"regulariser": 0.001},
        "kissme": {"dimensions": 200},
        "k-reciprocal": {"k1": 7, "k2": 6, "weight": 0.3},
        "query-expansion": {"count": 5, "alpha": 3.0},
    }


def test_sections_whose_keys_all_have_defaults_may_be_left_out(tmp_path):
    def change(params):
        for key in ("options", "training"):
            del params["gan"]["full"][key]
        for key in ("options", "generated"):
            del params["reid"]["ide"][key]

    found = params.load(changed(tmp_path, change))
    gan, reid = found.gan["full"], found.reid["ide"]
    assert gan.options == defaults(PoseGAN, inspect.signature(PoseGAN).parameters.keys() - {"size"})
    assert gan.training == defaults(train_generator, gan.training)
    assert gan.training.keys() == profile("demo")["gan"]["full"]["training"].keys()
    assert reid.options == defaults(IDE, inspect.signature(IDE).parameters.keys() - {"classes", "pretrained"})
    assert reid.generated == defaults(label, ("labels", "smoothing", "weight"))


def test_keys_that_dvc_looks_for_are_asked_for_before_anything_runs(tmp_path, monkeypatch):
    """DVC takes a missing key for an error when it comes to the stage, hours later; commands alone do without."""
    stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    given = [part for stage in stages.values() for part in stage.get("params", ()) if isinstance(part, str)]
    looked_for = {part for part in given if part.startswith("reid.${")}
    keys = {part.rpartition("}.")[2] for part in looked_for}
    assert keys - set(check_params.NAMED_IN_DVC) <= {"network", "training", "mirror", "distances"}, (
        "which have no defaults"
    )

    def change(params):
        for key in check_params.NAMED_IN_DVC:
            del params["reid"]["siamese"][key]
        params["networks"] = networks

    monkeypatch.chdir(tmp_path)
    networks = ["ide"]
    check_params.run(params.load(changed(tmp_path, change)))
    networks = ["ide", "siamese"]
    with pytest.raises(InputError, match="DVC needs the keys options, generated, progressive in reid.siamese"):
        check_params.run(params.load(changed(tmp_path, change)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.update(alpha=2), "alpha: unknown parameter"),
        (lambda p: p.update(seeds=[]), "seeds: List should have at least 1 item"),
        (
            lambda p: p["reid"]["ide"].update(distances=["xqda", "xqda"]),
            r"reid.ide.distances: \['xqda', 'xqda'\] names something twice",
        ),
        (lambda p: p.update(seeds=[1, 1]), r"seeds: \[1, 1\] names something twice"),
        (lambda p: p.update(alphas=[2.0]), r"alphas.0: expected a whole number, got 2.0; write 2: it becomes part of"),
        (lambda p: p.update(alphas=[2, 2.5]), r"alphas.1: expected a whole number, got 2.5; write digits alone"),
        (lambda p: p.update(alphas=[True]), "alphas.0: expected a whole number, got True; write digits alone"),
        (lambda p: p.update(seeds=["0"]), "seeds.0: expected a whole number, got '0'; write 0: it becomes part of"),
        (lambda p: p.update(seeds=[False]), "seeds.0: expected a whole number, got False; write digits alone"),
        (lambda p: p.update(seeds=[-1]), "seeds.0: Input should be greater than or equal to 0, got -1"),
        (lambda p: p["reid"]["ide"]["training"].update(batch_size=1), "reid.ide.training.batch_size: .* got 1"),
        (lambda p: p.update(seeds=[2**63]), "seeds.0: Input should be less than 9223372036854775808"),
        (lambda p: p["gan"]["full"]["options"].update(learning_rate=float("inf")), "learning_rate: .* got inf"),
        (lambda p: p["gan"]["full"]["options"].update(learning_rate=float("nan")), "learning_rate: .* got nan"),
        (lambda p: p["gan"]["full"]["options"].update(iterations=10**30), "iterations: .* less than or equal to"),
        (lambda p: p.update(seeds=[None]), "seeds.0: expected a whole number, got None"),
        (lambda p: p.update(generators=[1]), "generators.0: expected a name of lower-case letters, digits .* got 1"),
        (lambda p: p.update(networks=[True]), "networks.0: expected a name of lower-case letters, .* got True"),
        (lambda p: p.update(exports=["a b"]), "exports.0: expected a name of lower-case letters, .* got 'a b'"),
        (lambda p: p["reid"].update({"IDE": p["reid"]["ide"]}), "reid.IDE: expected a name of lower-case letters"),
        (lambda p: p["scores"].update(identity=1), "scores.identity: expected a name of lower-case letters"),
        (lambda p: p.update(pose=5), "pose: Input should be a valid dictionary .* got 5"),
        (lambda p: p["pose"].update(options={}), "pose.options: unknown parameter"),
        (
            lambda p: p["pose"].update(blazepose={"padding": 0.5, "processes": 2}),
            r"pose.blazepose.padding: .* got 0.5\n  pose.blazepose.processes: unknown parameter",
        ),
        (lambda p: p["pose"].update(truth=1), "pose.truth: Input should be a valid dictionary, got 1"),
        (lambda p: p["gan"]["full"].update(options=1), "gan.full.options: Input should be a valid dictionary, got 1"),
        (lambda p: p["dataset"].update(path=5), "dataset.path: Input should be a valid string, got 5"),
        (
            lambda p: p["reid"]["siamese"]["training"].update(sampling="single"),
            "reid.siamese.training.sampling: a siamese network learns from pairs: drawn or counted, got single",
        ),
        (
            lambda p: p["reid"]["siamese"]["training"].pop("sampling"),
            "reid.siamese.training.sampling: a siamese network learns from pairs: drawn or counted, got single",
        ),
        (
            lambda p: p["reid"]["ide"]["training"].update(sampling="all"),
            "reid.ide.training.sampling: unknown name 'all'; known are single, balanced, drawn",
        ),
        (lambda p: p["reid"]["ide"]["training"].update(lr=1), "reid.ide.training.lr: unknown parameter"),
        (lambda p: p["reid"]["ide"]["training"].pop("iterations"), "reid.ide.training.iterations: Field required"),
        (lambda p: p["reid"]["ide"]["training"].update(momentum=2), "reid.ide.training.momentum: .* got 2"),
        (lambda p: p["reid"]["ide"].update(network="triplet"), "reid.ide.network: unknown name 'triplet'; known are"),
        (lambda p: p["reid"]["ide"].pop("mirror"), "reid.ide.mirror: Field required"),
        (lambda p: p["reid"]["ide"]["options"].update(dropout=1.5), "reid.ide.options.dropout: .* got 1.5"),
        (
            lambda p: p["reid"]["siamese"]["options"].update(verifier_rate=0, crop_size=[1, 0]),
            r"reid.siamese.options.crop_size.1: .* got 0\n  reid.siamese.options.verifier_rate: .* than 0, got 0",
        ),
        (lambda p: p["distances"].update(cosine={}), "distances.cosine: unknown name 'cosine'; known are euclidean"),
        (
            lambda p: p["distances"]["k-reciprocal"].update(k1=0, k3=1),
            r"distances.k-reciprocal.k1: .* equal to 1, got 0\n  distances.k-reciprocal.k3: unknown parameter",
        ),
        (lambda p: p["distances"]["xqda"].update(seed=1), "distances.xqda.seed: unknown parameter"),
        (lambda p: p["distances"].update(euclidean={"p": 1}), "distances.euclidean.p: unknown parameter"),
        (
            lambda p: p["distances"].update(kissme=None),
            "distances.kissme: Input should be a valid dictionary, got None",
        ),
        (lambda p: p["reid"]["ide"].update(distances=["cosine"]), "unknown name 'cosine'; known are euclidean, xqda"),
        (
            lambda p: p["reid"]["ide"]["options"].update(crop_size=[200, 50]),
            r"reid.ide.options: crop_size \(200, 50\) is larger than input_size \(96, 48\)",
        ),
        (
            lambda p: p["reid"]["ide"]["options"].update(backbone="torchvision:resnet19"),
            "no backbone torchvision:resnet19: .* the nearest are torchvision:resnet18",
        ),
        (
            lambda p: p["reid"]["ide"]["options"].update(backbone="torchvision:resnet18"),
            "reid.ide.options.weights: backbone torchvision:resnet18 needs a file of its weights",
        ),
        (lambda p: p["reid"]["ide"]["options"].update(pairs=2), "reid.ide.options.pairs: unknown parameter"),
        (lambda p: p["reid"]["ide"]["generated"].update(labels="own"), "reid.ide.generated.labels: .* got 'own'"),
        (lambda p: p["reid"]["ide"]["generated"].update(smoothing=2), "reid.ide.generated.smoothing: .* got 2"),
        (
            lambda p: p["evaluation"].update(queries="max", normalise=False),
            "evaluation.queries: max makes queries of length 1, so normalise must be true",
        ),
        (lambda p: p["gan"]["full"]["training"].update(lr=1), "gan.full.training.lr: unknown"),
        (lambda p: p.pop("seed"), "seed: Field required"),
        (lambda p: p.update(alphas=[0]), "alphas: 0 is not possible: .* from 2; alpha = 1 is the row `real`"),
        (lambda p: p.update(alphas=[1, 2]), "alphas: 1 is not possible"),
        (lambda p: p.update(alphas=[2, 2]), "names something twice"),
        (lambda p: p.update(alphas=[]), "alphas: List should have at least 1 item"),
        (
            lambda p: p.update(generators=["fulll"]),
            "generators: fulll has no section gan.fulll; there are baseline, full",
        ),
        (
            lambda p: p.update(renderings=["view"]),
            "renderings.0: unknown name 'view'; known are views, identities, pasted",
        ),
        (
            lambda p: p["dataset"].update(name="market1501") or p.update(renderings=["views"]),
            "views needs a rendered data set, dataset.name is market1501",
        ),
        (lambda p: p["gan"].update(views=p["gan"]["full"]), "gan.views: is the name of a rendering, which `augment`"),
        (
            lambda p: p.update(generators=["identities"], gan={"identities": p["gan"]["full"]}),
            "gan.identities: is the name of a rendering",
        ),
        (
            lambda p: p["gan"].update(real=p["gan"]["full"]),
            "gan.real: is the name of the row of real images, whose files",
        ),
        (lambda p: p["reid"]["ide"].pop("training"), "reid.ide.training.iterations: Field required"),
        (lambda p: p["reid"]["siamese"].pop("training"), "reid.siamese.training.iterations: Field required"),
        (
            lambda p: p.update(exports=["dsc"]),
            "exports: dsc is none of generators, renderings, selections and virtual: baseline, full, views",
        ),
        (lambda p: p.update(exports=["full", "full"]), "exports: .* names something twice"),
        (
            lambda p: p.update(selections=["none"]),
            "selections: none has no section selection.none; there",
        ),
        (lambda p: p["selection"]["full_best"].update(draws=1), "selection.full_best.draws: .* got 1"),
        (
            lambda p: p["selection"]["full_best"].update(generator="dsc") or p.update(selections=["full_best"]),
            "selection.full_best: dsc is none of generators and variants: baseline, full",
        ),
        (
            lambda p: p["selection"].update(full=p["selection"]["full_best"]),
            "selection.full: is the name of a section of gan, whose row it would share",
        ),
        (
            lambda p: p["gan"]["full"].update(method="disentangled", initial=None, options={"pose_iterations": 0}),
            "gan.full.options.pose_iterations: must be above 0 where pose_mapping_iterations is",
        ),
        (
            lambda p: p.update(virtual=["virtual"]),
            "virtual_people.virtual: disentangled is none of generators and variants: baseline, full",
        ),
        (
            lambda p: p["virtual_people"]["virtual"].update(generator="full") or p.update(virtual=["virtual"]),
            "virtual_people.virtual: full has method pose_gan, and only disentangled invents",
        ),
        (
            invent_without("mapping_iterations"),
            "virtual_people.virtual: disentangled does not .* set gan.disentangled.options.mapping_iterations above 0",
        ),
        (
            invent_without("pose_mapping_iterations", poses="sampled"),
            "virtual_people.virtual: .* set gan.disentangled.options.pose_mapping_iterations above 0",
        ),
        (
            lambda p: p["virtual_people"].update(full_best=p["virtual_people"]["virtual"]),
            "virtual_people.full_best: is the name of a section of selection, whose row it would share",
        ),
        (
            lambda p: (
                p["dataset"].update(name="dukemtmc-reid") or p.update(renderings=["identities"], exports=["identities"])
            ),
            "exports: identities has people whose numbers DukeMTMC-reID's names cannot hold",
        ),
        (lambda p: p["virtual_people"]["virtual"].update(images=1), "virtual_people.virtual.images: .* got 1"),
        (lambda p: p["reid"]["strong"]["options"].update(margn=1), "reid.strong.options.margn: unknown parameter"),
        (
            lambda p: p["reid"]["strong"]["training"].update(batch_size=30, sampling="balanced"),
            "reid.strong.training.batch_size: must be a multiple of 4, .*; got 30",
        ),
        (lambda p: p["dataset"].update(train_images=1), "dataset.train_images: .* got 1"),
        (
            lambda p: p["dataset"].update(name="msmt17") or p.update(renderings=[]),
            "exports: images of msmt17 are not named as other libraries' readers want it; set `exports: \\[\\]`",
        ),
        (lambda p: p["scores"].update(pairs=9), "scores.pairs: Input should be greater than or equal to 10, got 9"),
        (lambda p: p["scores"].update(classifier="inception"), "known are efficientnet-lite0, inception-v3"),
        (lambda p: p["scores"].update(identity="xqda"), "scores.identity: xqda is none of networks: ide"),
        (lambda p: p["dataset"].update(name="market"), "unknown name 'market'; known are market1501, dukemtmc-reid"),
        (
            lambda p: p["gan"]["full"]["options"].update(width=0),
            "gan.full.options.width: Input should be greater than 0, got 0",
        ),
        (
            lambda p: p["gan"]["full"]["options"]["generator_options"].update(aggregation="mean"),
            "gan.full.options.generator_options.aggregation: Input should be 'maximum', 'average' or 'linear', got",
        ),
        (
            lambda p: p["gan"]["baseline"]["options"].update(generator_options={"symmetry": True}),
            "gan.baseline.options.generator_options.symmetry: unknown parameter",
        ),
        (
            lambda p: p["gan"]["full"]["options"].update(convention="text"),
            "gan.full.options.convention: Input should be 'released', 'gaussian' or 'paper', got 'text'",
        ),
        (lambda p: p["gan"]["full"]["options"].update(layer="conv9_1"), "layer: Input should be 'conv1_1', 'conv1_2'"),
        (lambda p: p["gan"]["full"].update(method="gan"), "gan.full.method: unknown name 'gan'; known are pose_gan"),
        (lambda p: p.update(variants=["none"]), "variants: none has no section gan.none; there are baseline, full"),
        (lambda p: p.update(variants=["full"]), "variants: full is one of generators already; take it out"),
        (lambda p: p.update(noise=["dsc"]), "noise: dsc is none of generators and variants: baseline, full"),
        (lambda p: p.update(sources=["dsc"]), "sources: dsc is none of generators and variants: baseline, full"),
        (lambda p: p.update(sources=["full"]), "sources: full draws from one source; choose methods that take several"),
        (lambda p: p.update(image_size=[100, 50]), "multiples of 32, .* halves them 5 times, got 100x50"),
        (lambda p: p.update(device="gpu"), "device: Input should be 'auto', 'cpu' or 'cuda', got 'gpu'"),
        (lambda p: p["gan"]["full"]["options"].update(neighbourhood=4), "neighbourhood: must be odd, got 4"),
    ],
)
def test_mistakes_are_named(tmp_path, change, message):
    with pytest.raises(ParamsError, match=message) as error:
        params.load(changed(tmp_path, change))
    assert str(tmp_path / "params.yaml") in str(error.value)


def test_options_are_kept_as_they_were_understood(tmp_path):
    path = changed(tmp_path, lambda p: p["gan"]["full"].update(options={"background": "no"}))
    assert params.load(path).gan["full"].options["background"] is False


def test_small_numbers_are_numbers(tmp_path):
    path = changed(tmp_path, lambda p: None)
    path.write_text(path.read_text().replace("learning_rate: 0.0001", "learning_rate: 1e-4"))
    assert params.load(path).gan["full"].options["learning_rate"] == 1e-4


def test_no_file_and_no_yaml(tmp_path):
    with pytest.raises(ParamsError, match="does not exist: run from the project's root, and write it"):
        params.load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("# nothing")
    with pytest.raises(ParamsError, match="is empty: write it with `python -m pipelines profile demo`"):
        params.load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [")
    with pytest.raises(ParamsError, match="is not YAML"):
        params.load(tmp_path / "params.yaml")
