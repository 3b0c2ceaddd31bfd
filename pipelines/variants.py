"""The variants of the papers' ablations: what each changes in `gan.full`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipelines.params import GanParams
from reid.common.errors import InputError
from reid.common.parameters import faults

VARIANTS = Path("ablations/variants.yaml")


def load(gan: dict[str, GanParams], path: Path = VARIANTS) -> dict[str, GanParams]:
    """The variants as `ablations/NAME`, each `gan.full` with its changes.

    Raises:
        InputError: there is no `gan.full`; its loss is on pixels, or summed over positions, for which the variants are
            not made; or a variant changes what does not exist. The message names it.
    """
    if "full" not in gan:
        raise InputError(f"params.yaml has no section gan.full, which the variants in {path} change")
    if gan["full"].convention == "paper":
        raise InputError(
            f"gan.full.convention is paper, a loss summed over positions; the weights in {path} are made for the mean: "
            "set it to released"
        )
    if gan["full"].features == "pixels":
        raise InputError(
            f"gan.full.features is pixels; the variants in {path} vary a loss on a VGG's features: copy "
            "profiles/variants.yaml (minutes, on a CPU) or profiles/paper.yaml to params.yaml"
        )
    base = gan["full"].model_dump()
    variants = {}
    for name, changes in _read(path).items():
        try:
            variants[f"ablations/{name}"] = GanParams.model_validate(_changed(base, changes or {}))
        except ValidationError as error:
            raise InputError(f"{path}: {name}: {'; '.join(faults(error))}") from error
    return variants


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        read = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    variants = read.get("variants") if isinstance(read, dict) else None
    if not isinstance(variants, dict) or not all(isinstance(changes, dict | None) for changes in variants.values()):
        raise InputError(f"{path}: expected `variants`, with a section of changes for each name")
    return variants


def _changed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    nested = {key: _changed(base.get(key) or {}, value) for key, value in changes.items() if isinstance(value, dict)}
    return base | changes | nested
