"""The copy of the studies that a server reads in the background."""

import threading
from dataclasses import replace

from sweep.ledger.overview import StudyOverview
from sweep.service import snapshot
from sweep.service.snapshot import Snapshot

STUDY = StudyOverview("s", "grid", "finished", 3, 3, 0, 0.9, "2026-03-02", test_opened=False)


def test_what_was_read_is_not_lost_to_a_change_beside_the_ledger(monkeypatch):
    """Both at one moment, from two threads; each has its own number."""
    held = Snapshot(None)
    reader = threading.Thread(target=held._replace, args=([STUDY],))

    def slow(copy, **changes):
        reader.start()
        reader.join(0.3)
        return replace(copy, **changes)

    monkeypatch.setattr(snapshot, "replace", slow)
    held.touch()
    reader.join()
    assert (held.copy.number, held.copy.studies) == (2, [STUDY])
