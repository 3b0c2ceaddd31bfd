"""The report's page in a real browser, made from score files and pictures that were made up."""

import numpy as np
import pytest
from browser import browser
from PIL import Image
from score_files import QUERIES, write

from pipelines.report import gains, page, results, tables
from pipelines.report.page import Illustration
from pipelines.report.reid_table import reid_table
from pipelines.report.significance import significance
from pipelines.report.tables import Captioned

ROWS = ["real", "full-a2", "full-a4", "a_generator_with_a_long_name-a10"]
SEEDS = [0, 1, 2]
# What lies below each link: whether the section, or the picture, is there.
ANCHORS = "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => [a.hash, !!document.querySelector(a.hash)])"
OPENED = "document.images.length === 1 && document.images[0].decode().then(() => document.images[0].naturalWidth)"


@pytest.fixture
def report(tmp_path, monkeypatch):
    """A report with a wide table and pictures of many shapes: its folder."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for row in ROWS:
        for seed in SEEDS:
            for network in ("ide", "strong"):
                write(row, seed, random.random(QUERIES) < 0.5, random.random(QUERIES), network)
    read = results.read_results(ROWS, ["ide", "strong"], SEEDS)
    people = {f"{n}.jpg": n // 4 for n in range(QUERIES)}
    of_rows = gains.compare_rows(read, "trapezoid", people)
    compared = significance(read, "trapezoid", people, 0)
    table = reid_table(read, results.metrics(read), compared, "trapezoid", True, of_rows)
    shown = [Captioned("Re-identification", table, "Captions are long, and have names/with/slashes/in_them. " * 9)]
    folder = tmp_path / "report"
    tables.write(shown, folder)
    pictures = []
    for name, (width, height) in {"wide.png": (2000, 300), "tall.jpg": (300, 3000), "square.jpg": (900, 900)}.items():
        (folder / "sheets").mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(folder / "sheets" / name)
        pictures.append(Illustration(name, "What it shows. " * 9, folder / "sheets" / name))
    facts = {"Seeds": "0", "Training sets": "x" * 200}
    page.write_page(facts, shown, pictures, {"Generator " + "g" * 40: pictures}, {"table.md": "all tables"}, folder)
    return folder


@pytest.mark.slow
def test_the_page_has_no_faults_and_its_links_lead_somewhere(report, tmp_path):
    with browser(tmp_path) as shown:
        for width in (375, 1280):
            shown.show(report / "index.html", width)
            assert shown.faults() == []
            anchors = shown.run(ANCHORS)
            assert len(anchors) == 5
            assert all(there for _, there in anchors), anchors
        before = shown.run("[...document.images].map(image => image.getBoundingClientRect().height)")
        assert max(before) <= page.HIGH + 2
        files = shown.run("[...document.querySelectorAll('a:not([href^=\"#\"])')].map(a => a.getAttribute('href'))")
        assert [file for file in files if not (report / file).is_file()] == []
        large = shown.run("[...document.querySelectorAll('figure a:has(img)')].map(a => a.getAttribute('href'))")
        assert len(large) == 6
        shown.run("document.querySelector('a[href=\"sheets/wide.png\"]').click()")
        while not shown.run("location.pathname.endsWith('wide.png') && document.readyState === 'complete'"):
            pass
        assert shown.run(OPENED) == 2000


@pytest.mark.slow
def test_faults_are_seen(report, tmp_path):
    """The test of faults fails where there are some."""
    (report / "small/sheets-wide.jpg").unlink()
    text = (report / "index.html").read_text()
    (report / "index.html").write_text(text.replace("</main>", '<p style="width: 2000px">wide</p></main>'))
    with browser(tmp_path) as shown:
        shown.show(report / "index.html", 375)
        wide, *broken = shown.faults()
    assert "px wide in" in wide
    assert {fault.rpartition("/")[2] for fault in broken} == {"sheets-wide.jpg"}
