"""Study files as files: where one is, its text, its sections; nothing of what they mean."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from sweep.errors import StudyFileError
from sweep.support.file_names import expanded
from sweep.support.redaction import scrubbed

LONGEST_LABEL = 200
LARGEST_FILE = 1_000_000
"""Bytes; a study file has about one thousand."""
TOO_DEEP = "lists or tables nest too deep"
DEEPEST_KEY = 100
"""Levels that are read; those past :data:`sweep.spec.plain_values.DEEPEST` get a message each."""


def shipped_studies() -> dict[str, Path]:
    """Find the studies that come with sweep: ``{name: file}``, sorted by name."""
    package = Path(__file__).resolve().parents[1]
    wheel, checkout = package / "_studies", package.parent / "studies"
    here = (package.parent / "pyproject.toml").is_file()
    folder = wheel if wheel.is_dir() or not here else checkout
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}


def locate(study: str | Path) -> Path:
    """Return the file that a person names: a path, or a shipped study.

    Raises
    ------
    StudyFileError
        If there is none; a mistyped name gets a suggestion.
    """
    path, label = expanded(study), label_of(study)
    shipped = shipped_studies()
    try:
        kind = "file" if path.is_file() else "folder" if path.is_dir() else ""
        exists = bool(kind) or path.exists()
    except (OSError, ValueError) as error:
        raise StudyFileError(
            label, [f"cannot be looked up: {getattr(error, 'strerror', None) or error}"]
        ) from error
    name = str(study).removesuffix(".toml")
    if kind != "file" and name in shipped:
        return shipped[name]
    if exists and kind != "file":
        what = kind or "no regular file"
        raise StudyFileError(label, [f"must be a file, got a {what}" if kind else f"is {what}"])
    if not exists:
        raise StudyFileError(label, [_not_found(Path(name).name, list(shipped))])
    return path


def label_of(study: str | Path) -> str:
    """Name the study in messages: on one line, not endless."""
    return "".join(c if c.isprintable() else "?" for c in str(study))[:LONGEST_LABEL]


def text_of(path: Path, label: str) -> str:
    """Return the text of a study file.

    Raises
    ------
    StudyFileError
        If it is too large, no text, or cannot be read.
    """
    try:
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise StudyFileError(label, [too_large(size)])
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        rule = f"must be UTF-8 text, got byte 0x{error.object[error.start]:02x}"
        raise StudyFileError(
            label, [f"{rule} at position {error.start}; save it as UTF-8"]
        ) from error
    except OSError as error:
        raise StudyFileError(label, [f"cannot be read: {error.strerror}"]) from error


def parsed(text: str, label: str) -> dict[str, Any]:
    """Return the sections of a study file, not checked.

    Raises
    ------
    StudyFileError
        If it is no TOML, or holds what looks like a password.
    """
    check_secrets(text, label)
    return _parse(text, label)


def check_secrets(text: str, label: str) -> None:
    """Refuse a study with an address's password: the ledger keeps its text, and reports show it."""
    lines = enumerate(text.splitlines(), 1)
    found = [f"line {number}" for number, line in lines if scrubbed(line) != line]
    if found:
        problem = (
            f"{', '.join(found[:5])}: looks like an address with a password, and a study's text is "
            "kept in the ledger and shown in reports; keep it in the environment, and read it in "
            "code of your own"
        )
        raise StudyFileError(label, [problem])


def _parse(text: str, label: str) -> dict[str, Any]:
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        why = TOO_DEEP if isinstance(error, RecursionError) else str(error)
        at = re.search(r"line (\d+)", why)
        rule = f"must be TOML, but: {why}"
        place = ("", int(at[1]) if at else None, rule)
        raise StudyFileError(label, [rule], [place]) from error
    if _deeper(raw, DEEPEST_KEY):  # a dotted key nests tables without a bracket
        raise StudyFileError(label, [f"must be TOML, but: {TOO_DEEP}"])
    return raw


def _deeper(value: Any, levels: int) -> bool:
    """Whether tables and lists nest deeper than so many levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(levels == 0 or _deeper(each, levels - 1) for each in inner)


def _not_found(name: str, shipped: list[str]) -> str:
    close = difflib.get_close_matches(name, shipped, n=1)
    hint = f", did you mean {close[0]}?" if close else ";"
    return f"no such file or shipped study{hint} shipped are: {', '.join(shipped) or 'none'}"


def too_large(size: int) -> str:
    """Say that a study file has too many bytes."""
    return f"a study file must have at most {LARGEST_FILE} bytes, got {size}"
