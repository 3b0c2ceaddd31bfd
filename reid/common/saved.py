"""Tensors and JSON in files: written whole or not at all, and read with an error that says what to do."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from reid.common import atomic
from reid.common.errors import InputError

if TYPE_CHECKING:
    from torch import nn


UNWRITTEN = ("PytorchStreamWriter", "unexpected pos", "inline_container")  # in errors that torch makes of the system's
LFS = b"version https://git-lfs"  # with which files begin that Git LFS has not fetched


def save_tensors(state: dict[str, Any], path: Path) -> None:
    """Write what torch can save; equal states give equal bytes. Raises OSError where the disk is full."""
    import torch

    with atomic.replacing(path) as new, new.open("wb") as file:  # by handle: a name would be written into the file
        try:
            torch.save(state, file)
        except RuntimeError as error:
            what = str(error).partition("\n")[0]
            if not any(words in what for words in UNWRITTEN):
                raise
            raise OSError(f"{path} could not be written ({what}): is the disk full?") from error


def load_tensors(path: Path, remedy: str) -> Any:
    """What torch saved in a file, on the CPU; raises InputError with the remedy where the file cannot be read.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is damaged, holds more than tensors, or is another kind of file.
    """
    import torch

    with path.open("rb") as file:
        start = file.read(len(LFS))
    if start == LFS:
        raise InputError(f"{path} is a pointer of Git LFS, not the file itself: run `git lfs pull`, or copy the file")
    if start.lstrip().startswith(b"<"):
        raise InputError(f"{path} is a web page, not what torch saves: download the file itself")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if member := archive.testzip():
                    raise ValueError(f"the checksum of {member} is wrong")
        return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file makes the reader do
        what = str(error).partition("\n")[0] or f"it has {path.stat().st_size:,} bytes"
        raise InputError(f"{path} is damaged ({what}); {remedy}") from error


def fill(network: nn.Module, weights: object, path: Path, remedy: str) -> None:
    """Put weights from a file into a network; raises InputError with the remedy where they are not its weights."""
    try:
        network.load_state_dict(weights)  # type: ignore[arg-type]
    except (RuntimeError, TypeError) as error:
        what = shorten(str(error), 300, placeholder=" ...")
        raise InputError(
            f"{path}: expected the weights of the network in config.json beside it: {what}; {remedy}"
        ) from error


def save_json(content: dict[str, Any], path: Path, indent: int = 2) -> None:
    """Write a JSON file that ends with a line feed."""
    atomic.write(path, json.dumps(content, indent=indent) + "\n")


def load_json(path: Path, keys: tuple[str, ...], remedy: str) -> dict[str, Any]:
    """A JSON file that has these keys; raises InputError with the remedy where it is damaged."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        missing = [key for key in keys if key not in content]
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({error}); {remedy}") from error
    if missing:
        raise InputError(f"{path} is damaged (it has no {missing[0]}); {remedy}")
    return content
