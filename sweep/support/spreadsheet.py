"""Tables for programs and spreadsheets: plain JSON values, and CSV without formulas."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from itertools import dropwhile
from math import isfinite
from numbers import Integral, Real
from typing import Any

DANGEROUS = tuple("=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b")
"""Characters that begin a formula; also full-width and small ones, which Japanese versions read."""
SEPARATORS = re.compile(r"([;\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029])")
"""Characters at which a spreadsheet may begin another cell; ``;`` where the comma is decimal."""

UNSEEN = ("Z", "C")
"""Unicode categories of invisible characters: spaces, control and format characters."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def json_value(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinity become null."""
    if is_dataclass(value) and not isinstance(value, type):
        return json_value(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): json_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(each) for each in value]
    return _json_scalar(value)


def _json_scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if isfinite(value) else None
    return str(value)


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV; a cell that a spreadsheet could read as a formula gets an apostrophe."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([guarded(name) for name in names])
    writer.writerows([[guarded(row.get(name)) for name in names] for row in rows])
    return out.getvalue()


def guarded(value: Any) -> str:
    """Return a cell's text, with an apostrophe if it begins like a formula and is not a number.

    The same holds for each part of it that a spreadsheet may read as a cell of its own.
    """
    plain = json_value(value)
    if plain is None:
        return ""
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    if SEPARATORS.match(text):
        text = f"'{text}"
    return "".join(map(_harmless, SEPARATORS.split(text)))


def _harmless(part: str) -> str:
    seen = dropwhile(lambda c: c == '"' or unicodedata.category(c).startswith(UNSEEN), part)
    begins = next(seen, "").startswith(DANGEROUS)
    return f"'{part}" if begins and not NUMBER.fullmatch(part.strip()) else part
