"""A tiny TOML writer, and the lines at which a TOML text says things."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|\n|[\[{]|[\]}]|.',
    re.DOTALL,
)
_KEY = re.compile(r"((?:\"(?:\\.|[^\"\\])*\"|'[^']*'|[^=\"'])+)=", re.DOTALL)
_HEADER = re.compile(r"\[{1,2}(.+?)\]{1,2}\s*", re.DOTALL)


def to_toml(plain: Mapping[str, Any]) -> str:
    """Write plain values as TOML: each table of the first level a section, deeper ones inline.

    Parameters
    ----------
    plain : mapping of str to value
        Text, truth values, numbers, lists and mappings of these. A key whose value is None is
        left out, for TOML has no word for it.

    Raises
    ------
    TypeError
        A value of another kind.
    """
    given = {key: value for key, value in plain.items() if value is not None}
    loose = {key: value for key, value in given.items() if not isinstance(value, Mapping)}
    blocks = [_pairs(loose)] if loose else []
    for key, value in given.items():
        if isinstance(value, Mapping):
            blocks.append(f"[{toml_key(key)}]\n{_pairs(value)}")
    return "\n".join(blocks)


def toml_key(key: str) -> str:
    """Write a key: bare where TOML allows it, else quoted."""
    return key if _BARE.fullmatch(key) else _text(key)


def lines(source: str) -> dict[tuple[str, ...], int]:
    """Find the line, counted from 1, at which a TOML text speaks of each key."""
    table: tuple[str, ...] = ()
    found: dict[tuple[str, ...], int] = {}
    tables: Counter[tuple[str, ...]] = Counter()
    for number, statement in _statements(source):
        if header := _HEADER.fullmatch(statement):
            table = _path(header[1])
            found.setdefault(table, number)
            if statement.startswith("[["):
                tables[table] += 1
                table = (*table[:-1], f"{table[-1]}[{tables[table] - 1}]")
                found.setdefault(table, number)
        elif key := _KEY.match(statement):
            found.setdefault((*table, *_path(key[1])), number)
    return found


def line_of(place: tuple[str, ...], known: Mapping[tuple[str, ...], int]) -> int | None:
    """Find the line of a place, or of the nearest key around it, or else of the first inside it."""
    for end in range(len(place), 0, -1):
        if place[:end] in known:
            return known[place[:end]]
    return next((line for key, line in known.items() if key[: len(place)] == place), None)


def _statements(source: str) -> Iterator[tuple[int, str]]:
    """Yield each statement with its first line; brackets and strings may span lines."""
    number, first, depth, text = 1, 1, 0, ""
    for piece in _TOKEN.findall(source + "\n"):
        if piece == "\n" and depth == 0:
            if text.strip():
                yield first, text.strip()
            first, text = number + 1, ""
        elif not piece.startswith("#"):
            depth = max(depth + (piece in "[{") - (piece in "]}"), 0)
            text += piece
        number += piece.count("\n")


def _path(text: str) -> tuple[str, ...]:
    """Split a dotted key as TOML does."""
    try:
        node: Any = tomllib.loads(f"{text.strip()} = 0")
    except ValueError:
        return (text.strip(),)
    path = []
    while isinstance(node, dict):
        key, node = next(iter(node.items()))
        path.append(key)
    return tuple(path)


def _pairs(table: Mapping[str, Any]) -> str:
    given = ((key, value) for key, value in table.items() if value is not None)
    return "".join(f"{toml_key(key)} = {toml_value(value)}\n" for key, value in given)


def toml_value(value: Any) -> str:
    """Write a value as it stands behind an equals sign."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        given = {key: each for key, each in value.items() if each is not None}
        pairs = ", ".join(f"{toml_key(key)} = {toml_value(each)}" for key, each in given.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    raise TypeError(f"TOML holds text, numbers, truth values, lists and tables, got {value!r}")


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
