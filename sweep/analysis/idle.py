"""Parameters of a user's factory that changed nothing, as far as candidates show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sweep.ledger.fit_columns import may_have
from sweep.ledger.outcomes import IdleRecord
from sweep.spaces.grids import canonical
from sweep.spec.parameters import OF_THE_COMPILATION, TRAINING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from sweep.ledger.records import SplitResult, StudyRecord


@dataclass(frozen=True)
class Measured:
    """What of a trial shows whether a parameter changed anything.

    Attributes
    ----------
    number : int
        Of the trial.
    params : mapping of str to value
        Its searched parameters.
    start : str
        Digest of initial weights and compiled model.
    taken : tuple of str
        Parameters of the training that the factory takes itself.
    scores : hashable
        Equal for trials that measured the same to the last bit, at the same epochs.
    """

    number: int
    params: Mapping[str, Any]
    start: str
    taken: tuple[str, ...]
    scores: Hashable


@dataclass
class IdleFinder:
    """Compares trials as they come.

    Attributes
    ----------
    prefix : str
        What the names of the model's parameters begin with: ``"clf__"`` in a pipeline.
    """

    prefix: str = ""
    _seen: dict[Hashable, Measured] = field(default_factory=dict)
    _idle: dict[str, IdleRecord] = field(default_factory=dict)
    _acting: set[str] = field(default_factory=set)

    def add(self, new: Measured | None) -> list[IdleRecord]:
        """Take in a trial; return each parameter that it is the first to show idle."""
        found: list[IdleRecord] = []
        if new is None:
            return found
        for name in _of_the_factory(new, self.prefix):
            rest = {n: v for n, v in new.params.items() if n != name}
            other = self._seen.setdefault((name, canonical(rest)), new)
            if other is new or other.params[name] == new.params[name]:
                continue
            if (other.start, other.scores) != (new.start, new.scores):
                self._acting.add(name)
            elif name in self._idle:
                known = self._idle[name]
                self._idle[name] = replace(known, pairs=known.pairs + 1)
            else:
                self._idle[name] = IdleRecord(name, other.number, new.number)
                if name not in self._acting:
                    found.append(self._idle[name])
        return found

    def idle(self) -> tuple[IdleRecord, ...]:
        """Return the parameters that changed nothing wherever they alone differed."""
        return tuple(each for name, each in self._idle.items() if name not in self._acting)


def _of_the_factory(new: Measured, prefix: str) -> list[str]:
    """Return the searched parameters that reach the factory alone.

    Of the training's parameters that it takes these are the optimizer's: the fit uses the others.
    """
    fit = set(TRAINING) - {name for name in new.taken if name in OF_THE_COMPILATION}
    named = {name: name.removeprefix(prefix) for name in new.params if name.startswith(prefix)}
    return [name for name, own in named.items() if own not in fit and "__" not in own]


def measured(
    number: int, params: Mapping[str, Any], splits: Iterable[SplitResult]
) -> Measured | None:
    """Return what a trial shows; None where it has no result of a user's factory."""
    results = list(splits)
    if not results or not results[0].start:
        return None
    scores = tuple(
        (s.split, s.seed, tuple(sorted(s.test.items())), tuple(sorted(s.losses.items())))
        for s in results
    )
    return Measured(number, params, results[0].start, results[0].taken, scores)


def idle_records(record: StudyRecord) -> tuple[IdleRecord, ...]:
    """Return the parameters of a study's factory that changed nothing.

    Parameters
    ----------
    record : StudyRecord
        A study. Of one whose leading trials alone were read it is what the last run has recorded.
    """
    if record.counted is not None:
        return record.idle
    facts = record.settings.facts
    finder = IdleFinder((facts.prefix if facts else None) or "")
    for trial in record.trials:
        if trial.state in ("COMPLETE", "INFEASIBLE") and may_have(trial.splits, "start"):
            finder.add(measured(trial.number, trial.params, trial.splits))
    return finder.idle()


def idle(record: StudyRecord) -> str:
    """Return what to say of parameters that changed nothing; empty where all did."""
    return " ".join(f"{_sentence(each)}." for each in idle_records(record))


def idle_line(found: IdleRecord) -> str:
    """Return what a run says when two trials show it."""
    return f"{_sentence(found)}; does the factory use it?"


def _sentence(found: IdleRecord) -> str:
    more = f" (and {found.pairs - 1} more pairs)" if found.pairs > 1 else ""
    return (
        f"{found.name} changed nothing: trials {found.first} and {found.second}{more} differ in it "
        "alone, began with the same weights and the same compiled model, and have equal scores to "
        "the last bit"
    )
