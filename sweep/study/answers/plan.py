"""What a run of a study file would do, beside what the ledger holds under its name."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep import analysis
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.spec.scorers import column_of
from sweep.storage.locations import sqlite_path, storage_url
from sweep.study.check import check_study

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord
    from sweep.spec import StudySpec
    from sweep.study.check import Check

ENOUGH_SPLITS = 5
"""Fewer scores than that leave a t interval wide: its quantile is 4.3 at 3 splits, 2.8 at 5."""


@dataclass(frozen=True)
class StudyPlan:
    """A checked study beside its record.

    Attributes
    ----------
    checked : Check
        What a run would do.
    known : StudyRecord or None
        What the ledger holds of the study; None where it holds none.
    """

    checked: Check
    known: StudyRecord | None

    @property
    def cells(self) -> int:
        """Cells of the study file."""
        return len(self.checked.plan.cells)

    @property
    def left(self) -> int:
        """Cells that a run would evaluate."""
        return len(self.checked.left)

    @property
    def status(self) -> str:
        """The ledger's word; ``"new"``, or ``"grown"`` where the file asks more than it holds."""
        if self.known is None:
            return "new"
        return "grown" if self.known.status == "finished" and self.left else self.known.status

    @property
    def hopeless(self) -> bool:
        """Whether no model that was tried has worked."""
        return bool(self.checked.models.failed) and self.checked.cpu_seconds is None

    @property
    def done(self) -> bool:
        """Whether a run would only show what there is."""
        return self.status == "finished" and not self.refits and not self.checked.outer_left

    @property
    def refits(self) -> bool:
        """Whether the winner that stands to be refitted is not."""
        if self.known is None or not self.checked.spec.search.refit:
            return False
        chosen = analysis.chosen(self.known, self.checked.spec.search.choose)
        return chosen is not None and not analysis.is_current(self.known, chosen)

    @property
    def scored_by(self) -> str:
        """The scores, with the class that they are about where they are about one."""
        names = self.checked.spec.search.scorers
        first, *others = (
            analysis.of_class(column_of(name), self.checked.data.positive) for name in names
        )
        return f"{first}, also by {', '.join(others)}" if others else first

    @property
    def note(self) -> str | None:
        """A note on few splits; a study that has begun keeps those that it has."""
        search, splits = self.checked.spec.search, self.checked.splits
        if self.status != "new" or search.validation is not None or splits >= ENOUGH_SPLITS:
            return None
        over = "1 split" if splits == 1 else f"{splits} splits"
        return f"an interval over {over} is wide; search.cv = 5, or search.repeats, narrows it"


def known_study(storage: str | None, spec: StudySpec) -> StudyRecord | None:
    """Return what the ledger holds under a study's name; None where it holds none.

    Whether it asks the same question is for :func:`plan_study` to check.

    Parameters
    ----------
    storage : str or None
        The ledger; as for :func:`sweep.run_study`.
    spec : StudySpec
        The study.
    """
    url = storage_url(storage)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return None
    with closing(Ledger(url, reading=True)) as ledger:
        if not ledger.has(spec.study.name):
            return None
        return read_study(ledger, spec.study.name)


def plan_study(
    storage: str | None, spec: StudySpec, known: StudyRecord | None, **options: Any
) -> StudyPlan:
    """Check a study against its data, its models and the ledger.

    Parameters
    ----------
    storage : str or None
        The ledger; as for :func:`sweep.run_study`.
    spec : StudySpec
        The study.
    known : StudyRecord or None
        What :func:`known_study` returns.
    **options
        ``data_home``, ``allow``, ``probe`` of :func:`sweep.study.check.check_study`.

    Raises
    ------
    StudyChangedError
        If the ledger holds another question under the study's name.
    """
    return StudyPlan(check_study(spec, known=known, storage=storage, **options), known)


def _brackets(checked: Check) -> list[dict[str, Any]] | None:
    """Return the brackets of a search as JSON: candidates of a turn, and where they pause."""
    plan = checked.brackets
    if plan is None:
        return None
    return [
        {
            "candidates": each.starts,
            "rungs": [{"epochs": e, "rows": plan.rung(0, e).rows} for e in each.rungs],
        }
        for each in plan.brackets
    ]


def plain_plan(plan: StudyPlan) -> dict[str, Any]:
    """Return a plan as JSON."""
    checked = plan.checked
    spec, minutes = checked.spec, checked.minutes
    return {
        "study": spec.study.name,
        "method": spec.search.method,
        "scoring": spec.search.scoring,
        "refit": spec.search.refit,
        "model": spec.model.code,
        "estimator": None if spec.facts is None else spec.facts.model_dump(mode="json"),
        "data": checked.data,
        "data_notes": list(checked.notes),
        "space": spec.sections()["space"],
        "candidates": checked.plan.candidates,
        "cells": plan.cells,
        "splits": checked.splits,
        "seeds": spec.search.seeds,
        "outer_folds": checked.outer,
        "fits": checked.fits,
        "fits_of_a_plain_search": checked.candidate_fits,
        "ruled_out": checked.ruled_out,
        "workers": checked.workers,
        "device": checked.device,
        "minutes": None if minutes is None else round(minutes, 2),
        "at_most": checked.at_most,
        "split_rows": checked.split_rows,
        "brackets": _brackets(checked),
        "models": checked.models.models,
        "tried": checked.models.tried,
        "failed": checked.models.failed,
        "causes": list(checked.models.causes),
        "warnings": list(checked.models.warnings),
        "status": plan.status,
        "done": plan.cells - plan.left,
        "left": plan.left,
        "note": plan.note,
    }
