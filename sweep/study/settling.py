"""Settle a study: whole repeats of its cross-validation, until it is clear what to take."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from sweep.analysis.settling import Standing, entrants, race_record, standing, unsettled
from sweep.errors import LedgerError
from sweep.ledger.reading import read_study
from sweep.search.repeats import Repeat, repeat_plan, repeat_spec
from sweep.support.file_names import repeat_name
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.search.plan import Plan
    from sweep.spec import StudySpec
    from sweep.spec.settling import SettleSection

NOT_OVER = ("time",)
"""Ends of a race that a run goes on from."""


def check_repeat_names(ledger: Ledger, spec: StudySpec) -> None:
    """Refuse to settle a study if another study has the name of one of its repeats.

    Raises
    ------
    LedgerError
        Naming the first.
    """
    if spec.search.settle is None:
        return
    for name, header in ledger.headers():
        part = header.get("part") or {}
        number = name.removeprefix(f"{spec.study.name} / repeat ")
        if number != name and number.isdigit() and part.get("study") != spec.study.name:
            raise LedgerError(
                f"the ledger names a further repeat of study {spec.study.name!r} {name!r}, and "
                "holds another study of that name; delete that one (`sweep delete`), or run this "
                f"one under another name: --name {spec.study.name}-2"
            )


def repeats_of(ledger: Ledger, name: str) -> list[StudyRecord]:
    """Return the further repeats of a study so far, in order."""
    known = set(ledger.parts(name))
    found: list[StudyRecord] = []
    while (own := repeat_name(name, len(found) + 1)) in known:
        found.append(read_study(ledger, own))
    return found


def is_over(record: StudyRecord) -> bool:
    """Return whether a run has no further repeat to begin."""
    return not entrants(record) or (
        not unsettled(record) and record.race is not None and record.race.end not in NOT_OVER
    )


class Settling:
    """The repeats of one run.

    Parameters
    ----------
    ledger : Ledger
        Where the study is.
    spec : StudySpec
        The study; it asks for further repeats.
    see : callable
        Runs one repeat, or what is left of it.
    say : callable
        Shows a line.
    stopped : callable
        Whether somebody has asked the study to stop.
    """

    def __init__(
        self, ledger: Ledger, spec: StudySpec, see: Callable[[StudySpec, Repeat, Plan], None],
        say: Callable[[str], None], stopped: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._ledger, self._spec, self._name = ledger, spec, spec.study.name
        self._see, self._say, self._stopped = see, say, stopped

    def run(self, settle: SettleSection, workers: int) -> None:
        """Run whole repeats until the race is over, is left to others, or its time is up."""
        began, record = time.monotonic(), read_study(self._ledger, self._name)
        if is_over(record):
            return
        complete, before = self._ledger.counts(self._name)["COMPLETE"], -1
        found = standing(record, repeats_of(self._ledger, self._name), settle.margin)
        while found.needed and not self._stopped() and found.repeats > before:
            spent = time.monotonic() - began
            if settle.within and spent + seconds_of_next(found, workers) > settle.within:
                self._say("search.settle.within: no time for another repeat")
                self._record(found, settle.margin, complete, timed_out=True)
                return
            before = found.repeats
            self._one_more(found)
            found = standing(record, repeats_of(self._ledger, self._name), settle.margin)
        if not found.needed:
            self._record(found, settle.margin, complete)

    def _one_more(self, found: Standing) -> None:
        number, who = found.repeats + 1, counted(len(found.needed), "candidate")
        self._say(f"repeat {number} of the cross-validation, of {who}")
        plan = repeat_plan(found.needed)
        self._see(repeat_spec(self._spec), Repeat(self._name, number), plan)

    def _record(
        self, found: Standing, margin: float, complete: int, *, timed_out: bool = False
    ) -> None:
        now = datetime.now().astimezone()
        held = race_record(found, margin, complete, now, timed_out=timed_out)
        self._ledger.set_race(self._name, held)


def seconds_of_next(found: Standing, workers: int) -> float:
    """Return about how long the next repeat takes, by the fits of the search."""
    trials = {c.trial.key: c.trial for c in found.needed}.values()
    share = found.folds / int(found.race.splits.min())
    seconds = [trial.fit_seconds * share for trial in trials]
    return max(sum(seconds) / workers, *seconds)
