"""Several checks of a study whose problems are told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.errors import ReferenceError_, StudyFileError
from sweep.spec.study_file import reference_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweep.spec import StudySpec

Refusal = StudyFileError | ReferenceError_


def all_at_once(spec: StudySpec, checks: Sequence[Callable[[], object]]) -> None:
    """Make all checks; raise the one problem as it is, and several as one error that lists them."""
    found: list[Refusal] = []
    for check in checks:
        try:
            check()
        except (StudyFileError, ReferenceError_) as error:
            found.append(error)
    raise_all(spec, found)


def raise_all(spec: StudySpec, found: Sequence[Refusal]) -> None:
    """Raise what checks have found: one as it is, several as one error that lists them.

    Of two that speak of the same parameter the later one is kept: it knows more.
    """
    if len(found) == 1:
        raise found[0]
    if found:
        lines = [line for error in found for line in _problems(error, spec)]
        told = {_parameter(line): line for line in lines}
        raise StudyFileError(spec.study.name, [*told.values()]) from found[0]


def _parameter(line: str) -> str:
    place = line.partition(": ")[0]
    return place if place.startswith(("model.", "space.")) else line


def _problems(error: Refusal, spec: StudySpec) -> list[str]:
    """Return the problems of an error; those of an outer fold begin with its name."""
    if not isinstance(error, StudyFileError):
        return [reference_line(error, spec)]
    if error.source == spec.study.name:
        return error.problems
    return [f"{error.source}: {problem}" for problem in error.problems]
