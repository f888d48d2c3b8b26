"""Try the different models of a study: all of a small grid, of a large one a sample."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from sweep.errors import ReferenceError_
from sweep.search.plan import first_lines
from sweep.study.sampled_cells import model_of
from sweep.support.text import setting
from sweep.workers.failure_reason import telling_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sweep.ledger.records import PlannedCell

TRY_SECONDS = 10.0
"""After this time no more models are tried."""

MOST_TRIED = 64
"""Models that are tried at most."""

ENOUGH_FAILURES = 3
"""Times that a value is tried before it counts as one that fails."""


@dataclass(frozen=True)
class TriedModels:
    """Which of a study's different models were tried, and which of them failed.

    Models that differ only in what a trace reads from a variable (epochs, rates) are the same.

    Attributes
    ----------
    models : int
        Different models of the cells that are left.
    tried : int
        Those of them that were tried.
    failed : int
        Those that were tried and failed.
    warnings : tuple of str
        The candidates that failed, the first few of them, each with its error.
    causes : tuple of str
        Values of parameters with which every model failed that was tried, while others passed:
        ``"loss = hinge (1 of 4 values)"``.
    """

    models: int = 0
    tried: int = 0
    failed: int = 0
    warnings: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


class ModelTrials:
    """Notes which models passed and which failed.

    Parameters
    ----------
    cells : sequence of PlannedCell
        The cells that are left, with their parameters.
    """

    def __init__(self, cells: Sequence[PlannedCell]) -> None:
        self._cells: dict[str, PlannedCell] = {}
        for cell in cells:
            self._cells.setdefault(model_of(cell), cell)
        self._passed: set[str] = set()
        self._failures: dict[str, str] = {}

    def attempt(self, cell: PlannedCell, run: Callable[[PlannedCell], Any]) -> Any:
        """Return what ``run(cell)`` returns; None if it raises, which is noted.

        Raises
        ------
        ReferenceError_
            If the study's code may not be loaded.
        """
        try:
            found = run(cell)
        except ReferenceError_:
            raise
        except Exception as error:  # noqa: BLE001 - a user's model may raise anything
            self.fail(model_of(cell), error)
            return None
        self._passed.add(model_of(cell))
        return found

    def fail(self, model: str, error: Exception) -> None:
        """Note that a model fails; its first error stands."""
        self._failures.setdefault(model, _failure(self._cells[model], error))

    def attempt_others(self, run: Callable[[PlannedCell], Any]) -> None:
        """Try the models that were not tried yet, until the time or the number is used up."""
        began = time.monotonic()
        left = [cell for model, cell in self._cells.items() if model not in self._done]
        while left and len(self._done) < MOST_TRIED and time.monotonic() - began <= TRY_SECONDS:
            self.attempt(left.pop(self._next_of(left)), run)

    @property
    def _done(self) -> set[str]:
        return self._passed | set(self._failures)

    def _next_of(self, left: Sequence[PlannedCell]) -> int:
        """Return the place of the model with the most values that were not tried.

        Where all were, of one with a single value that has only failed: its fault or another's?
        """
        passed, failed = self._params_of(self._passed), self._params_of(self._failures)
        good = {pair for params in passed for pair in _pairs(params)}
        fails = Counter(pair for params in failed for pair in _pairs(params))
        doubted = {pair for pair in fails if pair not in good and fails[pair] < ENOUGH_FAILURES}
        pairs = [_pairs(cell.params or {}) for cell in left]
        new = [len(each - good - set(fails)) for each in pairs]
        single = [len(each - good) == 1 and bool(each & doubted) for each in pairs]
        return new.index(max(new)) if any(new) or not any(single) else single.index(True)

    def _params_of(self, models: Iterable[str]) -> list[Mapping[str, Any]]:
        return [self._cells[model].params or {} for model in models]

    def found(self) -> TriedModels:
        """Return what was noted."""
        broken = [model for model in self._cells if model in self._failures]
        failed = self._params_of(broken)
        passed = self._params_of(self._passed - set(broken))
        return TriedModels(
            len(self._cells),
            len(failed) + len(passed),
            len(failed),
            tuple(first_lines([self._failures[model] for model in broken])),
            causes(failed, passed),
        )


def causes(
    failed: Sequence[Mapping[str, Any]], passed: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Name the values of parameters that explain the failures.

    With such a value every model failed and without it others passed. The values that explain the
    most failures come first; where two explain the same ones, neither is named.

    Parameters
    ----------
    failed, passed : sequence of mapping
        The parameters of the models that were tried.
    """
    good = {pair for params in passed for pair in _pairs(params)}
    left = [_pairs(params) - good for params in failed] if passed else []
    found: list[tuple[str, str]] = []
    while any(left):
        counts = Counter(pair for pairs in left for pair in pairs)
        most = counts.most_common(1)[0][0]
        explained = [pairs for pairs in left if most in pairs]
        if set.intersection(*explained) == {most}:
            found.append(most)
        left = [pairs for pairs in left if most not in pairs]
    held = {name for name, _ in found}
    names = [name for name in dict.fromkeys(chain.from_iterable(failed)) if name in held]
    return tuple(_told(name, found, good) for name in names)


def _told(name: str, found: Sequence[tuple[str, str]], good: set[tuple[str, str]]) -> str:
    only = sorted(value for held, value in found if held == name)
    values = len(only) + sum(held == name for held, _ in good)
    return f"{name} = {', '.join(only)} ({len(only)} of {values} values)"


def _pairs(params: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(name, setting(value)) for name, value in params.items()}


def _failure(cell: PlannedCell, error: Exception) -> str:
    params = ", ".join(f"{name} = {value}" for name, value in (cell.params or {}).items())
    return f"{params or 'the fixed model'}: {type(error).__name__}: {telling_line(error)}"
