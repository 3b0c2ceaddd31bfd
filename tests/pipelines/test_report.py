"""Tables, captions and the page, from scores that were made up."""

import html
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from PIL import Image

from pipelines.params import DatasetParams
from pipelines.report import captions, image_tables, losses, page, sheets, tables
from pipelines.report.colours import colour
from pipelines.report.page import Illustration
from pipelines.report.published import TABLES
from pipelines.report.results import Result
from pipelines.report.tables import Captioned
from reid.common.errors import InputError

IMAGES = {
    "real": {"scores": {"ssim": 1.0, "is": 3.5, "fd": 97.58, "identity_rank1": 67.5}},
    "full": {"scores": {"ssim": 0.14567, "fd": 523.9, "identity_rank1": 6.04}},
}


def test_images_table_leaves_out_what_nobody_has_and_shows_published_numbers():
    shown = image_tables.image_table(IMAGES, published=True)
    assert list(shown) == ["images", "SSIM", "IS", "FD", "identity Rank-1"]
    assert shown.iloc[0].tolist() == ["real", "1.000 (1.000)", "3.500 (3.860)", "97.6", "67.5"]
    assert shown.iloc[1].tolist() == ["full", "0.146 (0.290)", "- (3.185)", "523.9", "6.0"]
    assert image_tables.image_table(IMAGES, published=False).iloc[1].tolist() == ["full", "0.146", "-", "523.9", "6.0"]


def test_ablation_tables_show_each_variant_with_the_papers_numbers_behind():
    generators = {row.generator for rows in TABLES.values() for row in rows}
    files = {name: {"scores": {"ssim": len(name) / 100, "ds": 0.5, "fd": 12.34}} for name in generators}
    shown = image_tables.ablation_tables(files, published=True)
    assert list(shown) == list(TABLES)
    for title, rows in TABLES.items():
        assert shown[title][""].tolist() == [row.title for row in rows]
        expected = [f"{len(row.generator) / 100:.3f} ({row.published[0]:.3f})" for row in rows]
        assert shown[title]["SSIM"].tolist() == expected
    full = shown["Table 5: ablation study"].set_index("").loc["Full"]
    assert full.to_dict() == {
        "SSIM": "0.040 (0.290)", "IS": "- (3.185)", "mask-SSIM": "- (0.805)", "mask-IS": "- (3.502)",
        "DS": "0.500 (0.720)", "L1": "-", "FD": "12.3", "identity Rank-1": "-",
    }  # fmt: skip
    plain = image_tables.ablation_tables(files, published=False)
    assert not any("(" in cell for table in plain.values() for cell in table.drop(columns="").to_numpy().ravel())


def test_scores_by_number_of_sources_are_means_over_choices():
    table = pd.DataFrame({"sources": [1, 2, 2], "seed": [0, 0, 1], "ssim": [0.2, 0.3, 0.4], "ds": [0.5, 0.6, 0.6]})
    scored = {"multi_source": table, "mine": table[table["sources"] == 2].drop(columns="ds")}
    shown = image_tables.sources_table(scored, published=True)
    assert shown["images"].tolist() == ["multi_source", "multi_source", "mine"]
    assert shown["sources"].tolist() == ["1", "2", "2"]
    assert shown["SSIM"].tolist() == ["0.200 (0.270)", "0.350 ± 0.071 (0.285)", "0.350 ± 0.071"]
    assert shown["DS"].tolist() == ["0.500", "0.600 ± 0.000", "-"]
    assert "(" not in "".join(image_tables.sources_table(scored, published=False).to_numpy().ravel())


def test_features_stand_beside_the_papers():
    columns = ["features", "dimensions", "rank1", "mAP"]
    lines = [("foreground", 224, 30.04, 9.96), ("foreground, PCA", 64, 31.0, 10.2), ("chance", 0, 0.5, 0.9)]
    scored = {name: pd.DataFrame(lines, columns=columns) for name in ("disentangled", "other")}
    shown = image_tables.features_table(scored, published=True)
    assert shown.iloc[0].tolist() == ["disentangled", "foreground", "224", "30.0 (33.8)", "10.0 (10.7)"]
    assert shown.iloc[2].tolist() == ["disentangled", "chance", "-", "0.5", "0.9"]
    assert shown.iloc[3].tolist() == ["other", "foreground", "224", "30.0", "10.0"]
    assert "(" not in "".join(image_tables.features_table(scored, published=False).to_numpy().ravel())


ODD = 'my_gan <b>&"50%"</b>'


@pytest.fixture
def odd():
    """Two tables whose names and captions have everything in them that LaTeX or HTML would take for its own."""
    columns = {"training set": [ODD], "ide + <i>: Rank-1": ["70.0"], "ide + <i>: mAP": ["50.0"]}
    return [
        Captioned("<Title>", pd.DataFrame(columns), r"a_b <c> & 5 % ~ ^ {\d}"),
        Captioned("Second", image_tables.image_table(IMAGES, False), "d_e"),
    ]


def test_ablations_show_what_there_is():
    """Lines of generators without scores are left out, and tables with fewer than two generators too."""
    files = {name: {"scores": {"ssim": 0.5}} for name in ("real", "full", "n1", "pixels")}
    tables = image_tables.ablation_tables(files, published=False)
    lines = {title.split(":")[0]: table[""].tolist() for title, table in tables.items()}
    assert lines == {"Table 7": ["Pixel space", "Block 1_2"], "Table 10": ["n = 1", "n = 3"]}


def test_markdown_and_latex_hold_tables_and_captions_in_turn(odd, tmp_path):
    tables.write(odd, tmp_path)
    latex = (tmp_path / "table.tex").read_text()
    assert r"my\_gan <b>\&" in latex
    assert r"\caption{a\_b <c> \& 5 \% \textasciitilde{} \textasciicircum{} \{\textbackslash{}d\}}" in latex
    markdown = (tmp_path / "table.md").read_text()
    assert markdown.index(ODD) < markdown.index("a_b <c>") < markdown.index("| full ") < markdown.index("d_e")


def picture(path, width=30, height=20):
    """A picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(path)
    return path


def test_the_page_escapes_names_and_captions(odd, tmp_path):
    shown = Illustration("sheet of <x>", f"shows {ODD}", picture(tmp_path / "sheets/a.png"))
    page.write_tables(odd, tmp_path)
    page.write_page({"<fact>": ODD}, odd, [shown], {"<heading>": [shown]}, {"<b>.md": ODD}, tmp_path)
    for file in ("table.html", "index.html"):
        text = (tmp_path / file).read_text()
        assert ODD in html.unescape(text)
        for raw in ("<b>", "<i>", "<c>", "<Title>", "<x>", "<fact>", "<heading>", '"50%"'):
            assert raw not in text, raw
        assert "</i>my_gan &lt;b&gt;" in text


def test_the_page_says_what_was_run_and_shows_each_picture_with_its_text(odd, tmp_path):
    figure = Illustration("CMC", "Curves.", picture(tmp_path / "figures/cmc.png", 900, 300))
    sheet = Illustration("Images", "Some people.", picture(tmp_path / "sheets/data.jpg", 200, 1000), "more.html")
    facts, downloads = {"Data set": "streets", "Seeds": "0"}, {"metrics.json": "scores"}
    page.write_page(facts, odd, [figure], {"Data": [sheet], "Empty": []}, downloads, tmp_path)
    text = (tmp_path / "index.html").read_text()
    for name, fact in (("Data set", "streets"), ("Seeds", "0")):
        assert f"<dt>{name}</dt><dd>{fact}</dd>" in text
    for source, caption in (("figures/cmc.png", "Curves."), ("sheets/data.jpg", "Some people.")):
        assert f'<a href="{source}">' in text
        assert f"<figcaption>{caption}" in text
    order = [text.index(part) for part in ("<dl>", "&lt;Title&gt;", "Second", "figures/cmc.png", "sheets/data.jpg")]
    assert order == sorted(order)
    anchors = re.findall(r'href="#([^"]+)"', text)
    assert anchors == re.findall(r'<section id="([^"]+)"', text) == ["run", "tables", "part-1", "part-2", "downloads"]
    assert '<a href="more.html">' in text
    assert '<a href="metrics.json" download>metrics.json</a>: scores' in text
    assert "<script" not in text
    assert "://" not in text, "it loads nothing from elsewhere"
    sizes = {}
    for small, width, height in re.findall(r'src="([^"]+)" width="(\d+)" height="(\d+)" loading="lazy"', text):
        with Image.open(tmp_path / small) as image:
            sizes[small] = (image.format, *image.size, int(width), int(height))
    assert sizes == {
        "small/figures-cmc.jpg": ("JPEG", 640, 213, 640, 213),
        "small/sheets-data.jpg": ("JPEG", 200, 400, 120, 240),  # the upper part
    }


def test_a_gain_stands_below_the_number_that_it_is_the_gain_in(tmp_path):
    columns = {"training set": ["real"], "ide + euclidean: mAP": ["50.0"], "ide + euclidean: mAP gain": ["+1 [0, 2]"]}
    page.write_tables([Captioned("Table", pd.DataFrame(columns), "")], tmp_path)
    text = (tmp_path / "table.html").read_text()
    assert "<td>50.0<small>+1 [0, 2]</small></td>" in text
    assert "mAP gain" not in text
    assert f'<i style="background: {colour("real")}"></i>real</th>' in text


def test_each_table_can_be_loaded(odd, tmp_path):
    tables.write(odd, tmp_path)
    for captioned in odd:
        for name, separator in zip(tables.files(captioned.title), ",\t", strict=True):
            read = pd.read_csv(tmp_path / name, sep=separator, dtype=str, keep_default_na=False)
            pd.testing.assert_frame_equal(read, captioned.table, check_dtype=False)


def test_columns_of_one_network_and_distance_have_one_heading(odd, tmp_path):
    page.write_tables(odd, tmp_path)
    text = (tmp_path / "table.html").read_text()
    grouped, plain = text.split("<h3>Second</h3>")
    assert re.findall(r"<th ([^>]*)>([^<]*)</th>", grouped)[:4] == [
        ('rowspan="2" scope="col"', "training set"),
        ('colspan="2" scope="colgroup"', "ide + &lt;i&gt;"),
        ('scope="col"', "Rank-1"),
        ('scope="col"', "mAP"),
    ]
    assert "rowspan" not in plain
    assert "colspan" not in plain
    for part, captioned in ((grouped, odd[0]), (plain, odd[1])):
        assert part.count("<td>") == captioned.table.iloc[:, 1:].size


@pytest.mark.parametrize("package", ["report", "study"])
def test_templates_are_package_data(package):
    folder = ROOT / "pipelines" / package
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    packaged = {path for pattern in patterns[f"pipelines.{package}"] for path in folder.glob(pattern)}
    templates = {path for path in folder.rglob("*.*") if path.suffix in (".html", ".css", ".js")}
    assert templates
    assert templates <= packaged


def data_set(name, **part):
    return DatasetParams(name=name, path="somewhere", **part)


def parameters(**changes):
    section = SimpleNamespace
    values = {"dataset": data_set("dukemtmc-reid"), "profile": "quick", "seed": 4, "seeds": [4]}
    values |= {"report": section(average_precision="trapezoid"), "pose": section(estimator="blazepose"), "virtual": []}
    return section(**values | changes)


def scored(**changes):
    """Results of one network on `real`, as they are read from its score file."""
    file = {"device": "CPU, 3 threads", "queries": 2_100, "gallery": 17_661, "pooling": "single", "learnt_from": None}
    file |= {"queries_without_match": 0, "distances": {"euclidean": {}, "xqda": {}}}
    file |= {"trained_on": {"images": 1_234, "generated": 0, "identities": 56}}
    return {"real": {"ide": [Result(file | changes, pd.DataFrame())]}}


def test_the_caption_of_the_reid_table():
    assert captions.reid_caption(parameters(), scored(), published=False) == (
        "Data set dukemtmc-reid, profile quick, seed 4, CPU, 3 threads. Per cent; single query, 2,100 queries against "
        "17,661 gallery images; mAP by the trapezoid rule. *: differs from real by a paired bootstrap over people, "
        "not over seeds (p < 0.05, not corrected for the number of comparisons)."
    )


@pytest.mark.parametrize(
    ("changes", "file", "published", "said"),
    [
        ({"seeds": [4, 6]}, {}, False, "quick, seeds 4, 6 (mean ± standard deviation), CPU"),
        ({"report": SimpleNamespace(average_precision="step")}, {}, False, "mAP by the step rule."),
        ({}, {"pooling": "max"}, False, "multi-query (max of the images in data/samples/pool.parquet), 2,100 queries"),
        ({}, {"learnt_from": "all"}, False, "Learned distances are fitted to the features of all training images."),
        (
            {"virtual": ["alone"], "virtual_people": {"alone": SimpleNamespace(added=False)}},
            {"learnt_from": "real"},
            False,
            "fitted to the features of real training images, or of all where none is real.",
        ),
        ({}, {"queries_without_match": 3}, False, "3 queries have no image of their person from another camera"),
        ({"dataset": data_set("streets")}, {}, False, "The people are rendered:"),
        ({}, {}, True, "In brackets: Table 4 of the journal paper."),
    ],
)
def test_the_caption_says_what_is_special(changes, file, published, said):
    assert said in captions.reid_caption(parameters(**changes), scored(**file), published)
    assert said not in captions.reid_caption(parameters(), scored(), published=False)


MEASURED_BY = {"ssim": "pg2", "classifier": "lite", "splits": 10, "detector": "ssd", "identity": "ide"}
FILES = {
    "real": {"pairs": 100, "device": "CPU, 3 threads", "definitions": MEASURED_BY, "notes": [], **IMAGES["real"]},
    "full": {
        "pairs": 98,
        "device": "CPU, 3 threads",
        "definitions": MEASURED_BY,
        "notes": ["No DS."],
        **IMAGES["full"],
    },
}


def test_the_caption_of_generated_images_defines_what_is_in_the_table():
    caption = captions.image_caption(parameters(), FILES, published=False)
    assert "data set dukemtmc-reid, profile quick, 98 to 100 pairs, CPU, 3 threads." in caption
    assert "SSIM: structural similarity to the target image, settings pg2." in caption
    assert "IS: inception score by lite, mean of 10 splits." in caption
    assert "as queries of ide, trained on real images" in caption
    assert caption.endswith(" No DS.")
    for absent in ("mask", "DS: ", "L1: ", "In brackets"):
        assert absent not in caption
    assert "In brackets: Tables 1 and 5" in captions.image_caption(parameters(), FILES, published=True)
    masked = {name: {**file, "scores": {"mask_ssim": 1.0, "ds": 0.5, "l1": 0}} for name, file in FILES.items()}
    caption = captions.image_caption(parameters(), masked, published=False)
    assert [part in caption for part in ("mask-: ", "DS: ", "L1: ", "SSIM: ", "IS: ", "FD: ")] == [True] * 3 + [
        False
    ] * 3


def test_a_note_stands_once():
    noted = {name: {**file, "notes": ["No FD.", f"{name}."]} for name, file in FILES.items()}
    assert image_tables.notes(noted) == ["No FD.", "real.", "full."]


def test_the_facts_of_a_run():
    facts = captions.facts(parameters(seeds=[4, 6]), {**scored(), "full-a2": {}})
    assert (
        facts["Data set"] == "dukemtmc-reid: 1,234 training images of 56 people, 2,100 queries, 17,661 gallery images"
    )
    assert facts["Seeds"] == "4 for pairs, generators and training sets; 4, 6 for Re-ID networks"
    assert (facts["Device"], facts["Training sets"]) == ("CPU, 3 threads", "real, full-a2")
    assert facts["Re-ID networks and their distances"] == "ide (euclidean, xqda)"
    assert facts["Part of the training set"] == "all"
    part = parameters(dataset=data_set("dukemtmc-reid", train_people=1_000, train_images=4))
    shown = captions.facts(part, scored())["Part of the training set"]
    assert shown == "1,000 people, at most 4 images of each person, chosen by seed 4"


def test_a_missing_sheet_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = parameters(
        generators=["full"], trained=["full"], renderings=[], augmentations=["full"], alphas=[2], networks=["ide"]
    )
    with pytest.raises(
        FileNotFoundError, match=r"^data/gan_scores/full-grid.parquet does not exist.*: run `dvc repro`$"
    ):
        sheets.collect(params, scored(), losses.of_generators(params), tmp_path)
    params.trained = []
    with pytest.raises(FileNotFoundError, match=r"^data/samples/sheet.png does not exist.*: run `dvc repro`$"):
        sheets.collect(params, scored(), losses.of_generators(params), tmp_path)


def test_rank_lists_line_up_queries_of_all_systems(tmp_path, tiny_zip, monkeypatch):
    names = ["query/0101_c1s1_010110_00.jpg"]
    drawn = []
    monkeypatch.setattr("pipelines.report.sheets.rank_lists.draw", lambda lists, path: drawn.extend(lists))
    monkeypatch.setattr(
        "pipelines.report.sheets.samples.read", lambda path: pd.DataFrame({"image": names, "archive": [str(tiny_zip)]})
    )
    entry = {"query": names[0], "gallery": names * 2, "kinds": ["hit", "miss"]}
    with pytest.raises(InputError, match="a rank list in data/scores has no distances: run `dvc repro`"):
        sheets._rank_lists({"real": {"ide": [Result({"rank_lists": [entry], "hardest": [entry]}, None)]}}, tmp_path)
    entry |= {"distances": [0.25, 1.5], "average_precision": 0.75}
    results = {
        row: {"ide": [Result({"rank_lists": [entry] * count, "hardest": [entry]}, pd.DataFrame())]}
        for row, count in (("real", 3), ("full-a2", 2))
    }
    sheets._rank_lists(results, tmp_path / "sheets")
    text = (tmp_path / "rank_lists.html").read_text()
    assert text.count("full-a2, ide: AP 0.750") == 3
    shown = re.findall(r'<img class="(\w+)" src="(\S+)".*?<small>(.*?)</small><small>(.*?)</small>', text)[:3]
    image = ("people/query-0101_c1s1_010110_00.jpg.jpg", "0101_c1s1_010110_00.jpg")
    assert shown == [("query", *image, ""), ("hit", *image, "0.250"), ("miss", *image, "1.500")]
    assert [path.name for path in (tmp_path / "people").iterdir()] == [Path(image[0]).name]
    assert [name for name, _, _ in drawn] == ["real, ide", "full-a2, ide"] * 3, "two queries, then the hardest"
    assert all([kind for _, kind in pictures] == ["hit", "miss"] for _, _, pictures in drawn)
    many = {f"n{number}": results["real"]["ide"] for number in range(sheets.MOST_LINES // 2)}
    drawn.clear()
    sheets._rank_lists({"real": many}, tmp_path / "sheets")
    assert len(drawn) == (2 + 1) * len(many), "two queries of each, the third does not fit; and the hardest"
    assert all(np.array_equal(query, pictures[0][0]) for _, query, pictures in drawn)
