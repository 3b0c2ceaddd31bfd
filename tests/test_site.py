"""The documentation site: its pages, links and names; where `make docs` has been run, also what is built of them."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from posixpath import dirname, join, normpath

import pytest
from browser import browser
from conftest import ROOT
from ruamel.yaml import YAML

from tools.site_pages import FILES, GALLERY, gallery, notebook, pages, sections

CONFIG = YAML(typ="safe").load(ROOT / "mkdocs.yml")
TEXTS = pages(ROOT)
CODE = re.compile(r"```.*?```|`[^`]*`|^    .*?$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMES = re.compile(r"^::: (\S+)", re.MULTILINE)
MEMBERS = re.compile(r"^::: (\S+)\n    options: {members: \[(\w+)\]}", re.MULTILINE)


def named(entries):
    """Paths that a part of the navigation names, in order."""
    for entry in entries:
        (value,) = entry.values()
        yield from [value] if isinstance(value, str) else named(value)


def find(name):
    """What a dotted name stands for; a function, where a module has its name too."""
    found, before = None, ""
    for word in name.split("."):
        before = f"{before}.{word}".lstrip(".")
        found = getattr(found, word) if hasattr(found, word) else import_module(before)
    return found


def test_the_navigation_names_each_page_once():
    assert sorted(named(CONFIG["nav"])) == sorted(TEXTS)


def test_links_between_pages_lead_somewhere():
    there = {path.relative_to(ROOT).as_posix() for pattern in FILES for path in ROOT.glob(pattern)} | set(TEXTS)
    links = [(page, link.split("#")[0]) for page, text in TEXTS.items() for link in LINK.findall(CODE.sub("", text))]
    inside = [(page, link) for page, link in links if link and not re.match(r"https?:|data:", link)]
    assert len(inside) > 50
    assert [(page, link) for page, link in inside if normpath(join(dirname(page), link)) not in there] == []


def test_links_in_the_files_of_docs_lead_somewhere():
    files = [path for path in ROOT.glob("docs/**/*.md")]
    links = [(path, link.split("#")[0]) for path in files for link in LINK.findall(CODE.sub("", path.read_text()))]
    assert [
        (path, link) for path, link in links if link and ":" not in link and not (path.parent / link).exists()
    ] == []


def test_readme_is_split_at_its_sections():
    assert sections("# A\nb\n## C d, e\nf\n## G\nh\n") == {
        "README.md": "# A\nb\n",
        "c-d-e.md": "# C d, e\nf\n",
        "g.md": "# G\nh\n",
    }


def test_a_notebook_becomes_a_page():
    shown = [
        {"output_type": "stream", "text": ["one\n", "two\n"]},
        {"output_type": "display_data", "data": {"image/jpeg": "AB\nCD\n"}},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# A\n", "b"]},
        {"cell_type": "code", "source": ["c = 1\n", "d"], "outputs": shown},
    ]
    assert notebook({"cells": cells}) == (
        "# A\nb\n\n```python\nc = 1\nd\n```\n\n```text\none\ntwo\n```\n\n"
        "![What the cell above shows](data:image/jpeg;base64,ABCD)\n"
    )


def test_the_gallery_has_all_pictures_with_their_pages():
    assert gallery({"a/README.md": "# Title\n\n![What it is](b.jpg)\n"}) == (
        "# Gallery\n\n![What it is](../a/b.jpg)\n\n*What it is: [Title](../a/README.md).*\n"
    )
    shown = set(re.findall(r"!\[[^\]]+\]\(images/([\w.]+)\)", TEXTS[GALLERY]))
    assert shown == {path.name for path in ROOT.glob("docs/images/*")}


def test_the_reference_has_the_names_that_others_rely_on():
    relied = TEXTS["docs/architecture.md"].partition("## Names that others rely on\n")[2].partition("\n\n`data/")[0]
    wanted = {re.sub(r"\[.*", "", name) for name in re.findall(r"\b(?:reid|augment)(?:\.\w+)+", relied)}
    assert len(wanted) > 20
    reference = TEXTS["docs/reference.md"]
    there = {*NAMES.findall(reference)} | {f"{name}.{member}" for name, member in MEMBERS.findall(reference)}
    assert wanted - there == set()


@pytest.mark.parametrize("name", sorted({name for text in TEXTS.values() for name in NAMES.findall(text)}))
def test_names_of_pages_exist_and_have_docstrings(name):
    assert find(name).__doc__


class Assets(HTMLParser):
    """What a page loads: everything with an address but links to click on."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        addresses = [value for name, value in attributes if name in ("src", "srcset", "href", "data", "poster")]
        if tag != "a":
            self.found += [address for address in addresses if address]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="`make docs` installs what builds the site")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site):
    built = sorted(site.rglob("*.html"))
    assert len(built) == len(TEXTS) + 1  # and 404.html
    for path in built:
        page = Assets()
        page.feed(path.read_text())
        assert len(page.found) > 3
        assert [address for address in page.found if re.match(r"(https?:)?//", address)] == []
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", styles) == []


@pytest.mark.slow
def test_pages_fit_narrow_and_wide_windows_and_can_be_searched(site, tmp_path):
    with browser(tmp_path) as page:
        for name in ("index", "docs/tutorial", "docs/gallery", "docs/reference", "docs/methods/pose_gan"):
            for width in (375, 1280):
                page.show(site / f"{name}.html", width)
                assert page.faults() == [], name
        found = page.run(SEARCH)
        assert any(address.endswith("docs/datasets.html") for address in found)


SEARCH = """new Promise(done => {
  document.querySelector("#__search").click();
  const input = document.querySelector("[data-md-component=search-query]");
  input.value = "images.csv";
  input.dispatchEvent(new Event("keyup"));
  const look = () => {
    const links = [...document.querySelectorAll(".md-search-result__link")].map(link => link.href);
    links.length ? done(links) : setTimeout(look, 50);
  };
  look();
})"""
