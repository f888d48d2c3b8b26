"""From a path, a shipped study's name or a mapping to a :class:`StudySpec`."""

from __future__ import annotations

import difflib
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyFileError
from sweep.spec.overrides import overridden
from sweep.spec.parameters import ParametersOf, estimator_parameters
from sweep.spec.study import StudySpec, read
from sweep.spec.toml import line_of, lines, to_toml, toml_key
from sweep.support.code_references import is_reference
from sweep.support.file_names import expanded
from sweep.support.redaction import scrubbed

if TYPE_CHECKING:
    from sweep.spec.problems import Problem

LONGEST_LABEL = 200
LARGEST_FILE = 1_000_000
"""Bytes; a study file has about one thousand."""
TOO_DEEP = "lists or tables nest too deep"
DEEPEST_KEY = 100
"""Levels that are read; those past :data:`sweep.spec.plain_values.DEEPEST` get a message each."""


def load_study(
    study: str | Path | Mapping[str, Any],
    *,
    set_: Iterable[str] = (),
    parameters: ParametersOf | None = None,
) -> StudySpec:
    """Read a study and check everything that can be checked without its data.

    Parameters
    ----------
    study : str, Path or mapping
        A TOML file, the name of a shipped study, or the sections themselves.
    set_ : iterable of str
        Changes, ``"search.cv=3"`` each.
    parameters : callable, optional
        From a factory's name to its estimator's parameters and defaults, or None where they are
        not known; the built-in models' by default.

    Returns
    -------
    StudySpec
        With defaults filled in.

    Raises
    ------
    StudyFileError
        The file cannot be read, or there are problems: all of them.
    """
    if isinstance(study, Mapping):
        raw, text, label, name = dict(study), "", "study", "study"
        folder = _standing(raw)
    else:
        path, label = _locate(study), _label(study)
        text = _text(path, label)
        raw, folder, name = _parsed(text, label), path.resolve().parent, path.stem
    return _checked(raw, text, label, name, folder, set_, parameters)


def read_study_text(
    text: str, *, folder: Path | None = None, set_: Iterable[str] = (), label: str = "study.toml"
) -> StudySpec:
    """Read a study from its text, as :func:`load_study` reads it from a file.

    Parameters
    ----------
    text : str
        TOML.
    folder : Path, optional
        Where relative paths and modules are looked for.
    set_ : iterable of str
        Changes, ``"search.cv=3"`` each.
    label : str
        What messages call it.

    Raises
    ------
    StudyFileError
        With all problems.
    """
    if (size := len(text.encode("utf-8", "surrogatepass"))) > LARGEST_FILE:
        raise StudyFileError(label, [_too_large(size)])
    return _checked(_parsed(text, label), text, label, Path(label).stem, folder, set_, None)


def _checked(
    raw: dict[str, Any], text: str, label: str, name: str, folder: Path | None,
    set_: Iterable[str], parameters: ParametersOf | None,
) -> StudySpec:  # fmt: skip
    changes = [set_] if isinstance(set_, str) else set_
    changed, places, problems = overridden(raw, changes)
    known = parameters or estimator_parameters
    spec, found = read(changed, name=name, parameters=known, folder=folder)
    if problems or spec is None:
        raise _error(label, [*problems, *found], text, places)
    source = text if text and not places else to_toml(spec.sections() if not text else changed)
    _check_secrets(source, label)
    return spec.model_copy(update={"source": source, "folder": folder})


def _parsed(text: str, label: str) -> dict[str, Any]:
    _check_secrets(text, label)
    return _parse(text, label)


def _check_secrets(text: str, label: str) -> None:
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


def _standing(raw: Mapping[str, Any]) -> Path | None:
    """Return the folder of a study given in Python: where one stands, or the running script's.

    The script's is it where only that holds a module which the study names.
    """
    model, data, report = (raw.get(section) for section in ("model", "data", "report"))
    named = [
        table.get(key)
        for table, key in ((model, "factory"), (data, "dataset"), (report, "sections"))
        if isinstance(table, Mapping)
    ]
    texts = [str(t) for held in named for t in (held if isinstance(held, list) else [held])]
    tops = {text.partition(":")[0].partition(".")[0] for text in texts if is_reference(text)}
    try:
        here, script = Path.cwd(), Path(sys.path[0] if sys.path else "").resolve()
    except OSError:  # the folder is gone
        return None
    return script if _hold(script, tops) and not _hold(here, tops) else here


def _hold(folder: Path, tops: set[str]) -> bool:
    return any((folder / f"{top}.py").is_file() or (folder / top).is_dir() for top in tops)


def shipped_studies() -> dict[str, Path]:
    """Find the studies that come with sweep: ``{name: file}``, sorted by name."""
    package = Path(__file__).resolve().parents[1]
    wheel, checkout = package / "_studies", package.parent / "studies"
    here = (package.parent / "pyproject.toml").is_file()
    folder = wheel if wheel.is_dir() or not here else checkout
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}


def _locate(study: str | Path) -> Path:
    path, label = expanded(study), _label(study)
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


def _label(study: str | Path) -> str:
    """Name the study in messages: on one line, not endless."""
    return "".join(c if c.isprintable() else "?" for c in str(study))[:LONGEST_LABEL]


def _not_found(name: str, shipped: list[str]) -> str:
    close = difflib.get_close_matches(name, shipped, n=1)
    hint = f", did you mean {close[0]}?" if close else ";"
    return f"no such file or shipped study{hint} shipped are: {', '.join(shipped) or 'none'}"


def _text(path: Path, label: str) -> str:
    try:
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise StudyFileError(label, [_too_large(size)])
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        rule = f"must be UTF-8 text, got byte 0x{error.object[error.start]:02x}"
        raise StudyFileError(
            label, [f"{rule} at position {error.start}; save it as UTF-8"]
        ) from error
    except OSError as error:
        raise StudyFileError(label, [f"cannot be read: {error.strerror}"]) from error


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


def _error(
    label: str, problems: list[Problem], text: str, places: set[tuple[str, ...]]
) -> StudyFileError:
    """Return the error with these problems, in the order of the file."""
    known = lines(text)
    last = text.count("\n") + 2
    problems = sorted(problems, key=lambda each: line_of(each.place, known) or last)
    written = [f"{_place(p.place, known, places)}: {p.message}" for p in problems]
    parts = [(_name(p.place), line_of(p.place, known), p.message) for p in problems]
    return StudyFileError(label, written, parts)


def _too_large(size: int) -> str:
    return f"a study file must have at most {LARGEST_FILE} bytes, got {size}"


def _place(
    place: tuple[str, ...], known: Mapping[tuple[str, ...], int], places: set[tuple[str, ...]]
) -> str:
    name = _name(place)
    line = line_of(place, known)
    by_change = any(place[: len(each)] == each for each in places)
    if by_change or (line is None and any(each[: len(place)] == place for each in places)):
        return f"{name} (--set)"
    return name if line is None else f"{name} (line {line})"


def _name(place: tuple[str, ...]) -> str:
    return ".".join(key if key == "--set" else _key(key) for key in place)


def _key(key: str) -> str:
    """Write a key as TOML does, the number of a table in its array behind it: ``start[0]``."""
    name, bracket, number = key.partition("[")
    counted = bracket and number.removesuffix("]").isdigit() and number.endswith("]")
    return f"{toml_key(name)}[{number}" if counted else toml_key(key)
