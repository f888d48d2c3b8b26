"""The file that a study was read from: where in it a problem stands."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweep.errors import ReferenceError_, StudyFileError, StudyReferenceError
from sweep.spec.problems import Problem
from sweep.spec.toml import line_of, lines, toml_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sweep.spec.study import StudySpec

_Place = tuple[str, ...]
_TOLD = re.compile(
    r"((?:study|data|model|search|space|report)(?:\.(?:[\w-]+(?:\[\d+\])?|\"[^\"]+\"))*): (.*)",
    re.DOTALL,
)


@dataclass(frozen=True)
class StudyFile:
    """A study file as a person has it.

    Attributes
    ----------
    label : str
        What messages call it; empty for a study that is no file.
    text : str
        Its text.
    changed : frozenset of tuple of str
        What ``--set`` has changed.
    """

    label: str = field(default="", compare=False)
    text: str = field(default="", compare=False)
    changed: frozenset[_Place] = field(default=frozenset(), compare=False)

    def error(
        self, problems: Sequence[Problem], kind: type[StudyFileError] = StudyFileError
    ) -> StudyFileError:
        """Return the error with these problems, each at its line, in the order of the file."""
        known = lines(self.text)
        last = self.text.count("\n") + 2
        ordered = sorted(problems, key=lambda each: line_of(each.place, known) or last)
        written = [
            f"{self._written(each.place, known)}: {each.message}" if each.place else each.message
            for each in ordered
        ]
        parts = [(_name(p.place), line_of(p.place, known), p.message) for p in ordered]
        return kind(self.label, written, parts)

    def _written(self, place: _Place, known: Mapping[_Place, int]) -> str:
        name, line = _name(place), line_of(place, known)
        by_change = any(place[: len(each)] == each for each in self.changed)
        inside = any(each[: len(place)] == place for each in self.changed)
        if by_change or (line is None and inside):
            return f"{name} (--set)"
        return name if line is None else f"{name} (line {line})"


@contextmanager
def told_at_lines(spec: StudySpec) -> Iterator[None]:
    """Have problems that are found once code and data are loaded name the file and the lines.

    Parameters
    ----------
    spec : StudySpec
        The study. Problems of one that is no file keep its name, and no lines.
    """
    try:
        yield
    except StudyFileError as error:
        if error.source != spec.study.name or any(place for place, _, _ in error.places):
            raise
        found = [_problem(line, spec) for line in error.problems]
        raise _located(spec, found, type(error)) from error
    except ReferenceError_ as error:
        place = _place_of(error.reference, spec)
        if not (place and spec.file.label):
            raise
        raise spec.file.error([Problem(place, str(error))], StudyReferenceError) from error


def problem_line(problem: Problem) -> str:
    """Write a problem as an error holds it before its line is known."""
    return f"{'.'.join(problem.place)}: {problem.message}" if problem.place else problem.message


def reference_line(error: ReferenceError_, spec: StudySpec) -> str:
    """Write the problem of a reference, with the key that names it."""
    return problem_line(Problem(_place_of(error.reference, spec), str(error)))


def _located(
    spec: StudySpec, found: Sequence[Problem], kind: type[StudyFileError]
) -> StudyFileError:
    if spec.file.label:
        return spec.file.error(found, kind)
    return kind(spec.study.name, [problem_line(each) for each in found])


def _problem(line: str, spec: StudySpec) -> Problem:
    """Read a line ``section.key: message``; a parameter stands where the study names it."""
    told = _TOLD.fullmatch(line)
    if not told:
        return Problem((), line)
    place = tuple(part.strip('"') for part in told[1].split("."))
    if place[0] == "model" and place[1:] and place[1] not in spec.model.params:
        searched = place[1] in spec.space.dimensions
        place = ("space" if searched else "model", *place[1:])
    return Problem(place, told[2])


def _place_of(reference: str, spec: StudySpec) -> _Place:
    """Return the key that names a reference; empty where none does."""
    named: dict[_Place, tuple[str, ...]] = {
        **{("model", key): (value,) for key, value in spec.model.source.items()},
        ("data", "dataset"): (spec.data.dataset,),
        ("search", "scoring"): tuple(spec.search.scorers),
        ("report", "sections"): tuple(spec.report.sections or ()),
    }
    return next((key for key, values in named.items() if reference and reference in values), ())


def _name(place: _Place) -> str:
    return ".".join(key if key == "--set" else _key(key) for key in place)


def _key(key: str) -> str:
    """Write a key as TOML does, the number of a table in its array behind it: ``start[0]``."""
    name, bracket, number = key.partition("[")
    counted = bracket and number.removesuffix("]").isdigit() and number.endswith("]")
    return f"{toml_key(name)}[{number}" if counted else toml_key(key)
