"""Faults put in for real: nothing that was recorded is lost, no cell is done twice."""

import os
import signal
import subprocess
import time
from contextlib import closing

import pytest
from faults import GRID, NAME, die_at, equal, forked, plain, see_through, the_study, whole
from pretend import begin, study, work

from sweep.errors import LedgerError
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.ledger.records import PlannedCell
from sweep.search.plan import make_plan
from sweep.storage.attributes import LOST
from sweep.storage.process_identity import worker_name
from sweep.workers.recovery import enqueue_missing, fail_orphaned_trials

CELLS, WORKERS, REPEATS = 100, 8, 3


@pytest.fixture
def truth(monkeypatch, tmp_path):
    """What an uninterrupted run finds."""
    return plain(see_through(monkeypatch, f"sqlite:///{tmp_path / 'truth.db'}", the_study()))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_killed_at_any_storage_call_loses_nothing(moment, monkeypatch, fresh_url, truth):
    """Killed once at each of its transactions, the next process completes to the same table."""
    spec, kills = the_study(), 0
    for number in range(1, 100):
        url = fresh_url()

        def run(url=url, number=number):
            die_at(moment, number)
            see_through(monkeypatch, url, spec)

        if (status := forked(run)) == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
        with closing(Ledger(url)) as ledger:
            known = read_study(ledger, NAME).trials if ledger.has(NAME) else ()
        done = {t.number: t for t in known if t.state == "COMPLETE"}
        record = see_through(monkeypatch, url, spec)
        whole(record)
        equal(plain(record), truth)
        after = {trial.number: trial for trial in record.trials}
        assert {n: after[n].splits for n in done} == {n: t.splits for n, t in done.items()}
    assert kills >= 10


def test_a_reaper_killed_on_its_way_brings_every_cell_back(monkeypatch, fresh_url, truth):
    """Between giving a dead worker's cell up and enqueuing it again, at every transaction."""
    spec, kills = the_study(), 0
    for number in range(1, 50):
        url = fresh_url()
        with closing(Ledger(url)) as ledger:
            begin(ledger, spec)
        forked(lambda url=url: Ledger(url).claim(NAME, worker_name()) and None)

        def tidy(url=url, number=number):
            ledger = Ledger(url)
            die_at("after", number)
            fail_orphaned_trials(ledger, NAME)
            enqueue_missing(ledger, NAME, make_plan(spec))

        if forked(tidy) == 0:
            break
        kills += 1
        record = see_through(monkeypatch, url, spec)
        whole(record)
        equal(plain(record), truth)
    assert kills >= 2


def test_eight_workers_take_each_cell_once(tmp_path, fresh_url):
    """A hundred quick cells, three times."""
    for repeat in range(REPEATS):
        url, spec = fresh_url(), the_study()
        with closing(Ledger(url)) as ledger:
            begin(ledger, spec)
            ledger.enqueue(NAME, [PlannedCell(f"k{i}", {}, (1,)) for i in range(CELLS - 3)], {})
        said = [tmp_path / f"{repeat}-{number}" for number in range(WORKERS)]
        pids = []
        for file in said:
            pids.append(os.fork())
            if pids[-1] == 0:
                os._exit(taking(url, file))
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * WORKERS
        taken = [key for file in said for key in file.read_text().splitlines()]
        assert len(taken) == len(set(taken)) == CELLS
        with closing(Ledger(url)) as ledger:
            states = [trial.state.name for trial in ledger.trials(NAME)]
        assert states == ["COMPLETE"] * CELLS


def taking(url, file):
    """Take cells until none is left, and write down which."""
    ledger = Ledger(url)
    with file.open("w") as said:
        while claim := ledger.claim(NAME, worker_name()):
            said.write(f"{claim.key}\n")
            ledger.complete(claim, 0.5, (), ())
    return 0


def test_a_worker_that_sleeps_past_its_heartbeat_records_nothing_twice(
    monkeypatch, ledger_url, truth
):
    """Stopped in a cell, given up, the cell done by another, woken: one result, the first."""
    monkeypatch.setattr("sweep.storage.database.GRACE_SECONDS", 1)
    url, spec = ledger_url, the_study()
    with closing(Ledger(url)) as ledger:
        begin(ledger, spec)
    sleeper = os.fork()
    if sleeper == 0:
        ledger = Ledger(url)
        claim = ledger.claim(NAME, "elsewhere:1:1")
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(5 if ledger.complete(claim, 0.99, (), ()) else 0)
    os.waitpid(sleeper, os.WUNTRACED)
    time.sleep(3)
    record = see_through(monkeypatch, url, spec)
    os.kill(sleeper, signal.SIGCONT)
    assert os.waitstatus_to_exitcode(os.waitpid(sleeper, 0)[1]) == 0
    with closing(Ledger(url)) as ledger:
        record, held = read_study(ledger, NAME), ledger.trials(NAME)
    whole(record)
    equal(plain(record), truth)
    (cut,) = [trial for trial in held if LOST in trial.user_attrs]
    assert "no sign of life" in cut.user_attrs[LOST]


def test_a_loss_that_is_no_number_is_a_failure_with_its_reason(monkeypatch, tmp_path):
    """It is left out of the best and counted; the study ends."""
    from fakes import FakeClassifier

    def nan(_spec, params, _allow=()):
        return FakeClassifier(nan_at=1 if params["hidden_size"] == 16 else None)

    monkeypatch.setattr("pretend.estimator", nan)
    spec, ledger = the_study(), Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    begin(ledger, spec)
    record = work(monkeypatch, ledger, spec)
    failed = [trial for trial in record.trials if trial.state == "FAIL"]
    assert [trial.params["hidden_size"] for trial in failed] == [16]
    assert failed[0].reason == "the loss is nan in epoch 1"
    assert record.status == "finished"


# -- the disk ----------------------------------------------------------------------------------


def fill(folder, free):
    """Leave so many bytes free."""
    filler = folder / "filler"
    filler.unlink(missing_ok=True)
    room = os.statvfs(folder)
    filler.write_bytes(b"\0" * max(0, room.f_bavail * room.f_frsize - free))
    return filler


def test_a_full_disk_is_said_and_nothing_is_lost(monkeypatch, disk, truth):
    """Full at one write after another: a plain message; with room the run completes the study."""
    spec, said = the_study(), set()
    for free in range(0, 400_000, 8192):
        for old in disk.glob("*"):
            old.unlink() if old.is_file() else None
        filler, url = fill(disk, free), f"sqlite:///{disk / 'l.db'}"

        def run(url=url):
            try:
                see_through(monkeypatch, url, spec)
            except LedgerError as error:
                (disk.parent / "said").write_text(str(error))
                return 2
            except OSError as error:
                (disk.parent / "said").write_text(f"{error.filename}: the disk is full")
                return 2
            return 0

        status = forked(run)
        assert status in (0, 2)
        filler.unlink()
        if status:
            message = (disk.parent / "said").read_text()
            assert "the disk is full" in message
            said.add(message)
        record = see_through(monkeypatch, url, spec)
        whole(record)
        equal(plain(record), truth)
        if status == 0:
            break
    assert status == 0
    assert said


def test_a_ledger_that_may_not_be_written_is_read(monkeypatch, disk):
    """Reading goes on; writing is refused with the reason."""
    url = f"sqlite:///{disk / 'l.db'}"
    see_through(monkeypatch, url, the_study())
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert read_study(Ledger(url, reading=True), NAME).status == "finished"
    with pytest.raises(LedgerError, match="may not be written; check its rights"):
        Ledger(url).enqueue(NAME, make_plan(study("grid", name=NAME, space=GRID)).cells, {})
