"""Run the pipeline for several values of one parameter, and draw what augmentation adds against it."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipelines import layout, params
from pipelines.console import stage
from pipelines.params import PARAMS, Params
from pipelines.report.figures import swept
from reid.common import atomic
from reid.common.errors import InputError
from reid.common.locks import claim
from reid.common.saved import load_json, save_json
from reid.evaluation.gains import LEAST
from reid.files.lists import text as text_of
from reid.files.samples import write_tsv

BEFORE = Path(".scratch/sweep.json")  # params.yaml before the sweep, and as it is during it
COLUMNS = ["row", "network", "distance", "score", "mean", "gain", "low", "high", "share", "share_low", "share_high"]


def run(key: str, values: Sequence[str], out: Path) -> None:
    """Write OUT.tsv and OUT.png: the scores of each row, and its gain over `real`, at each value of the parameter.

    For each value `dvc repro report` runs with it in params.yaml, which is as before in the end, also after an
    interruption; BEFORE keeps it, should the sweep be killed. DVC keeps what it has made: run again, a sweep goes on
    where it was. data/ has what belongs to the last value.

    Args:
        key: of params.yaml, with dots between its parts.
        values: as params.yaml has them.
        out: table and figure to write, without suffix.

    Raises:
        InputError: params.yaml cannot be read, there is no such key, a value is not possible, there are too few seeds,
            `dvc repro` fails, params.yaml was edited during a sweep, or another one is at work here.
    """
    _lock = claim(BEFORE.parent / "sweep")  # until this returns
    restore()
    params.load()  # or an error that says what is wrong with it
    before = text_of(PARAMS.read_bytes(), str(PARAMS))
    texts = {value: with_value(before, key, value) for value in dict.fromkeys(values)}
    checked = {value: params.check(YAML(typ="safe").load(text), f"{key}: {value}") for value, text in texts.items()}
    for value, its in checked.items():
        if len(its.seeds) < LEAST:
            raise InputError(f"{key}: {value}: intervals need at least {LEAST} seeds, `seeds` has {len(its.seeds)}")
    with stage("sweep", f"{key}: {', '.join(texts)}") as say:
        tables = []
        try:
            for value, text in texts.items():
                say(f"{key}: {value}")
                save_json({"before": before, "swept": text}, BEFORE)
                atomic.write(PARAMS, text)
                if subprocess.run([sys.executable, "-m", "dvc", "repro", "report"], check=False).returncode:
                    raise InputError(f"`dvc repro report` failed with {key}: {value}: see above; what is made is kept")
                if PARAMS.read_bytes() != text.encode():
                    raise _edited()
                tables.append(scores(checked[value]).assign(value=value))
            say(write(pd.concat(tables)[["value", *COLUMNS]], key, out))
        finally:
            restore()
        say(f"data/ is that of {key}: {list(texts)[-1]}; `dvc repro` makes it that of {PARAMS} again")


def write(table: pd.DataFrame, key: str, out: Path) -> str:
    """Write OUT.tsv, a table with a column `value` and COLUMNS, and OUT.png, a figure of it; returns their names."""
    numbers, picture = (out.with_name(out.name + suffix) for suffix in (".tsv", ".png"))
    write_tsv(table, numbers, "%.4g")
    swept(table, key, picture)
    return f"{numbers}, {picture}"


def restore() -> None:
    """Write params.yaml as it was before a sweep, if BEFORE has it.

    Raises:
        InputError: params.yaml is no longer what the sweep wrote.
    """
    if not BEFORE.exists():
        return
    kept = load_json(BEFORE, ("before", "swept"), f"remove it, and see that {PARAMS} is as you want it")
    if PARAMS.exists() and PARAMS.read_bytes() not in [text.encode() for text in kept.values()]:
        raise _edited()
    atomic.write(PARAMS, kept["before"])
    atomic.remove(BEFORE)


def _edited() -> InputError:
    return InputError(
        f"{PARAMS} was edited during a sweep; what it was before is in {BEFORE}, under `before`. Make it as you "
        "want it, remove that file and run again"
    )


def with_value(text: str, key: str, value: str) -> str:
    r"""The text of params.yaml with another value of a key.

    Args:
        text: of params.yaml.
        key: with dots between its parts.
        value: as YAML.

    Raises:
        InputError: there is no such key, or the value is not YAML.

    Example:
        >>> with_value("dataset:\n  name: streets\n  train_people: # all\n", "dataset.train_people", "20")
        'dataset:\n  name: streets\n  train_people: 20 # all\n'
    """
    yaml = YAML()
    yaml.width = 10_000
    content = yaml.load(text)
    *parents, last = key.split(".")
    node: Any = content
    for part in parents:
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict) or last not in node:
        raise InputError(
            f"params.yaml has no key {key}: give one with dots between its parts, dataset.train_people say"
        )
    try:
        node[last] = YAML(typ="safe").load(value)
    except YAMLError as error:
        raise InputError(f"{key}: {value!r} is not YAML: {error}") from error
    written = io.StringIO()
    yaml.dump(content, written)
    return written.getvalue()


def scores(its: Params) -> pd.DataFrame:
    """COLUMNS of the last report: mean score of each row by each network and distance, and its gain over `real`."""
    means = load_json(layout.REPORT / "metrics.json", (), "run `dvc repro report`")
    gains = pd.read_csv(layout.REPORT / "gains.tsv", sep="\t")
    key = {"trapezoid": "mAP", "step": "mAP_step"}[its.report.average_precision]
    lines = [
        (row, network, distance, score, values[name])
        for row, networks in means.items()
        for network, distances in networks.items()
        for distance, values in distances.items()
        for score, name in (("Rank-1", "rank1"), ("mAP", key))
    ]
    table = pd.DataFrame(lines, columns=COLUMNS[:5])
    over_real = gains[(gains["over_row"] == layout.REAL) & (gains["over_network"] == gains["network"])]
    return table.merge(over_real, how="left", on=COLUMNS[:4], suffixes=("", "_"))[COLUMNS]
