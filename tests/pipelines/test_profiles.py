"""Profiles: what they give, and how `python -m pipelines profile` treats params.yaml."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import run
from conftest import ROOT
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from pipelines import params
from pipelines.profiles import compose
from pipelines.report.published import TABLES
from reid.common.errors import InputError

INHERITING = ("gan", "selection", "virtual_people", "reid")
NAMES = sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))
DEMO = (ROOT / "profiles/demo.yaml").read_text()

DEFAULTS = """\
# Defaults.
profile: demo
size: [2, 1] # height and width

# Rows.
names: # of rows
  - one
  - two

gan:
  # the first
  plain: # as it is
    rate: 0.0005
    weights: null # none
    options: {} # its own
    steps:
      - 1 # at first

reid:
  net:
    rate: 1.0
"""

OVERLAY = """\
# Other.
# Sizes.
names: [three] # one alone
size: [64, 32]
gan:
  second: {like: first, steps: [2, 3], options: {deep: &deep {x: 1}}}
  first: # has weights
    like: plain
    weights: file
  plain:
    <<: {rate: 1e-4}
    options: {wide: &yes true, also: *yes, deep: *deep}
"""

TOGETHER = """\
# Other.
# Sizes.
profile: other
size: # height and width
- 64
- 32
names: # one alone
- three
gan:
  # the first
  plain: # as it is
    rate: 0.0001
    weights: # none
    options: # its own
      wide: true
      also: true
      deep:
        x: 1
    steps:
    - 1
  second:
    rate: 0.0001
    weights: file # none
    options: # its own
      wide: true
      also: true
      deep:
        x: 1
    steps:
    - 2
    - 3
  first: # has weights
    rate: 0.0001
    weights: file # none
    options: # its own
      wide: true
      also: true
      deep:
        x: 1
    steps:
    - 1
reid:
  net:
    rate: 1.0
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "demo.yaml").write_text(DEFAULTS)
    (tmp_path / "other.yaml").write_text(OVERLAY)
    return tmp_path


def plain(names, folder):
    """The values of profiles, one after the other, in plain dicts."""
    whole = {}
    for name in ["demo", *names]:
        overlay = YAML(typ="safe").load(folder / f"{name}.yaml")
        for part in INHERITING:
            for section in overlay.get(part, {}):
                if "like" in overlay[part][section]:
                    whole[part].pop(section, None)
        whole = changed(whole, overlay)
    for part in INHERITING:
        while waiting := {name: section for name, section in whole.get(part, {}).items() if "like" in section}:
            for name, section in waiting.items():
                if section["like"] not in waiting:
                    own = {key: value for key, value in section.items() if key != "like"}
                    whole[part][name] = changed(whole[part][section["like"]], own)
    return whole | {"profile": "+".join(names)}


def changed(old, new):
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {key: changed(old.get(key), new.get(key, old.get(key))) for key in {**old, **new}}


def comments(text):
    """Those at the ends of lines."""
    return re.findall(r"^[^#\n]+( # .*)$", text, re.MULTILINE)


def test_the_demo_is_written_as_it_stands():
    assert compose(["demo"], ROOT / "profiles") == DEMO


def test_params_yaml_is_committed_as_the_demo(tmp_path):
    def committed(name):
        done = subprocess.run(["git", "show", f"HEAD:./{name}"], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    if shutil.which("git") is None or (ours := committed("params.yaml")) is None:
        pytest.skip("what is committed can be read in a git checkout only")
    (tmp_path / "demo.yaml").write_text(committed("profiles/demo.yaml"))
    assert ours == compose(["demo"], tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        *([name] for name in NAMES),
        *(["smoke", "variants"], ["variants", "streets-gpu"], ["paper", "ablations"]),
        *(["evidence", "rivals"], ["paper", "paper-rivals"]),
    ],
)
def test_values_and_comments(names):
    text = compose(names)
    values = YAML(typ="safe").load(text)
    assert values == plain(names, ROOT / "profiles")
    assert params.check(values, "profile").profile == "+".join(names)
    assert "&" not in text
    own = sum(len(comments((ROOT / f"profiles/{name}.yaml").read_text())) for name in names)
    assert sum(comment not in text for comment in comments(DEMO)) <= own, (
        "a comment goes only where another replaces it"
    )


@pytest.mark.parametrize("name", ["demo", "paper", "variants", "unlabelled"])
def test_an_experiment_changes_one_line(name, tmp_path):
    """`dvc exp run -S` writes the file anew, in its own formatting: `compose` gives this."""
    path = tmp_path / "params.yaml"
    path.write_text(compose([name]))
    before = path.read_text().splitlines()
    value = "step" if "average_precision: trapezoid" in path.read_text() else "trapezoid"
    apply_overrides(path, [f"report.average_precision={value}"])
    after = path.read_text().splitlines()
    changed_lines = [new for old, new in zip(before, after, strict=True) if new != old]
    assert [line.partition(" #")[0].rstrip() for line in changed_lines] == [f"  average_precision: {value}"]
    apply_overrides(path, ["gan.full.options.width=0.5"])
    assert sum(new != old for old, new in zip(after, path.read_text().splitlines(), strict=True)) == 1


def test_rivals_have_a_quarter_of_their_widths_and_no_backgrounds():
    ours = params.check(YAML(typ="safe").load(compose(["evidence", "rivals"])), "profile")
    for name in ours.trained:
        options = ours.gan[name].options
        assert options["width"] == 0.25, name
        assert not options.get("background", False), name


@pytest.mark.parametrize("base", ["paper", "variants"])
def test_ablations_are_the_papers(base):
    values = YAML(typ="safe").load(compose([base, "ablations"]))
    ours = params.check(values, "profile")
    assert {row.generator for rows in TABLES.values() for row in rows} == {
        "real",
        *ours.trained,
    }
    full = values["gan"]["full"]

    def differs(name):
        """What a variant has otherwise than Full."""
        variant = values["gan"][name]
        assert {**variant, "options": {}} == {**full, "options": {}}
        options, base = (section["options"] for section in (variant, full))
        parts, base_parts = options.pop("generator_options"), base["generator_options"]
        assert (options.keys(), parts.keys()) == (base.keys() - {"generator_options"}, base_parts.keys())
        changes = {key: value for key, value in options.items() if value != base[key]}
        return changes | {key: value for key, value in parts.items() if value != base_parts[key]}

    assert {name: differs(name) for name in ours.variants} == {
        "dsc": {"features": "pixels", "reconstruction_weight": 33.333, "neighbourhood": 1},
        "percloss": {"layer": "conv2_1", "reconstruction_weight": 0.5 / 128, "neighbourhood": 1},
        "average": {"aggregation": "average"},
        "linear": {"aggregation": "linear"},
        "pixels": {"features": "pixels", "reconstruction_weight": 33.333},
        "conv2_1": {"layer": "conv2_1"},
        "conv3_1": {"layer": "conv3_1"},
        "lambda_large": {"reconstruction_weight": 0.1},
        "lambda_small": {"reconstruction_weight": 0.001},
        "no_symmetry": {"symmetry": False},
        "n1": {"neighbourhood": 1},
        "n5": {"neighbourhood": 5},
        "no_masks": {"regions": "unmasked"},
    }


@pytest.mark.parametrize("name", [name for name in NAMES if name != "demo"])
def test_an_overlay_is_short_and_says_what_it_is(name):
    text = (ROOT / f"profiles/{name}.yaml").read_text()
    assert len(text.splitlines()) <= 40
    assert compose([name]).startswith(re.match(r"(#.*\n)+", text).group())


def test_an_overlay_keeps_comments_and_order(folder):
    assert compose(["other"], folder) == TOGETHER
    assert YAML(typ="safe").load(TOGETHER) == plain(["other"], folder)
    assert compose(["other", "demo"], folder).count("0.0005") == 3, "a later profile changes what is like its sections"


def test_a_later_profile_may_say_otherwise_what_a_section_is_like(folder):
    (folder / "again.yaml").write_text("gan: {first: {like: second}, second: {like: plain, steps: []}}")
    text = compose(["other", "again"], folder)
    assert YAML(typ="safe").load(text) == plain(["other", "again"], folder)
    assert "# has weights" not in text, "it is another section now"


def test_what_an_alias_repeats_is_written_out(folder):
    (folder / "alias.yaml").write_text(
        "gan:\n  one: &one\n    x: &x [&number 1, 2] # of x\n    y: *x\n  two: *one\n  three: {<<: *one, y: *number}\n"
    )
    text = compose(["alias"], folder)
    assert YAML(typ="safe").load(text) == plain(["alias"], folder)
    assert not set("&*") & set(text)
    assert text.count("    x: # of x\n    - 1\n    - 2\n") == 2


def test_a_path_may_stand_for_a_name(folder):
    path = folder / "mine/own.yaml"
    path.parent.mkdir()
    path.write_text("size: [5, 6]")
    text = compose(["other", str(path)], folder)
    named = re.sub(r"(?<=^profile:)\s+", " ", text, flags=re.MULTILINE)  # a long value is on a line of its own
    assert named == TOGETHER.replace("profile: other", f"profile: other+{path}").replace("- 64\n- 32", "- 5\n- 6")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gan: {a: {like: b}}", "odd.yaml: gan.a.like: there is no section gan.b; there are plain"),
        ("gan: {a: {like: b}, b: 3}", "odd.yaml: gan.a.like: there is no section gan.b; there are plain"),
        ("gan: {5: {}, a: {like: x}}", "odd.yaml: gan.5: expected the name of a section, got 5"),
        ("reid: {null: {like: net}}", "odd.yaml: reid.None: expected the name of a section, got None"),
        ("gan: {a: {like: [b]}}", "odd.yaml: gan.a.like: there is no section"),
        (
            "reid: {net: {like: net}}",
            "odd.yaml: like: reid.net, which is like reid.net: one of them must be written out",
        ),
        (
            "gan: {c: {like: a}, a: {like: b}, b: {like: a}}",
            "odd.yaml: like: gan.a, which is like gan.b, which is like gan.a: one",
        ),
        ("profile: mine", "odd.yaml: profile is mine; leave it out"),
        ("- 1", r"odd.yaml: expected keys of params.yaml with their values, got \[1\]"),
        ("", "odd.yaml: expected keys of params.yaml with their values, got None"),
        ("a: [", "odd.yaml is not YAML"),
        ("a: 1\na: 2", "odd.yaml is not YAML: .*duplicate key"),
    ],
)
def test_mistakes_in_an_overlay_are_named(folder, text, message):
    (folder / "odd.yaml").write_text(text)
    with pytest.raises(InputError, match=f"(?s){message}"):
        compose(["odd"], folder)


def test_the_file_is_named_that_says_what_a_section_is_like(folder):
    (folder / "first.yaml").write_text("gan: {a: {like: b}}")
    (folder / "second.yaml").write_text("gan: {a: {rate: 1}, c: {like: plain}}")
    with pytest.raises(InputError, match=r"first.yaml: gan.a.like: there is no section gan.b; there are plain, c$"):
        compose(["first", "second"], folder)


def test_a_missing_profile_is_named_and_those_there_are(folder):
    with pytest.raises(InputError, match=r"there is no profile \S*/papr.yaml; in \S* there are: demo, other"):
        compose(["papr"], folder)
    with pytest.raises(InputError, match=r"there is no profile papr.yaml; "):
        compose(["papr.yaml"], folder)
    with pytest.raises(InputError, match=r"none \(run from the project's root\)"):
        compose(["demo"], folder / "nowhere")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with profiles and params.yaml, in git."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "profiles", "profiles")
    Path("params.yaml").write_text(DEMO)
    git("init", "--quiet")
    return Path("params.yaml")


def git(*words):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


def test_params_yaml_is_written(project):
    assert run("profile", "paper") == "params.yaml: profile paper\n"
    assert project.read_text() == compose(["paper"])
    project.unlink()
    Path("mine.yaml").write_text("alphas: [3]")
    run("profile", "smoke", "mine.yaml")
    assert (params.load(project).alphas, params.load(project).profile) == ([3], "smoke+mine.yaml")
    run("profile", "demo")
    assert project.read_text() == DEMO
    assert sorted(path.name for path in Path().iterdir()) == [".git", "mine.yaml", "params.yaml", "profiles"]


def test_edits_are_not_lost(project):
    edited = project.read_text().replace("seed: 0", "seed: 7")
    project.write_text(edited)
    assert "params.yaml has edits that would be lost" in run("profile", "paper", fails=True)
    git("add", "params.yaml")
    assert "params.yaml has edits that would be lost" in run("profile", "paper", fails=True)
    assert project.read_text() == edited
    git("commit", "--quiet", "--message", "seed 7")
    run("profile", "paper")
    assert project.read_text() == compose(["paper"])

    project.write_text(edited + "# more\n")
    assert "--force overwrites it" in run("profile", "paper", fails=True)
    run("profile", "paper", "--force")
    assert project.read_text() == compose(["paper"])

    for text in ("profile: gone\n", "nothing\n"):
        project.write_text(text)
        assert "params.yaml has edits that would be lost" in run("profile", "paper", fails=True)


def test_edits_outside_git_are_not_lost(project, monkeypatch):
    shutil.rmtree(".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path.cwd().parent))
    run("profile", "smoke")
    project.write_text(project.read_text() + "# mine\n")
    assert "params.yaml has edits that would be lost" in run("profile", "demo", fails=True)
    monkeypatch.setenv("PATH", "")
    assert "params.yaml has edits that would be lost" in run("profile", "demo", fails=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gan: {full: {widht: 1}}", "profile paper+mine.yaml:\n  gan.full.widht: unknown parameter"),
        ("alpha: 3", "profile paper+mine.yaml:\n  alpha: unknown parameter"),
        ("evaluation: {like: report}", "profile paper+mine.yaml:\n  evaluation.like: unknown parameter"),
        ("gan: 3", "profile paper+mine.yaml:\n  gan: Input should be a valid dictionary"),
    ],
)
def test_what_is_no_valid_params_yaml_is_not_written(project, text, message):
    Path("mine.yaml").write_text(text)
    assert message in run("profile", "paper", "mine.yaml", fails=True)
    assert project.read_text() == DEMO
