"""From a path, a shipped study's name or a mapping to a :class:`StudySpec`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sweep.errors import StudyFileError
from sweep.spec.overrides import overridden
from sweep.spec.parameters import ParametersOf, estimator_parameters
from sweep.spec.study import StudySpec, read
from sweep.spec.study_file import StudyFile
from sweep.spec.toml import to_toml
from sweep.support.code_references import is_reference
from sweep.support.study_files import (
    LARGEST_FILE,
    check_secrets,
    label_of,
    locate,
    parsed,
    text_of,
    too_large,
)

if TYPE_CHECKING:
    from sweep.spec.problems import Problem

CodeProblems: TypeAlias = "Callable[[Mapping[str, Any], Path | None], Iterable[Problem]]"


def load_study(
    study: str | Path | Mapping[str, Any],
    *,
    set_: Iterable[str] = (),
    parameters: ParametersOf | None = None,
    of_code: CodeProblems | None = None,
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
    of_code : callable, optional
        From the sections of a file with problems and its folder to those that the person's own
        code shows, so that both are told at once.

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
        path, label = locate(study), label_of(study)
        text = text_of(path, label)
        raw, folder, name = parsed(text, label), path.resolve().parent, path.stem
    return _checked(raw, text, label, name, folder, set_, parameters, of_code)


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
    text = text.removeprefix("\ufeff")  # Windows editors write it at the beginning of a file
    if (size := len(text.encode("utf-8", "surrogatepass"))) > LARGEST_FILE:
        raise StudyFileError(label, [too_large(size)])
    return _checked(parsed(text, label), text, label, Path(label).stem, folder, set_, None)


def _checked(
    raw: dict[str, Any], text: str, label: str, name: str, folder: Path | None,
    set_: Iterable[str], parameters: ParametersOf | None, of_code: CodeProblems | None = None,
) -> StudySpec:  # fmt: skip
    changes = [set_] if isinstance(set_, str) else set_
    changed, places, problems = overridden(raw, changes)
    known = parameters or estimator_parameters
    spec, found = read(changed, name=name, parameters=known, folder=folder)
    file = StudyFile(label, text, frozenset(places))
    if problems or spec is None:
        more = of_code(changed, folder) if of_code else ()
        told = {each.place for each in (*problems, *found)}
        raise file.error([*problems, *found, *(each for each in more if each.place not in told)])
    source = text if text and not places else to_toml(spec.sections() if not text else changed)
    check_secrets(source, label)
    kept = {"source": source, "folder": folder}
    return spec.model_copy(update=kept | ({"file": file} if text else {}))


def _standing(raw: Mapping[str, Any]) -> Path | None:
    """Return the folder of a study given in Python: where one stands, or the running script's.

    The script's is it where only that holds a module which the study names.
    """
    model, data, search, report = map(raw.get, ("model", "data", "search", "report"))
    named = [
        table.get(key)
        for table, key in (
            (model, "factory"),
            (model, "estimator"),
            (data, "dataset"),
            (search, "scoring"),
            (report, "sections"),
        )
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
