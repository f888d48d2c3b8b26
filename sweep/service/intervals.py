"""The interval of each study's best score, for lists: read in the background, one at a time."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sweep import analysis
from sweep.errors import SweepError
from sweep.ledger.top_candidates import read_top_candidates
from sweep.storage.damaged_rows import UNREADABLE

if TYPE_CHECKING:
    from sweep.analysis import Interval
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.overview import StudyOverview
    from sweep.service.snapshot import Snapshot

LOOK_SECONDS = 1.0
SHARE = 4.0
"""After each study the thread rests so many times as long as reading it took."""


class Intervals:
    """Keep the intervals of the best scores; pages show one as soon as it is known.

    A list cannot read every study for it: that costs milliseconds for each trial.

    Parameters
    ----------
    ledger : Ledger
        Where the studies are.
    snapshot : Snapshot
        Says which score is a study's best.
    """

    def __init__(self, ledger: Ledger, snapshot: Snapshot) -> None:
        self._ledger, self._snapshot = ledger, snapshot
        self._known: dict[str, tuple[float, Interval | None]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the reading."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def of(self, study: StudyOverview) -> Interval | None:
        """Return the interval of a study's best score; None where there is none, or not yet."""
        score, found = self._known.get(study.name, (None, None))
        return found if score is not None and score == study.best else None

    def read(self) -> None:
        """Read the interval of every best score that has none yet, newest study first."""
        studies, begun = self._snapshot.copy.studies, len(self._known)
        self._known = {each.name: self._known[each.name] for each in studies
                       if each.name in self._known}  # fmt: skip
        wanted = [each for each in studies if self._is_wanted(each)]
        for study in reversed(wanted):
            since = time.monotonic()
            with suppress(SweepError, *UNREADABLE):
                self._known[study.name] = self._read(study)
            if self._over.wait(SHARE * (time.monotonic() - since)):
                return
        if wanted or len(self._known) != begun:
            self._snapshot.touch()

    def _is_wanted(self, study: StudyOverview) -> bool:
        return study.best is not None and self._known.get(study.name, (None,))[0] != study.best

    def _read(self, study: StudyOverview) -> tuple[float, Interval | None]:
        record = read_top_candidates(self._ledger, study.name, 1)
        best = analysis.best(record)
        found = None if best is None else analysis.score_interval(record, best)
        return float(study.best or 0.0), found

    def _follow(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            with suppress(SweepError):
                self.read()
