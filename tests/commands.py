"""Running the project's commands in tests, with the parameters of a handful of people."""

from functools import cache
from pathlib import Path

from click.testing import CliRunner
from conftest import ROOT
from ruamel.yaml import YAML

from pipelines.__main__ import main
from pipelines.profiles import compose


@cache
def _composed(name):
    return compose([name], ROOT / "profiles")


def profile(name):
    """The values of a profile."""
    return YAML(typ="safe").load(_composed(name))


def small_params():
    """The smoke profile's values, with training of a moment."""
    params = profile("smoke")
    params["threads"] = 1
    for gan in params["gan"].values():
        gan["options"]["iterations"] = 2
    for reid in params["reid"].values():
        reid["training"].update(iterations=2, batch_size=8)
    return params


def write_params(change=lambda params: None):
    """params.yaml on `data/raw/tiny.zip`, as small as can be, after `change`."""
    params = small_params()
    params["dataset"]["path"] = "data/raw/tiny.zip"
    params["generators"] = ["baseline", "full"]
    params["renderings"] = ["views"]
    params["networks"] = ["ide", "siamese"]
    change(params)
    YAML().dump(params, Path("params.yaml"))


def run(*words, fails=False):
    """What a command prints; of one that fails the progress bars and the error after that."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert (result.exit_code != 0) == fails, f"{result.output}{result.exception!r}"
    if fails:
        assert isinstance(result.exception, SystemExit), "an error message, not a traceback"
    return result.stdout + (result.stderr if fails else "")


def unfinished():
    """Scratch folders with more than the result of a finished run."""
    return [folder for folder in Path(".scratch").glob("*/") if not (folder / "result").exists()]
