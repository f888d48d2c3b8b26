"""How a study file stands to what the ledger holds under its name: new, grown, half done, done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.cli.text import counted, times

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord
    from sweep.spec import StudySpec
    from sweep.study import Check


def known_study(spec: StudySpec, storage: str | None) -> StudyRecord | None:
    """Return what the ledger holds under this name, which must ask the same question.

    Raises
    ------
    StudyChangedError
        If it asks another.
    """
    from contextlib import closing

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.reading import read_study
    from sweep.spec import StudySpec
    from sweep.storage.locations import sqlite_path, storage_url
    from sweep.study.compatibility import check_same

    url = storage_url(storage)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return None
    with closing(Ledger(url, reading=True)) as ledger:
        if not ledger.has(spec.study.name):
            return None
        record = read_study(ledger, spec.study.name)
    check_same(StudySpec.from_plain(record.spec), spec)
    return record


@dataclass(frozen=True)
class StudyStatus:
    """A checked study beside its record, None where the ledger holds none."""

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
        return bool(self.checked.failed) and self.checked.cpu_seconds is None

    @property
    def done(self) -> bool:
        """Whether a run would only show what there is."""
        return self.status == "finished" and not self.refits and not self.checked.outer_left

    @property
    def refits(self) -> bool:
        """Whether the winner that stands to be refitted is not."""
        from sweep import analysis

        if self.known is None or not self.checked.spec.search.refit:
            return False
        chosen = analysis.chosen(self.known, self.checked.spec.search.choose)
        return chosen is not None and not analysis.is_current(self.known, chosen)

    def verdict(self) -> str:
        """Say what a run would do, or what stands in its way."""
        tried, failed = self.checked.tried, self.checked.failed
        if self.done:
            return "finished already"
        if self.hopeless:
            all_ = "the one model" if tried == 1 else f"every one of the {tried} models"
            return f"{all_} that was tried failed, and a run would only record that"
        if failed:
            return f"{failed} of {tried} models that were tried failed; a run would go on"
        if self.status == "grown":
            return f"the file has grown since the study finished: {self._growth()}"
        if self.refits and not self.left:
            return "every cell is done; a run would refit the winner and open the test set"
        return self._outer() or "nothing stands in the way"

    def _outer(self) -> str:
        """Say so where only the outer folds are left."""
        if self.status != "finished" or self.refits:
            return ""
        outer = counted(self.checked.outer_left, "outer fold")
        return f"every cell is done; a run would repeat the search in {outer}"

    def test_set(self) -> str:
        """Say how often the test set was and would be opened."""
        if not self.checked.spec.search.refit:
            return "stays closed (refit = false)"
        if self.known is None or not self.known.test_openings:
            return "opened once, for the winner"
        so_far = f"opened {times(self.known.test_openings)} so far"
        return so_far if self.done else f"{so_far}; once more if another candidate wins"

    def note(self) -> str:
        """Return what stands behind the study's name."""
        if self.status == "new":
            return "(new)"
        if self.status == "finished":
            return "(in the ledger, finished)"
        counts = f"{self.cells - self.left} of {counted(self.cells, 'cell')} done"
        if self.status == "grown":
            return f"(in the ledger, grown: {counts})"
        return f"(in the ledger, {counts}; a run continues it)"

    def _growth(self) -> str:
        added = f"a run would evaluate {counted(self.left, 'new cell')}"
        if not self.checked.spec.search.refit or self.known is None or self.known.winner is None:
            return added
        return f"{added} and, if another candidate wins, open the test set again (refit)"
