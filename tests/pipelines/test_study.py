"""`study make` and `study score`: the page, its key, a participant in a browser, and the scores."""

import base64
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from browser import browser
from commands import run, unfinished
from conftest import STREETS
from PIL import Image

from pipelines.study.page import page
from reid.files.images import encode_jpeg

IMAGES, PRACTICE = 4, 1  # of each kind
OPTIONS = ("--images", IMAGES, "--practice", PRACTICE, "--seconds", 0.1)


@pytest.fixture(scope="module")
def made(tmp_path_factory, trained_project):
    """A folder with the page and the key of a study; not to be changed."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained_project)
        run("study", "make", "full", *OPTIONS, "--out", folder / "study.html")
        assert unfinished() == []
    return folder


def read_key(folder):
    return json.loads((folder / "study.key.json").read_text())


def read_page(folder):
    """What the page's script is given."""
    html = (folder / "study.html").read_text()
    return json.loads(re.search(r'<script type="application/json" id="study">(.*?)</script>', html, re.S)[1])


def bytes_of(image):
    return base64.b64decode(image.removeprefix("data:image/jpeg;base64,"))


@pytest.mark.slow
def test_the_key_says_what_the_images_are(made):
    key, given = read_key(made), read_page(made)
    images = {one["id"]: bytes_of(one["image"]) for one in given["images"]}
    assert images.keys() == key["images"].keys()
    assert given["study"] == key["study"]
    kinds = [entry["origin"] for entry in key["images"].values()]
    assert sorted(kinds) == ["generated"] * IMAGES + ["real"] * IMAGES
    assert sorted(one["origin"] for one in given["practice"]) == ["generated"] * PRACTICE + ["real"] * PRACTICE
    with zipfile.ZipFile(STREETS) as archive:
        for name, entry in key["images"].items():
            assert hashlib.sha256(images[name]).hexdigest() == entry["sha256"]
            stored = np.asarray(Image.open(io.BytesIO(archive.read(entry["target"]))))
            assert (images[name] == encode_jpeg(stored)) == (entry["origin"] == "real")
    real = [entry["target"] for entry in key["images"].values() if entry["origin"] == "real"]
    for entry in key["images"].values():
        if entry["origin"] == "generated":
            assert entry["target"] not in real
            assert entry["source"] not in real


@pytest.mark.slow
def test_the_page_does_not_say_what_the_counted_images_are(made):
    key, given = read_key(made), read_page(made)
    html = (made / "study.html").read_text()
    for entry in key["images"].values():
        for told in (entry["sha256"], entry["target"], Path(entry["target"]).stem, entry["source"] or entry["target"]):
            assert told not in html
    assert all(one.keys() == {"id", "image"} for one in given["images"])
    pictures = [bytes_of(one["image"]) for one in given["images"]]
    assert pictures == sorted(pictures, key=lambda data: hashlib.sha256(data).digest()), "in an order of no meaning"
    assert len({data[: data.index(b"\xff\xda")] for data in pictures}) == 1, "size and tables, all before the scan"
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?!data:)|https?://|@import|url\(", html), "needs no other file"


@pytest.mark.slow
def test_the_same_seed_makes_the_same_study_and_another_another(trained, made):
    run("study", "make", "full", *OPTIONS)
    for name in ("study.html", "study.key.json"):
        assert Path(name).read_bytes() == (made / name).read_bytes()
    run("study", "make", "full", *OPTIONS, "--seed", 1, "--out", "other.html")
    assert read_key(made)["study"] not in Path("other.html").read_text()


@pytest.mark.slow
def test_what_cannot_be_made_is_said(trained):
    said = run("study", "make", "full", "--images", 11, "--practice", 0, fails=True)
    assert re.search(
        r"full: of 66 test pairs that were tried \d+ real and \d+ generated images can be shown, but 11 of each", said
    )
    assert "expected a name that ends in .html" in run("study", "make", "full", "--out", "study.json", fails=True)
    for seconds in (0, "nan", 100):
        said = run("study", "make", "full", "--seconds", seconds, fails=True)
        assert f"--seconds: expected more than 0 and at most 60, got {float(seconds):g}" in said
    Path("study.key.json").write_text("somebody has the page")
    assert "study.key.json exists; remove it, or choose another --out" in run("study", "make", "full", fails=True)
    assert "no section gan.nobody" in run("study", "make", "nobody", fails=True)
    assert not Path("study.html").exists()


# A participant who errs in the images named in WRONG. It answers where the page takes answers, and notes which images
# it sees while they do not count, and faults of the page on the way.
PARTICIPANT = """(async (wrong, key) => {
  const at = id => document.getElementById(id), seen = [], faults = [];
  const study = JSON.parse(at("study").textContent);
  const open = () => [...document.querySelectorAll("main button")].filter(one => one.offsetParent && !one.disabled);
  const step = () => new Promise(done => setTimeout(done, 5));
  const check = name => {
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth) faults.push(`${name}: ${page.scrollWidth} px wide`);
    if (!at("task").hidden && page.scrollHeight > page.clientHeight) faults.push(`${name}: does not fit`);
  };
  let shown = [];
  const visible = () => getComputedStyle(at("image")).visibility === "visible";
  const changed = () => { if (!at("task").hidden && visible()) faults.push("an image is there before its time"); };
  new MutationObserver(changed).observe(at("image"), {attributeFilter: ["src"]});
  while (at("end").hidden) {
    await step();
    if (!at("task").hidden && getComputedStyle(at("image")).visibility === "visible") {
      if (at("answers").querySelector("button:enabled")) faults.push("takes answers while the image is there");
      const {width, height} = at("image").getBoundingClientRect();
      shown = [width, height];
    }
    const buttons = open();
    if (!buttons.length) continue;
    check(at("says").textContent || "text");
    const image = study.images.find(one => one.image === at("image").src);
    if (buttons.length === 1 || !image) { buttons[0].click(); continue; }
    if (getComputedStyle(at("image")).visibility !== "hidden") faults.push("the image is there when asked");
    const says = (key[image.id] === "real") === wrong.includes(image.id) ? "generated" : "real";
    seen.push(image.id);
    if (seen.length % 2) at("answers").querySelector(`[data-value=${says}]`).click();
    else dispatchEvent(new KeyboardEvent("keydown", {key: says[0].toUpperCase(), bubbles: true}));
  }
  check("end");
  at("save").click();
  return {seen, faults, shown};
})"""


@pytest.mark.slow
def test_participants_in_a_browser_get_the_scores_that_they_play(made, tmp_path):
    """Two of them, on a phone and on a desktop, with other errors and in other orders."""
    kinds = {name: entry["origin"] for name, entry in read_key(made)["images"].items()}
    real, generated = ([name for name, kind in kinds.items() if kind == wanted] for wanted in ("real", "generated"))
    orders = []
    for width, height, wrong in ((375, 667, real[:1] + generated[:3]), (1280, 900, real[1:3])):
        folder = tmp_path / str(width)
        folder.mkdir()
        with browser(folder) as shown:
            shown.show(made / "study.html", width, height)
            assert shown.faults() == []
            played = shown.run(f"{PARTICIPANT}({json.dumps(wrong)}, {json.dumps(kinds)})")
            assert played["faults"] == []
            assert played["shown"] == pytest.approx([192, 384] if width > 1000 else [0.55 * 667 / 2, 0.55 * 667], abs=1)
            assert shown.faults() == []
            text = shown.run("document.getElementById('text').value")
            for _ in range(400):
                if files := list(folder.glob("answers-*.json")):
                    break
                shown.run("new Promise(done => setTimeout(done, 50))")
        (file,) = files
        assert file.read_text() == text
        answers = json.loads(text)
        assert [one["image"] for one in answers["answers"]] == played["seen"]
        assert sorted(played["seen"]) == sorted(kinds)
        assert all(one["milliseconds"] >= 100 for one in answers["answers"])
        assert file.stem == f"answers-{answers['participant']}"
        orders.append(played["seen"])
        printed = run("study", "score", made / "study.key.json", file, "--out", tmp_path / f"{width}.json")
        assert "warning" not in printed
        scores = json.loads((tmp_path / f"{width}.json").read_text())
        assert scores["r2g"]["mean"] == 100 * len(set(wrong) & set(real)) / IMAGES
        assert scores["g2r"]["mean"] == 100 * len(set(wrong) & set(generated)) / IMAGES
    assert orders[0] != orders[1], "the same by chance once in 40,320 times"
    run("study", "score", made / "study.key.json", *tmp_path.glob("*/answers-*.json"), "--out", tmp_path / "both.json")
    both = json.loads((tmp_path / "both.json").read_text())
    assert (both["participants"], both["intervals_over"]) == (2, "participants and images")
    assert (both["r2g"]["mean"], both["g2r"]["mean"], both["accuracy"]["mean"]) == (37.5, 37.5, 62.5)


@pytest.mark.slow
def test_images_keep_their_shape_where_the_window_is_narrow(tmp_path):
    square = encode_jpeg(np.zeros((256, 256, 3), np.uint8))
    (tmp_path / "study.html").write_text(page("s", [], {"i1": square, "i2": square}, 0.1, (256, 256)))
    with browser(tmp_path) as shown:
        shown.show(tmp_path / "study.html", 375, 900)
        shown.run("document.querySelector('#start button').click()")
        size = shown.run(
            "(({width, height}) => [width, height])(document.getElementById('image').getBoundingClientRect())"
        )
        assert size[0] == pytest.approx(size[1])
        assert 300 < size[0] < 375
        assert shown.faults() == []


@pytest.fixture
def answered(tmp_path):
    """A key of two real and two generated images, and the answers of one who takes a real one for generated."""
    origins = {"i1": "real", "i2": "generated", "i3": "generated", "i4": "real"}
    images = {
        name: {"origin": origin, "source": "s.jpg" if origin == "generated" else None, "target": f"{name}.jpg"}
        for name, origin in origins.items()
    }
    key = {"generator": "full", "weights_sha256": "f", "data": ["a.zip"], "seed": 0, "seconds": 1.0, "practice": 0}
    key["images"] = {name: image | {"sha256": name} for name, image in images.items()}
    key["study"] = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    said = origins | {"i4": "generated"}
    answers = [{"image": name, "answer": answer, "milliseconds": 1400} for name, answer in said.items()]
    file = {"study": key["study"], "participant": "0a1b2c3d", "answers": answers}
    paths = tmp_path / "study.key.json", tmp_path / "answers.json"
    for path, content in zip(paths, (key, file), strict=True):
        path.write_text(json.dumps(content))
    return paths


def change(path, changes):
    """Change a JSON file in place."""
    content = json.loads(path.read_text())
    changes(content)
    path.write_text(json.dumps(content))


def test_scores_are_printed_in_per_cent(answered):
    lines = [line for line in run("study", "score", *answered).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[2:] == [
        ["R2G: real, taken for generated", "50.0", "[1.3, 98.7]"],
        ["G2R: generated, taken for real", "0.0", "[0.0, 84.2]"],
        ["accuracy", "75.0", "[19.4, 99.4]"],
    ]


WRONG_ANSWERS = {
    "answers.json is damaged (Expecting value": lambda file: file.write_text("no"),
    "answers.json is damaged (it has no participant); ask the participant": lambda file: change(
        file, lambda answers: answers.pop("participant")
    ),
    "answers.json is damaged (answers.0.answer: ": lambda file: change(
        file, lambda answers: answers["answers"][0].update(answer="maybe")
    ),
    "answers.json is damaged (answers.3.milliseconds: ": lambda file: change(
        file, lambda answers: answers["answers"][3].update(milliseconds=float("nan"))
    ),
    "answers.json is damaged (participant: ": lambda file: change(
        file, lambda answers: answers.update(participant="Ann")
    ),
    "answers.json: has answers to study 123456789012, the key is of ": lambda file: change(
        file, lambda answers: answers.update(study="1234567890123")
    ),
    "answers.json: has answers to images that the study does not have, i7": lambda file: change(
        file, lambda answers: answers["answers"][0].update(image="i7")
    ),
    "answers.json: has two answers to image i2": lambda file: change(
        file, lambda answers: answers["answers"][0].update(image="i2")
    ),
    "answers.json: has answers to 3 of 4 images, not to all": lambda file: change(
        file, lambda answers: answers["answers"].pop()
    ),
}


@pytest.mark.parametrize("said", WRONG_ANSWERS)
def test_wrong_answers_are_refused(answered, said):
    key, file = answered
    WRONG_ANSWERS[said](file)
    assert said in run("study", "score", key, file, fails=True)


def test_a_participant_counts_once(answered, tmp_path):
    key, file = answered
    again = tmp_path / "again.json"
    again.write_bytes(file.read_bytes())
    said = run("study", "score", key, file, again, fails=True)
    assert f"{again}: participant 0a1b2c3d is in {file} too" in said
    assert "participant 0a1b2c3d is in" in run("study", "score", key, file, file, fails=True)
    change(again, lambda answers: answers.update(participant="ffffffff"))
    assert "participants: 2; images: 2 real, 2 by full, each for 1 s; intervals over" in run(
        "study", "score", key, file, again
    )


def test_a_key_that_was_changed_or_is_none_is_refused(answered):
    key, file = answered
    assert "is damaged (it has no generator); give the file study.key.json" in run(
        "study", "score", file, file, fails=True
    )
    change(key, lambda content: content["images"]["i1"].update(origin="generated"))
    assert "study.key.json was changed after" in run("study", "score", key, file, fails=True)


def test_answers_that_are_too_fast_are_told(answered):
    key, file = answered
    change(file, lambda answers: [one.update(milliseconds=999) for one in answers["answers"][:2]])
    assert f"warning: {file}: 2 answers before the image was gone" in run("study", "score", key, file)
