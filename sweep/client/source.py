"""A study as it is sent to a server: its file's text, and what messages call it."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweep.spec import StudySpec

    Study = StudySpec | str | Path | Mapping[str, Any]


@contextmanager
def problems_of(label: str) -> Iterator[None]:
    """Have problems that a server finds in a study file name that file."""
    try:
        yield
    except StudyFileError as error:
        raise StudyFileError(label, error.problems, error.places) from error


def label_of(study: Study) -> str:
    """Return what messages call a study that somebody hands in."""
    return str(study) if isinstance(study, str | Path) else "study"


def read_spec(study: Study) -> StudySpec:
    """Read a study from what people name it by."""
    from sweep.spec import StudySpec, load_study

    return study if isinstance(study, StudySpec) else load_study(study)


def source_of(spec: StudySpec) -> dict[str, str]:
    """Return the study file as it is sent: its text, and its name where that does not say it."""
    named = tomllib.loads(spec.source).get("study", {})
    return {"source": spec.source} if "name" in named else (
        {"source": spec.source, "name": spec.study.name}
    )  # fmt: skip
