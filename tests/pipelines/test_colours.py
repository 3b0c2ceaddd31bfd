"""Colours of rows: of the name alone, and told apart."""

import itertools
from functools import partial

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from ruamel.yaml import YAML

from pipelines.report import figures, reid_figures
from pipelines.report.colours import colour
from pipelines.report.gains import Compared
from pipelines.report.results import Result
from reid.evaluation.gains import Gain

PARTS = ("generators", "renderings", "selections", "virtual")


def colours_of(figure):
    """Label of a line -> its colour, in all panels."""
    found = {}
    for axes in figure.axes:
        for line, label in zip(*axes.get_legend_handles_labels(), strict=True):
            one = line[0] if isinstance(line, tuple) else line
            found.setdefault(label, set()).add(to_hex(one.get_color()))
    return found


def drawn(monkeypatch, tmp_path, draw):
    figures, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: figures.append(figure) or save(figure, path))
    draw(tmp_path / "figure.png")
    return figures[0]


def scored(rows):
    """Results of rows by one network, with a CMC of 50 ranks."""
    return {row: {"ide": [Result({"distances": {"euclidean": {"cmc": list(range(50, 100))}}}, None)]} for row in rows}


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml")))
def test_rows_of_a_profile_are_told_apart(name):
    yaml = YAML(typ="safe")
    demo, own = (yaml.load(ROOT / f"profiles/{file}.yaml") for file in ("demo", name))
    names = {one for part in PARTS for one in {**demo, **own}[part]}
    rows = ["real", *(f"{one}-a{alpha}" for one in names for alpha in (2, 4, 10))]
    colours = {row: np.array(to_rgb(colour(row))) for row in rows}
    for one, other in itertools.combinations(rows, 2):
        assert np.abs(colours[one] - colours[other]).max() > 0.05, (one, other)


def test_names_of_ones_own_have_colours_and_larger_alphas_darker_ones():
    assert len({colour(f"mine_{number}") for number in range(20)}) > 10
    brightness = [sum(to_rgb(colour(f"mine-a{alpha}"))) for alpha in (2, 3, 4, 10, 100)]
    assert brightness == sorted(set(brightness), reverse=True)


def test_a_row_keeps_its_colour_in_every_figure_when_rows_are_added(monkeypatch, tmp_path):
    few, more = ["real", "full-a2", "full-a4"], ["real", "mine-a2", "mine-a4", "full-a2", "full-a4"]
    of_few, of_more = (
        colours_of(drawn(monkeypatch, tmp_path, partial(reid_figures.cmc, scored(rows)))) for rows in (few, more)
    )
    assert of_few == {row: {colour(row)} for row in few}
    assert of_more == {row: {colour(row)} for row in more}
    metrics = {row: {"ide": {"euclidean": {"rank1": 50.0, "mAP": 40.0}}} for row in more}
    shown = partial(reid_figures.against_alpha, metrics, ["mine", "full"], [2, 4], "mAP")
    assert colours_of(drawn(monkeypatch, tmp_path, shown)) == {name: {colour(name)} for name in ("mine", "full")}
    lines = [
        Compared(row, "ide", "real", "ide", "euclidean", score, Gain(0.1, 0.05, 0.15), float("nan"))
        for row in more[1:]
        for score in ("Rank-1", "mAP")
    ]
    figure = drawn(monkeypatch, tmp_path, partial(reid_figures.gains, lines))
    assert [to_hex(bars[0].get_color()) for bars in figure.axes[0].containers] == [colour(row) for row in more[1:]]


def test_a_gain_stands_beside_the_name_of_its_row(monkeypatch, tmp_path):
    """Also in the panel of a network that not all rows were measured with."""
    measured = [("a-a2", "ide"), ("b-a2", "ide"), ("c-a2", "ide"), ("c-a2", "strong")]
    lines = [
        Compared(row, network, "real", network, "euclidean", score, Gain(0.1, 0.05, 0.15), float("nan"))
        for row, network in measured
        for score in ("Rank-1", "mAP")
    ]
    figure = drawn(monkeypatch, tmp_path, partial(reid_figures.gains, lines))
    strong = figure.axes[1]
    places = [bars[0].get_ydata()[0] for bars in strong.containers]
    assert [figure.axes[0].get_yticklabels()[place].get_text() for place in places] == ["c-a2"]


def test_curves_of_noise_have_their_generators_colour(monkeypatch, tmp_path):
    scores = pd.DataFrame({"sigma": [0, 5], "mask_ssim": [0.9, 0.8], "mask_is": [3.0, 2.5]})
    figure = drawn(monkeypatch, tmp_path, partial(figures.noise, scores, "full", "title"))
    assert {to_hex(axes.get_lines()[0].get_color()) for axes in figure.axes} == {colour("full")}
    assert [axes.get_title() for axes in figure.axes] == ["mask-SSIM", "mask-IS"]


def test_the_cmc_shows_ranks_1_to_15(monkeypatch, tmp_path):
    figure = drawn(monkeypatch, tmp_path, partial(reid_figures.cmc, scored(["real"])))
    (line,) = figure.axes[0].get_lines()
    assert line.get_xdata().tolist() == figure.axes[0].get_xticks().tolist() == list(range(1, 16))
    assert figure.axes[0].get_xlim() == (1, 15)
