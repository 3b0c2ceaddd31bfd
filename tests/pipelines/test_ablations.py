"""The papers' ablations: variants, their places, and the tables."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from commands import run
from conftest import ROOT
from ruamel.yaml import YAML

from augment import generators
from augment.generators import GENERATORS
from pipelines import layout, params, variants
from pipelines.__main__ import main
from pipelines.report.published import TABLES
from pipelines.stages.ablations import _line
from reid.common.errors import InputError

PAPER = ROOT / "profiles/paper.yaml"


def test_variants_are_the_papers():
    gan = params.load(PAPER).gan
    found = variants.load(gan)
    full = gan["full"]
    rows = {row.generator for table in TABLES.values() for row in table}
    assert rows == {*found, "baseline", "full", "real"}
    assert all(variant != full for variant in found.values())

    def training(name, key):
        return getattr(found[f"ablations/{name}"].training, key)

    assert [found[f"ablations/{name}"].options["aggregation"] for name in ("average", "linear")] == [
        "average",
        "linear",
    ]
    assert [training(name, "reconstruction_weight") for name in ("lambda_large", "lambda_small")] == [0.1, 0.001]
    assert [training(name, "neighbourhood") for name in ("n1", "n5")] == [1, 5]
    assert found["ablations/no_symmetry"].options["symmetry"] is False
    assert found["ablations/no_masks"].options["regions"] == "unmasked"
    assert (found["ablations/dsc"].features, training("dsc", "neighbourhood")) == ("pixels", 1)
    percloss = found["ablations/percloss"]
    assert percloss.layer == "conv2_1"
    assert percloss.training.reconstruction_weight * 128 == 0.5
    assert percloss.training.iterations == full.training.iterations == 90_000
    assert percloss.options == full.options


def test_a_mistake_in_a_variant_is_named(tmp_path):
    path = tmp_path / "variants.yaml"
    path.write_text("variants: {odd: {training: {neighborhood: 3}}}")
    with pytest.raises(InputError, match=r"variants.yaml: odd: training.neighborhood: unknown parameter"):
        variants.load(params.load(PAPER).gan, path)
    path.write_text("variants: {odd: {trainning: {x: 1}}, plain: }")
    with pytest.raises(InputError, match=r"variants.yaml: odd: trainning: unknown parameter"):
        variants.load(params.load(PAPER).gan, path)
    for text in ("", "variants: [a]", "variants: {odd: 3}"):
        path.write_text(text)
        with pytest.raises(InputError, match="expected `variants`, with a section of changes for each name"):
            variants.load(params.load(PAPER).gan, path)
    path.write_text("variants: [")
    with pytest.raises(InputError, match="variants.yaml is not YAML"):
        variants.load(params.load(PAPER).gan, path)


def test_variants_need_the_released_full(tmp_path):
    gan = params.load(PAPER).gan
    with pytest.raises(InputError, match=r"no section gan.full, which the variants in ablations/variants.yaml change"):
        variants.load({"baseline": gan["baseline"]})
    pixels = gan["full"].model_copy(update={"features": "pixels"})
    with pytest.raises(InputError, match="gan.full.features is pixels; .* copy profiles/variants.yaml"):
        variants.load({**gan, "full": pixels})
    summed = gan["full"].model_copy(update={"convention": "paper"})
    with pytest.raises(InputError, match="gan.full.convention is paper, a loss summed over positions"):
        variants.load({"full": summed})


def test_stages_are_the_variants():
    stages = YAML(typ="safe").load(ROOT / "ablations/dvc.yaml")["stages"]
    assert stages["train_gan"]["foreach"] == stages["score_gan"]["foreach"] == "${variants}"
    root = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    ours, theirs = stages["train_gan"]["do"]["deps"], root["train_gan"]["deps"]
    assert ours == theirs, "a variant is trained by what a generator is trained by"


def test_a_variant_is_trained_and_scored_apart(tmp_path, tiny_zip, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    shutil.copyfile(tiny_zip, "data/raw/tiny.zip")
    shutil.copytree(ROOT / "ablations", "ablations")
    raw = YAML(typ="safe").load(ROOT / "profiles/smoke.yaml")
    raw["dataset"]["path"], raw["pose"]["estimator"], raw["threads"] = "data/raw/tiny.zip", "truth", 1
    raw["gan"]["full"]["training"]["iterations"] = 2
    YAML().dump(raw, Path("params.yaml"))
    for command in ("prepare", "estimate-poses", "pair"):
        run(command)
    result = CliRunner().invoke(main, ["train-gan", "ablations/mean"])
    assert "has no variant ablations/mean; there are ablations/dsc, " in result.output
    run("train-gan", "ablations/average")
    run("score-gan", "ablations/average")
    assert not list(Path(".scratch").iterdir())
    assert not Path("data/gan").exists()
    assert not Path("data/gan_scores").exists()
    config = json.loads(Path("data/ablations/gan/average/config.json").read_text())
    assert config["options"]["aggregation"] == "average"
    assert json.loads(Path("data/ablations/gan_scores/average.json").read_text())["scores"]["ssim"] < 1

    # The tables, from that variant's scores for all, and from generators that were never trained.
    found = json.loads(Path("data/ablations/gan_scores/average.json").read_text())
    names = list(dict.fromkeys(row.generator for rows in TABLES.values() for row in rows))
    for number, name in enumerate(names):
        path = layout.gan_score(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**found, "scores": {**found["scores"], "ssim": number / 100}}))
        if name != "real":
            torch.manual_seed(0)
            built = GENERATORS["unet"]((128, 64), width=0.0625)
            generators.save(built, "unet", {"size": [128, 64], "width": 0.0625}, layout.gan(name))
    layout.gan_noise("full").write_text("sigma\tmask_ssim\n0\t0.9\n5\t0.8\n")
    output = run("ablations")
    tables = Path("data/ablations/report/tables.md").read_text()
    assert tables.strip() in output
    assert tables.count("## Table ") == 7
    for rows in TABLES.values():
        for row in rows:
            assert f"| {row.title}" in tables
            assert f"{names.index(row.generator) / 100:.3f}" in tables
    assert "(" not in tables.split("## Table 5")[1].split("## Fig. 11")[0], "no published numbers"
    assert Path("data/ablations/report/sheet.png").exists()


def test_published_numbers_stand_behind_ours():
    file = {"scores": {"ssim": 0.25, "ds": 0.5, "fd": 12.34}}
    theirs = (0.29, 3.185, 0.805, 3.502, 0.72)
    line = _line("Full", file, theirs, published=True)
    assert (line["SSIM"], line["DS"], line["IS"], line["FD"]) == ("0.250 (0.290)", "0.500 (0.720)", "- (3.185)", "12.3")
    assert _line("Full", file, theirs, published=False)["SSIM"] == "0.250"
