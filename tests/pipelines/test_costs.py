"""The images of a training set that cost most."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import run
from PIL import Image

from pipelines.commands.costs import find


def tables():
    """9 real images of 3 people in 2 cameras, 6 new ones, and features of all."""
    random = np.random.default_rng(0)
    names = [f"{n}.jpg" for n in range(9)]
    real = pd.DataFrame({"image": names, "identity": np.arange(9) // 3, "camera": np.arange(9) % 2})
    new = pd.DataFrame({"image": [f"new{n}.jpg" for n in range(6)], "source": names[:6], "pose_of": names[3:]})
    new = new.assign(identity=real["identity"][:6], camera=1, further_sources=["", "8.jpg|7.jpg", "", "", "", ""])
    features = random.normal(size=(15, 2)).astype(np.float32)
    return real, new, features[:9], features[9:]


def slow_cost_to_own(real, new, of_real, of_new, image):
    own = np.flatnonzero(real["identity"] == new["identity"][image])
    without, whole = (slow_mean_average_precision(real, new, of_real, of_new, which, own) for which in (image, None))
    return (without - whole) * len(own) / len(real)


def slow_mean_average_precision(real, new, of_real, of_new, without, queries=None):
    values = []
    for query in range(len(real)) if queries is None else queries:
        ranked = []
        for other in range(len(real)):
            same = real["identity"][other] == real["identity"][query]
            if not (same and real["camera"][other] == real["camera"][query]):  # the query itself is one of these
                ranked.append((np.linalg.norm(of_real[query] - of_real[other]), same))
        for image in range(len(new)):
            made_from = [new["source"][image], new["pose_of"][image], *new["further_sources"][image].split("|")]
            same = new["identity"][image] == real["identity"][query]
            junk = same and new["camera"][image] == real["camera"][query]
            if image != without and real["image"][query] not in made_from and not junk:
                ranked.append((np.linalg.norm(of_real[query] - of_new[image]), same))
        hits = [same for _, same in sorted(ranked)]
        found = np.cumsum(hits)
        values.append(np.mean([found[rank] / (rank + 1) for rank in range(len(hits)) if hits[rank]]))
    return np.mean(values)


def test_the_cost_is_the_rise_of_mean_average_precision_without_the_image(monkeypatch):
    monkeypatch.setattr("pipelines.commands.costs.CELLS", 4 * 15)
    given = tables()
    found = find(*given)
    whole = slow_mean_average_precision(*given, without=None)
    expected = [slow_mean_average_precision(*given, without=image) - whole for image in range(6)]
    np.testing.assert_allclose(found.cost, expected, atol=1e-6)
    assert {value > 0 for value in expected} == {True, False}
    of_own = [slow_cost_to_own(*given, image) for image in range(6)]
    np.testing.assert_allclose(found.cost - found.to_others, of_own, atol=1e-6)
    real, new = given[:2]
    whose = real["identity"].to_numpy()[found.taken_for]
    assert (whose != new["identity"])[found.taken_for >= 0].all()
    assert ((found.taken_for >= 0) == (found.to_others > 0)).all()


def test_an_image_is_taken_for_the_one_whose_search_it_harms():
    real = pd.DataFrame({"image": ["a1", "a2", "b1", "b2"], "identity": [1, 1, 2, 2], "camera": [1, 2, 1, 2]})
    new = pd.DataFrame({"image": ["n"], "source": ["a1"], "pose_of": ["a2"], "identity": [1], "camera": [1]})
    of_real = np.float32([[0, 0], [0, 1], [9, 0], [9, 4]])
    found = find(real, new.assign(further_sources=""), of_real, np.float32([[9, -1]]))
    assert found.taken_for.tolist() == [2], "b1, to which it is nearer than b2 is; b2 finds b1 first"
    assert found.cost == pytest.approx(0.5 / 4)
    harmless = find(real, new.assign(further_sources=""), of_real, np.float32([[0, 0.5]]))
    assert harmless.taken_for.tolist() == [-1]
    assert harmless.cost == pytest.approx(0)


@pytest.mark.slow
def test_costs_of_a_training_set(trained):
    assert "data/augmented/full-a2" in run("costs", "full", fails=True)
    run("augment", "full", "--alpha", "2")
    output = run("costs", "full", "--out", "out/costs")
    table = pd.read_csv("out/costs.tsv", sep="\t")
    new = pd.read_parquet("data/augmented/full-a2/train.parquet").query("draw > 0")
    assert sorted(table["image"]) == sorted(new["image"])
    assert table["cost"].is_monotonic_decreasing
    cost, gain = (table["cost"] > 0).sum(), (table["cost"] < 0).sum()
    assert f"{cost:,} of {len(new):,} new images cost, {gain:,} help" in output
    with Image.open("out/costs.png") as image:
        assert image.height > 4 * 128
    run("augment", "identities", "--alpha", "2")
    assert "identities-a2 adds people who are not in the real training set" in run("costs", "identities", fails=True)
    shutil.rmtree("data/reid/real-a1-ide-s0")
    assert "data/reid/real-a1-ide-s0" in run("costs", "full", fails=True)
    assert not Path("costs.tsv").exists()
