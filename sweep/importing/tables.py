"""Read a table file of another tool: CSV, JSON or Parquet, bounded, nothing executed."""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sweep.importing.found import MOST_TRIALS
from sweep.importing.problems import refused, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LARGEST_FILE = 200 * 2**20
LARGEST_UNPACKED = 2**30
"""Bytes of a Parquet file's columns once they are unpacked, as its footer says."""
MOST_COLUMNS = 5000
FORMATS = (".csv", ".json", ".parquet")

Row = dict[str, Any]


def read_table(path: Path) -> list[Row]:
    """Return the rows of a table file; cells of CSV are text.

    Raises
    ------
    ImportFileError
        If it is missing, too large, or no such table.
    """
    source, ending = str(path), path.suffix.lower()
    if ending not in FORMATS:
        known = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        raise refused(source, f"a table must be a {known} file")
    try:
        if not path.is_file():
            raise refused(source, "there is no such file")
        size = path.stat().st_size
    except OSError as error:
        raise refused(source, f"it cannot be read: {error.strerror}") from error
    if size > LARGEST_FILE:
        raise refused(source, f"must have at most {LARGEST_FILE:,} bytes, it has {size:,}")
    if ending == ".parquet":
        rows = _parquet(path)
    else:
        text = _text(path)
        rows = _csv(source, text) if ending == ".csv" else _json(source, text)
    if not rows:
        raise refused(source, "it has no rows")
    if len(rows) > MOST_TRIALS:
        raise refused(source, f"must have at most {MOST_TRIALS:,} rows, it has {len(rows):,}")
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise refused(str(path), f"it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        rule = f"must be UTF-8 text, byte {error.start} is not; save it so"
        raise refused(str(path), rule) from error


def _csv(source: str, text: str) -> list[Row]:
    if "\0" in text:
        raise refused(source, "must be text, it has a zero byte")
    lines = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        names = next(lines, [])
        _check_names(source, names)
        rows = []
        for line in lines:
            if not line:
                continue
            if len(line) != len(names):
                rule = f"must have {len(names)} cells as the first line has, it has {len(line)}"
                raise refused(source, f"line {lines.line_num}: {rule}")
            rows.append(dict(zip(names, line, strict=True)))
            if len(rows) > MOST_TRIALS:
                break
    except csv.Error as error:
        raise refused(source, f"line {lines.line_num}: no CSV: {error}") from error
    return rows


def _check_names(source: str, names: Sequence[str]) -> None:
    if len(names) == 1 and ";" in names[0]:
        raise refused(source, "columns must be separated by commas, these are by ;")
    if len(names) > MOST_COLUMNS:
        raise refused(source, f"must have at most {MOST_COLUMNS:,} columns, got {len(names):,}")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise refused(source, f"column {shown(twice)} stands twice")


def _json(source: str, text: str) -> list[Row]:
    """Read a list of rows, or columns: lists, or mappings by row as pandas writes them."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refused(source, f"no JSON: {error or 'nested too deep'}") from error
    if isinstance(held, list) and all(isinstance(row, dict) for row in held):
        return held
    if not isinstance(held, dict) or not held:
        raise refused(source, "must be a list of rows or an object of columns")
    columns = {name: _column(values) for name, values in held.items()}
    wrong = next((name for name, values in columns.items() if values is None), None)
    if wrong is not None:
        rule = f"must be a list, or an object by row, got {shown(held[wrong])}"
        raise refused(source, f"column {shown(wrong)}: {rule}")
    lists = {name: values for name, values in columns.items() if values is not None}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) > 1:
        raise refused(source, f"columns must be of one length, got {sorted(lengths)[:5]}")
    count = min(lengths.pop(), MOST_TRIALS + 1)
    return [{name: values[i] for name, values in lists.items()} for i in range(count)]


def _column(values: Any) -> list[Any] | None:
    if isinstance(values, dict):
        return list(values.values())
    return values if isinstance(values, list) else None


def _parquet(path: Path) -> list[Row]:
    source = str(path)
    if find_spec("pyarrow") is None:
        rule = 'a Parquet file needs an extra: pip install ".[parquet]" in a checkout of sweep'
        raise refused(source, rule)
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            held = file.metadata
            groups = range(held.num_row_groups)
            unpacked = sum(held.row_group(i).total_byte_size for i in groups)
            if held.num_rows > MOST_TRIALS or held.num_columns > MOST_COLUMNS:
                rule = f"must have at most {MOST_TRIALS:,} rows and {MOST_COLUMNS:,} columns"
                size = f"it has {held.num_rows:,} and {held.num_columns:,}"
                raise refused(source, f"{rule}, {size}")
            if unpacked > LARGEST_UNPACKED:
                rule = f"must have at most {LARGEST_UNPACKED:,} bytes unpacked"
                raise refused(source, f"{rule}, it says {unpacked:,}")
            rows: list[Row] = file.read().to_pylist()
            return rows
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, ValueError) and hasattr(error, "problems"):
            raise
        raise refused(source, f"no Parquet file that can be read: {error}") from error
