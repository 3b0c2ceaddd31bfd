"""Training and measuring Re-ID networks on a handful of people, by their commands."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands import run, write_params
from conftest import official
from scipy.spatial.distance import cdist

from reid.files import samples
from reid.files.images import Archive, encode_jpeg, load, write_zip
from reid.networks import storage


@pytest.mark.parametrize("mirror", [False, True])
def test_scores_are_those_of_the_official_rule(trained, mirror):
    write_params(lambda p: p["reid"]["ide"].update(mirror=mirror))
    run("evaluate", "ide", "--model", "data/reid/real-a1-ide-s0", "--out", "data/scores/real-a1-ide-s0.json")
    network, _ = storage.load("data/reid/real-a1-ide-s0")
    query, gallery = (samples.read(Path(f"data/samples/{split}.parquet")) for split in ("query", "gallery"))
    features = []
    for table in (query, gallery):
        with Archive("data/raw/tiny.zip") as archive, torch.no_grad():
            pixels = np.stack([archive.image(image) for image in table["image"]])
            images = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1
            found = network.embed(images).numpy()
            if mirror:
                pair = (found, network.embed(images.flip(3)).numpy())
                found = sum(one / np.linalg.norm(one, axis=1, keepdims=True) for one in pair)
        features.append(found / np.linalg.norm(found, axis=1, keepdims=True))
    labels = [table[column].to_numpy() for table in (query, gallery) for column in ("identity", "camera")]
    cmc, aps = official(cdist(*features), *labels)
    scores = json.loads(Path("data/scores/real-a1-ide-s0.json").read_text())["distances"]["euclidean"]
    assert scores["rank1"] == pytest.approx(100 * cmc[0], abs=0.006)
    assert scores["mAP"] == pytest.approx(100 * aps.mean(), abs=0.2), "distances this close may swap by rounding"


def test_queries_without_a_match_are_said(trained):
    path = Path("data/samples/gallery.parquet")
    gallery, query = samples.read(path), samples.read(Path("data/samples/query.parquet"))
    lost = query["identity"].iloc[0]
    words = ("evaluate", "ide", "--model", "data/reid/real-a1-ide-s0", "--out", "scores.json")
    assert "queries have no gallery image" not in run(*words)
    samples.write(gallery[gallery["identity"] != lost].reset_index(drop=True), path)
    count = (query["identity"] == lost).sum()
    assert f"{count} of {len(query)} queries have no gallery image of their person in another camera" in run(*words)


def test_scores_take_no_other_files_place(trained):
    words = ("evaluate", "ide", "--model", "data/reid/real-a1-ide-s0", "--out")
    assert "expected --out to end in .json, got lr0.1" in run(*words, "lr0.1", fails=True)
    before = Path("data/samples/query.parquet").read_bytes()
    said = run(*words, "data/samples/query.json", fails=True)
    assert "data/samples/query.parquet would be overwritten, and not by scores" in said
    for name in ("summary", "sheet"):
        assert "would be overwritten, and not by scores" in run(*words, f"data/samples/{name}.json", fails=True)
    assert Path("data/samples/query.parquet").read_bytes() == before
    for _ in range(2):
        run(*words, "lr0.1.json")


def test_a_test_set_of_one_camera_is_refused(trained):
    for split in ("query", "gallery"):
        path = Path(f"data/samples/{split}.parquet")
        samples.write(samples.read(path).assign(camera=1), path)
    words = ("evaluate", "ide", "--model", "data/reid/real-a1-ide-s0", "--out", "scores.json")
    assert "has a gallery image of its person in another camera, so there is nothing to measure" in run(
        *words, fails=True
    )


def with_generated_rows(folder):
    """An augmented set made of the training table and its images turned upside down."""
    train = samples.read(Path("data/samples/train.parquet"))
    name = f"{folder.name}"
    made = train.assign(
        image=[f"{Path(image).with_suffix('')}_g01.jpg" for image in train["image"]],
        archive=str(folder / "images.zip"), origin=name, source=train["image"], pose_of=train["image"], draw=1,
    )  # fmt: skip
    with Archive("data/raw/tiny.zip") as archive:
        turned = [encode_jpeg(np.ascontiguousarray(archive.image(image)[::-1])) for image in train["image"]]
    write_zip(folder / "images.zip", zip(made["image"], turned, strict=True))
    samples.write(pd.concat([train, made]), folder / "train.parquet")
    return train


def test_generated_images_may_be_classes_of_their_own(prepared):
    folder = Path("data/augmented/copy-a2")
    train = with_generated_rows(folder)
    write_params(lambda p: p["reid"]["ide"]["generated"].update(labels="separate", smoothing=0.1))
    run("train-reid", "ide", "--train", folder, "--out", "data/reid/separate")
    config = json.loads(Path("data/reid/separate/config.json").read_text())
    assert config["options"]["classes"] == 2 * config["trained_on"]["identities"] == 8
    assert config["trained_on"]["generated"] == len(train)


def test_metrics_learn_from_real_images_or_from_all(prepared):
    folder = Path("data/augmented/copy-a2")
    with_generated_rows(folder)
    run("train-reid", "ide", "--train", folder, "--out", "data/reid/copy")
    scores = {}
    for which in ("real", "all"):
        write_params(lambda p, which=which: p["evaluation"].update(metric_train=which))
        output = run("evaluate", "ide", "--train", folder, "--model", "data/reid/copy", "--out", f"{which}.json")
        scores[which] = pd.read_parquet(f"{which}.parquet")
        assert Path(f"{which}.png").stat().st_size > 10_000
        assert "xqda: Rank-1" in output
    same = {name: (a.values == b.values).all() for name, a, b in by_distance(scores)}
    assert same == {"euclidean": True, "xqda": False}


def by_distance(scores):
    for name in ("euclidean", "xqda"):
        yield name, *(table.loc[table["distance"] == name, ["ap_trapezoid"]] for table in scores.values())


def test_multi_query_and_distances_that_need_the_whole_gallery(trained):
    scores = {}
    for queries in ("single", "average", "max"):

        def change(params, queries=queries):
            params["evaluation"]["queries"] = queries
            params["reid"]["ide"]["distances"] = ["euclidean", "k-reciprocal", "query-expansion"]

        write_params(change)
        run("evaluate", "ide", "--model", "data/reid/real-a1-ide-s0", "--out", f"{queries}.json")
        file = json.loads(Path(f"{queries}.json").read_text())
        assert file["pooling"] == queries
        assert set(file["distances"]) == {"euclidean", "k-reciprocal", "query-expansion"}
        scores[queries] = pd.read_parquet(f"{queries}.parquet")
        assert Path(f"{queries}.png").stat().st_size > 10_000
    aps = [table["ap_trapezoid"].tolist() for table in scores.values()]
    assert aps[0] != aps[1] != aps[2]
    single = scores["single"].set_index("distance")["ap_trapezoid"]
    assert single["euclidean"].tolist() != single["k-reciprocal"].tolist()


@pytest.mark.slow
def test_distances_have_the_options_and_the_seed_that_they_are_given(trained):
    changed_options = {"k-reciprocal": {"weight": 1.0}, "xqda": {"regulariser": 0.5}}
    tables = {}
    for name, options, words in (
        ("default", {}, ()),
        ("first", {}, ("--seed", 5)),
        ("second", {}, ("--seed", 7)),
        ("options", changed_options, ()),
    ):

        def change(params, options=options):
            params["seeds"], params["distances"] = [5, 7], options
            params["reid"]["ide"]["distances"] = ["euclidean", "k-reciprocal", "xqda"]

        write_params(change)
        run("evaluate", "ide", "--model", "data/reid/real-a1-ide-s0", *words, "--out", f"{name}.json")
        table = pd.read_parquet(f"{name}.parquet")
        tables[name] = {distance: of["ap_trapezoid"].tolist() for distance, of in table.groupby("distance")}
    first, second = tables["first"], tables["second"]
    assert tables["default"] == first
    assert first["xqda"] != second["xqda"], "other pairs of images"
    assert {**first, "xqda": None} == {**second, "xqda": None}
    assert first["k-reciprocal"] != first["euclidean"]
    assert tables["options"]["k-reciprocal"] == first["euclidean"], "nothing but the original distance"
    assert tables["options"]["xqda"] != first["xqda"]


def embedded(names):
    """Features of images by the network of `trained`, as evaluation takes them: (N, D), of any length."""
    network, _ = storage.load("data/reid/real-a1-ide-s0")
    images = load(["data/raw/tiny.zip"] * len(names), names, (128, 64))
    with torch.no_grad():
        return network.eval().embed(images / 127.5 - 1).numpy()


def test_rank_lists_show_each_image_for_what_it_is(trained):
    write_params(lambda p: p["evaluation"].update(normalise=False))
    run("evaluate", "ide", "--model", "data/reid/real-a1-ide-s0", "--out", "real.json")
    file, of_queries = json.loads(Path("real.json").read_text()), pd.read_parquet("real.parquet")
    tables = {name: samples.read(Path(f"data/samples/{name}.parquet")) for name in ("query", "gallery")}
    tables = {name: table.set_index("image") for name, table in tables.items()}
    first = of_queries[of_queries["distance"] == "euclidean"].set_index("query")
    for entry in (*file["rank_lists"], *file["hardest"]):
        query = tables["query"].loc[entry["query"]]
        for image, kind in zip(entry["gallery"], entry["kinds"], strict=True):
            found = tables["gallery"].loc[image]
            same = found["identity"] == query["identity"]
            junk = found["identity"] == -1 or (same and found["camera"] == query["camera"])
            assert kind == ("junk" if junk else "hit" if same else "miss")
        ranked = [kind for kind in entry["kinds"] if kind != "junk"]
        if "hit" in ranked:
            assert ranked.index("hit") + 1 == first.loc[entry["query"], "first_rank"]
        assert entry["average_precision"] == pytest.approx(first.loc[entry["query"], "ap_trapezoid"], abs=1e-4)
        features = embedded([entry["query"], *entry["gallery"]])
        assert entry["distances"] == pytest.approx(cdist(features[:1], features[1:])[0], abs=2e-3)
        assert entry["distances"] == sorted(entry["distances"])
    hardest = first.loc[[entry["query"] for entry in file["hardest"]], "ap_trapezoid"]
    assert hardest.tolist() == sorted(first.loc[first["first_rank"] > 0, "ap_trapezoid"])[: len(hardest)]


def test_the_training_set_of_a_model_has_to_be_given(prepared):
    folder = Path("data/augmented/copy-a2")
    with_generated_rows(folder)
    run("train-reid", "ide", "--train", folder, "--out", "data/reid/copy")
    output = run("evaluate", "ide", "--model", "data/reid/copy", "--out", "copy.json", fails=True)
    assert "was trained on images of copy-a2, real, data/samples/train.parquet has those of real: give" in output
    other = Path("data/augmented/other-a2")
    with_generated_rows(other)
    output = run("evaluate", "ide", "--model", "data/reid/copy", "--train", other, "--out", "copy.json", fails=True)
    assert (
        "was trained on images of copy-a2, real, data/augmented/other-a2/train.parquet has those of other-a2" in output
    )
    words = ("siamese", "--model", "data/reid/copy", "--train", folder)
    assert "data/reid/copy holds a network ide, not siamese" in run(
        "evaluate", *words, "--out", "copy.json", fails=True
    )


def test_real_images_are_trained_on_alike_whatever_the_policy_for_generated_ones(prepared):
    for labels in ("inherit", "separate"):
        write_params(lambda p, labels=labels: p["reid"]["ide"]["generated"].update(labels=labels, smoothing=0.3))
        run("train-reid", "ide", "--out", f"data/reid/{labels}")
    first, second = (Path(f"data/reid/{labels}") for labels in ("inherit", "separate"))
    assert (first / "network.pt").read_bytes() == (second / "network.pt").read_bytes()
    assert (first / "config.json").read_bytes() == (second / "config.json").read_bytes()
    write_params(lambda p: p["reid"]["ide"].update(distances=["euclidean"], mirror=True))
    assert "made before" in run("train-reid", "ide", "--out", "data/reid/separate"), "it is for `evaluate` alone"


@pytest.mark.slow
def test_three_seeds_through_the_report(trained):
    def change(params):
        params |= {"renderings": [], "networks": ["ide"], "seeds": [0, 5, 4], "exports": []}
        params["generators"] = ["full"]

    write_params(change)
    run("augment", "full", "--alpha", 2)
    for row in ("real-a1", "full-a2"):
        train = ("--train", f"data/augmented/{row}")
        for seed in (0, 5, 4):
            model, scored = Path(f"data/reid/{row}-ide-s{seed}"), f"data/scores/{row}-ide-s{seed}.json"
            if not model.exists():
                run("train-reid", "ide", *train, "--seed", seed, "--out", model)
            run("evaluate", "ide", *train, "--model", model, "--out", scored)
    assert (
        Path("data/reid/real-a1-ide-s0/network.pt").read_bytes()
        != Path("data/reid/real-a1-ide-s5/network.pt").read_bytes()
    )
    for name in ("real", "full"):
        run("score-gan", name)
    old = Path("data/report/summary/full-a9.json")  # of a report of other rows, by hand
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    Path("data/gan_scores/real.json").rename("away.json")
    assert "real.json does not exist" in run("report", fails=True)
    assert old.exists(), "what was made before is there as long as something is missing"
    Path("away.json").rename("data/gan_scores/real.json")
    output = run("report")
    assert not old.exists()
    assert " ± " in output
    assert "seeds 0, 5, 4 (mean ± standard deviation)" in output
    metrics = json.loads(Path("data/report/metrics.json").read_text())["real"]["ide"]["euclidean"]
    scores = [
        json.loads(Path(f"data/scores/real-a1-ide-s{seed}.json").read_text())["distances"]["euclidean"]["mAP"]
        for seed in (0, 5, 4)
    ]
    assert metrics["mAP"] == pytest.approx(np.mean(scores), abs=0.006)
    assert metrics["mAP_std"] == pytest.approx(np.std(scores, ddof=1), abs=0.006)
    compared = pd.read_csv("data/report/significance.tsv", sep="\t")
    assert len(compared) == 3 * 2
    gained = pd.read_csv("data/report/gains.tsv", sep="\t").set_index(["distance", "score"])
    differences = compared.set_index(["distance", "score"])["difference"]
    assert gained["gain"].to_numpy() == pytest.approx(differences[gained.index].to_numpy(), abs=0.01)
    assert "Gain: the difference from real, in points of per cent" in output
    assert "Rank-1 gain" in output
    assert "figures/gains.png" in Path("data/report/index.html").read_text()

    write_params(lambda params: change(params) or params["evaluation"].update(queries="average"))
    assert "real, ide: params.yaml says {'distances': ['euclidean', 'xqda', 'kissme'], 'queries': 'average', " in run(
        "report", fails=True
    )
