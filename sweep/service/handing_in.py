"""A study file that somebody hands in: read, restricted to what this server allows, submitted."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.datasets import DATASETS
from sweep.errors import StudyFileError
from sweep.service.problems import RefusedError
from sweep.spec import read_study_text
from sweep.storage.locations import ledger_folder
from sweep.support.code_references import is_reference
from sweep.support.module_permission import allowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.service.settings import Settings
    from sweep.spec import StudySpec

UPLOADED = "data"
"""The folder of uploaded datasets, beside the ledger."""
HIDDEN = ".uploads"
"""The folder in it that is the server's own."""


def uploads_folder(settings: Settings) -> Path:
    """Return where uploaded datasets lie; study files name them by their file name."""
    return ledger_folder(settings.storage) / UPLOADED


def read_source(settings: Settings, source: str, name: str | None = None) -> StudySpec:
    """Read a study that somebody hands in.

    Parameters
    ----------
    settings : Settings
        What this server allows.
    source : str
        The study file.
    name : str, optional
        Another name for the study.

    Raises
    ------
    RefusedError
        422 with all problems, each at its line.
    """
    changes = [] if name is None else [f"study.name={json.dumps(name, ensure_ascii=False)}"]
    try:
        spec = read_study_text(source, folder=uploads_folder(settings), set_=changes)
    except StudyFileError as error:
        raise refused(error) from error
    if found := [*_modules(settings, spec), *_files(settings, spec)]:
        lines = [f"{path}: {message}" for path, message in found]
        raise refused(StudyFileError("study.toml", lines, _at_lines(source, found)))
    return spec


def refused(error: StudyFileError) -> RefusedError:
    """Return the answer to a study file with problems."""
    problems = [
        {"path": path, "line": line, "message": message} for path, line, message in error.places
    ]
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return RefusedError(422, f"The study file has {count}.", problems)


def _modules(settings: Settings, spec: StudySpec) -> list[tuple[str, str]]:
    """Return what is wrong with the code that a study names: only the owner allows modules."""
    named = [("data.dataset", spec.data.dataset)]
    named += [(f"model.{key}", reference) for key, reference in spec.model.source.items()]
    named += [("search.scoring", each) for each in spec.search.scorers]
    named += [("report.sections", each) for each in spec.report.sections or ()]
    return [
        (path, _not_allowed(reference, settings.allow))
        for path, reference in named
        if is_reference(reference) and not allowed(reference.partition(":")[0], settings.allow)
    ]


def _not_allowed(reference: str, allow: Sequence[str]) -> str:
    module = reference.partition(":")[0]
    known = ", ".join(allow) or "none"
    return (
        f"this server does not load code from {module!r}; its owner allows: {known} "
        f"(`sweep serve --allow {module}`)"
    )


def _files(settings: Settings, spec: StudySpec) -> list[tuple[str, str]]:
    """Return what is wrong with the files that a study names: only uploads and data_home."""
    dataset = spec.data.dataset
    if dataset in DATASETS or is_reference(dataset):
        return []
    home = settings.data_home or os.environ.get("SWEEP_DATA_HOME")
    folders = [uploads_folder(settings), *([Path(home)] if home else [])]
    with suppress(OSError, ValueError):
        found = (uploads_folder(settings) / dataset).resolve()
        own = found.is_relative_to((uploads_folder(settings) / HIDDEN).resolve())
        inside = any(folder.resolve() in found.parents for folder in folders)
        if inside and not own and found.exists():
            return []
    rule = (
        f"no dataset {dataset!r} here; name a built-in one ({', '.join(sorted(DATASETS))}) or one "
        "that was uploaded to this server"
    )
    return [("data.dataset", rule)]


def _at_lines(source: str, found: Sequence[tuple[str, str]]) -> list[tuple[str, int | None, str]]:
    from sweep.spec.toml import line_of, lines

    known = lines(source)
    return [(path, line_of(tuple(path.split(".")), known), message) for path, message in found]


def plain_problems(error: RefusedError) -> list[dict[str, Any]]:
    """Return the problems of a refusal, for a page that shows them beside the text."""
    return [dict(each) for each in error.refusal.problems]
