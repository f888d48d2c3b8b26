"""A study as it is sent to a server: its file's text, and what messages call it."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyFileError
from sweep.support.study_files import label_of, locate, parsed, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweep.spec import StudySpec


@contextmanager
def problems_of(label: str) -> Iterator[None]:
    """Have problems that a server finds in a study file name that file."""
    try:
        yield
    except StudyFileError as error:
        raise StudyFileError(label, error.problems, error.places) from error


@dataclass(frozen=True)
class SentStudy:
    """A study as it is sent.

    Attributes
    ----------
    label : str
        What messages call it.
    source : str
        Its file's text.
    name : str or None
        Its name, where another one than in the text, or none stands there.
    """

    label: str
    source: str
    name: str | None = None

    def body(self) -> dict[str, str]:
        """Return what a request says of it."""
        return {"source": self.source} | ({} if self.name is None else {"name": self.name})


if TYPE_CHECKING:
    Study = SentStudy | StudySpec | str | Path | Mapping[str, Any]


def sent_file(file: str | Path, name: str | None = None) -> SentStudy:
    """Read a study file to be sent; the server checks what it says.

    Parameters
    ----------
    file : str or Path
        A TOML file, or the name of a shipped study.
    name : str, optional
        Another name for the study.

    Raises
    ------
    StudyFileError
        If there is none, it is no TOML, or holds a password.
    """
    label, path = str(file), locate(file)
    text = text_of(path, label_of(file))
    sections = parsed(text, label_of(file))
    if name is None and not _names_itself(sections):
        name = path.stem
    return SentStudy(label, text, name)


def sent(study: Study) -> SentStudy:
    """Return a study as it is sent, from what people name it by."""
    if isinstance(study, SentStudy):
        return study
    if isinstance(study, str | Path):
        return sent_file(study)
    from sweep.spec import StudySpec, load_study

    spec = study if isinstance(study, StudySpec) else load_study(study)
    named = _names_itself(tomllib.loads(spec.source))
    return SentStudy("study", spec.source, None if named else spec.study.name)


def _names_itself(sections: Mapping[str, Any]) -> bool:
    """Return whether a study file says its name; the server finds a section that is none."""
    study = sections.get("study", {})
    return not isinstance(study, dict) or "name" in study
