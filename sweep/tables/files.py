"""Write a frame into a file: CSV, JSON, Parquet or an Excel workbook, by the file's ending."""

from __future__ import annotations

import io
import json
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.errors import ResultError
from sweep.support.file_writing import write_file
from sweep.support.redaction import redacted
from sweep.support.spreadsheet import csv_text, json_value
from sweep.tables.plain_rows import plain_rows

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

EXTRAS = {".parquet": ("parquet", "pyarrow"), ".xlsx": ("excel", "openpyxl")}
"""The optional dependency that a format needs, and the module that it brings."""
FORMATS = (".csv", ".json", *EXTRAS)
SHEET_ROWS = 1_048_576
"""Rows of an Excel sheet, the names of the columns among them."""
CELL_LENGTH = 32_767
"""Characters that a cell of an Excel sheet takes."""
LARGEST_INTEGER = 2**63


def check_format(path: Path) -> None:
    """Refuse a file whose ending is no format, or whose format needs an extra that is missing.

    Raises
    ------
    ResultError
        With the remedy.
    """
    ending = path.suffix.lower()
    if ending not in FORMATS:
        known = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        raise ResultError(f"a table's file must end in {known}, got {path.name!r}")
    extra, module = EXTRAS.get(ending, ("", ""))
    if extra and find_spec(module) is None:
        raise ResultError(
            f'{ending} needs an extra: pip install ".[{extra}]" in a checkout of sweep; .csv and '
            ".json need none"
        )


def write_table(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a frame into a file, whole or not at all.

    Parameters
    ----------
    frame : DataFrame
        From :mod:`sweep.tables`.
    path : path-like
        The file; its ending is the format.

    Returns
    -------
    Path

    Raises
    ------
    ResultError
        If the format is none, needs an extra, or cannot hold so many rows.
    OSError
        If it cannot be written.
    """
    target = Path(path)
    check_format(target)
    ending = target.suffix.lower()
    if ending == ".parquet":
        return write_file(target, _parquet(frame))
    if ending == ".xlsx":
        return write_file(target, _workbook(frame))
    rows = [{name: _stamp(value) for name, value in row.items()} for row in plain_rows(frame)]
    if ending == ".csv":
        text = csv_text(rows) if rows else csv_text([dict.fromkeys(frame.columns)]).split("\n")[0]
        return write_file(target, redacted(text.rstrip("\n")) + "\n")
    return write_file(target, redacted(json.dumps(json_value(rows), indent=1, ensure_ascii=False)))


def _stamp(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _parquet(frame: pd.DataFrame) -> bytes:
    plain = frame.copy()
    for name in filter(lambda each: pd.api.types.is_object_dtype(plain[each]), plain.columns):
        plain[name] = _uniform(list(plain[name]))
    held = io.BytesIO()
    plain.to_parquet(held, engine="pyarrow", index=False)
    return held.getvalue()


def _uniform(values: Sequence[Any]) -> Any:
    """Return a column of one kind: all truth values, whole numbers, numbers or text; else JSON."""
    known = [value for value in values if not _is_none(value)]
    kinds = {type(value) for value in known}
    if kinds == {bool}:
        return pd.array([None if _is_none(v) else v for v in values], dtype="boolean")
    if kinds == {int} and all(-LARGEST_INTEGER <= value < LARGEST_INTEGER for value in known):
        return pd.array([None if _is_none(v) else v for v in values], dtype="Int64")
    if kinds and kinds <= {int, float}:
        return pd.array([None if _is_none(v) else float(v) for v in values], dtype="Float64")
    text = [None if _is_none(v) else redacted(v) if kinds == {str} else _json(v) for v in values]
    return pd.array(text, dtype="string")


def _is_none(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _json(value: Any) -> str:
    return json.dumps(json_value(value), ensure_ascii=False)


def _workbook(frame: pd.DataFrame) -> bytes:
    if len(frame) >= SHEET_ROWS:
        raise ResultError(
            f"an Excel sheet holds {SHEET_ROWS - 1:,} rows, the table has {len(frame):,}; name a "
            ".csv or .parquet file"
        )
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("study")

    def cell(value: Any) -> Any:
        plain = _cell_value(value)
        made = WriteOnlyCell(sheet, plain)
        if isinstance(plain, str):
            made.data_type = "s"  # text that begins with = is no formula
        return made

    sheet.append([cell(name) for name in frame.columns])
    for row in plain_rows(frame):
        sheet.append([cell(value) for value in row.values()])
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def _cell_value(value: Any) -> Any:
    """Return what a cell can hold: times in UTC without a zone, lists as text, no controls."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    plain = json_value(value)
    if plain is None or isinstance(plain, bool | int | float):
        return plain
    text = redacted(plain if isinstance(plain, str) else _json(plain))
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)[:CELL_LENGTH]
