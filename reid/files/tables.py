"""Tables in files, Parquet or separated values: read with an error that says what to do."""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import parquet as pq

from reid.common.errors import InputError
from reid.files.lists import text


def parquet(source: Path | bytes, name: str, remedy: str, columns: Collection[str] = ()) -> pd.DataFrame:
    """Read a Parquet file.

    Args:
        source: its path, or its bytes.
        name: of the file, for the error.
        remedy: what to do where it is damaged.
        columns: that it has to have; it may have others.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is damaged, or lacks a column.
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    try:
        pq.read_table(io.BytesIO(data)).validate(full=True)  # text that is no UTF-8 would raise only where it is used
        table = pd.read_parquet(io.BytesIO(data))
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file makes the reader do
        raise InputError(f"{name} is damaged ({_first_line(error)}); {remedy}") from error
    return _with_columns(table, name, remedy, columns)


def separated(
    data: bytes, name: str, remedy: str, separator: str = ",", columns: Collection[str] = (), *, as_text: bool = False
) -> pd.DataFrame:
    """Read a table of separated values with a header; arguments and errors as of `parquet`.

    Args:
        data: the file's bytes.
        name: as there.
        remedy: as there.
        separator: between the values of a line.
        columns: as there.
        as_text: whether all values stay as they are written, empty ones too.
    """
    content = text(data, name)
    kept: dict[str, Any] = {"dtype": "string", "keep_default_na": False} if as_text else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of lines with more values than the header
            table = pd.read_csv(io.StringIO(content), sep=separator, index_col=False, **kept)
    except (ValueError, OverflowError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise InputError(f"{name} is no table of separated values ({_first_line(error)}); {remedy}") from error
    return _with_columns(table.rename(columns=str.strip), name, remedy, columns)


def typed(table: pd.DataFrame, columns: dict[str, str], name: str, remedy: str) -> pd.DataFrame:
    """The table with its columns in these types; raises InputError where a value is of no such type."""
    try:
        return table.astype({column: kind for column, kind in columns.items() if column in table})
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{name}: a value has the wrong type ({_first_line(error)}); {remedy}") from error


def _with_columns(table: pd.DataFrame, name: str, remedy: str, columns: Collection[str]) -> pd.DataFrame:
    missing = [column for column in columns if column not in table]
    if missing:
        has = ", ".join(map(str, table.columns))[:200] or "none"
        lacks = f"{', '.join(missing)} is missing; it has {has}"
        raise InputError(f"{name}: expected the columns {', '.join(columns)}, {lacks}; {remedy}")
    return table


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
