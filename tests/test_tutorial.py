"""The tutorial notebook: its code runs, and prints and shows what it says."""

import base64
import copy
import json
import re
import tempfile
from io import BytesIO

import pytest
from conftest import ROOT
from PIL import Image

from tools.run_notebook import execute

TUTORIAL = json.loads((ROOT / "docs/tutorial.ipynb").read_text())


def shown(notebook):
    """The words that each cell prints, without numbers and what has digits in it, and how many pictures it shows."""
    for cell in notebook["cells"]:
        outputs = cell.get("outputs", [])
        text = "".join("".join(output.get("text", [])) for output in outputs)
        yield re.sub(r"\S*\d\S*", "N", text).split(), sum("data" in output for output in outputs)


def test_cells_share_their_names_and_a_last_picture_is_shown():
    sources = [["a = 2\n", "print(a)"], ["from PIL import Image\n", "print(a + 1)\n", "Image.new('RGB', (a, 3))"]]
    cells = [{"cell_type": "code", "source": source, "outputs": ["old"]} for source in sources]
    cells.insert(1, {"cell_type": "markdown", "source": ["text"]})
    execute({"cells": cells})
    assert [[output.get("text") for output in cells[index]["outputs"]] for index in (0, 2)] == [
        [["2\n"]],
        [["3\n"], None],
    ]
    picture = base64.b64decode(cells[2]["outputs"][1]["data"]["image/jpeg"])
    assert Image.open(BytesIO(picture)).size == (2, 3)


@pytest.mark.slow
def test_it_runs_and_shows_what_is_stored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    notebook = copy.deepcopy(TUTORIAL)
    execute(notebook)
    assert list(shown(notebook)) == list(shown(TUTORIAL))
    (folder,) = tmp_path.glob("ten-minutes-*")
    assert {path.name for path in (folder / "data/scores").glob("*.json")} == {
        "real-a1-ide-s0.json",
        "full-a2-ide-s0.json",
    }
