"""What workers say of their cells: counted once, with parameters, also when they have left."""

from contextlib import closing

import pytest

from sweep.runner.local_pool import LocalPool
from sweep.runner.progress import Current, Progress, Watcher
from sweep.runner.worker_events import record_event


class Heard(Watcher):
    """Remembers the cells that have ended, and how many were counted then."""

    def __init__(self):
        self.cells = []

    def ended(self, progress, trial):
        """Note a cell."""
        self.cells.append((progress.done, trial["trial"], trial["params"]))


class Leaving:
    """A worker that says what it has to say once it is told something."""

    def __init__(self, pool, *last):
        self.pool, self.last, self.idle, self.name = pool, last, False, "w"

    def order(self, word):
        """Say the last words; leave if that is asked."""
        for event in self.last:
            self.pool._events.put((0, event))
        self.last = ()
        if word == "stop":
            self.pool._events.put((0, {"event": "gone", "process": id(self)}))

    dismiss = order

    def abandon(self):
        """It has begun."""

    def end(self, _seconds):
        """Be gone."""


def ended(trial, value, state="COMPLETE"):
    """Return the event of a cell that has ended."""
    return {"event": "ended", "trial": trial, "state": state, "value": value}


def taken(trial, **params):
    """Return the event of a cell that was taken."""
    return {"event": "taken", "trial": trial, "params": params}


@pytest.fixture
def pool(tmp_path):
    """A pool without workers of its own, its eight cells of nine done."""
    made = LocalPool(0, tmp_path, Heard())
    made._progress = Progress("s", 9, done=8)
    return made


def test_cells_that_ended_while_the_run_was_stopped_are_counted(pool):
    """What workers say before they leave is heard: 9 of 9, where the ledger holds 9."""
    worker = Leaving(pool, taken(8, width=4), ended(8, 0.5), taken(9, width=5), {"event": "cut"})
    pool._workers = {0: worker}
    with closing(pool):
        pass
    assert pool._progress.done == 9
    assert pool.watcher.cells == [(9, 8, {"width": 4})]
    assert pool._progress.current == {}


def test_a_cell_that_ends_as_the_refit_begins_keeps_its_parameters(pool):
    """The ledger knows of a last cell before its event has come."""
    worker = Leaving(pool, {"event": "finished"})
    pool._workers = {0: worker}
    pool._progress.current = {0: Current(8, {"width": 4})}
    for event in (ended(8, 0.5), {"event": "idle"}):
        pool._events.put((0, event))
    pool._refit()
    assert pool.watcher.cells == [(9, 8, {"width": 4})]


def test_a_worker_that_says_nothing_more_is_not_waited_for_long(pool, monkeypatch):
    """A lost last word ends the wait after a moment."""
    monkeypatch.setattr("sweep.runner.local_pool.READ_SECONDS", 0.05)
    pool._workers = {0: Leaving(pool)}
    pool._workers[0].order = lambda _word: None
    pool.close()
    assert pool._progress.done == 8


def test_ends_are_counted_by_their_kind():
    """Failed and pruned ones, the best of the complete ones; one ended elsewhere is none."""
    progress, watcher = Progress("s", 9), Heard()
    ends = [("COMPLETE", 0.5), ("COMPLETE", 0.4), ("PRUNED", 0.9), ("FAIL", None), ("LATE", 0.9)]
    for number, (state, value) in enumerate(ends):
        record_event(progress, watcher, 0, taken(number, width=number))
        record_event(progress, watcher, 0, ended(number, value, state))
    assert (progress.done, progress.failed, progress.pruned) == (4, 1, 1)
    assert progress.best == (0.5, {"width": 0})
    assert progress.phase == "searching"


def test_a_worker_that_linux_ended_for_memory_is_told_so(pool, monkeypatch):
    """As many as its control group counts; another that ends is told by its signal or status."""
    counted = pool._deaths_for_memory + 2
    monkeypatch.setattr("sweep.runner.local_pool.ended_for_memory", lambda: counted)
    said = [pool._cause(status) for status in (-9, 1, -9, 1)]
    assert said == [*["no memory left (fewer workers need less: --n-jobs)"] * 2, "signal 9",
                    "exit status 1"]  # fmt: skip
