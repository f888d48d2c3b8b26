"""Whose a folder of files is: nothing is removed that this ledger's studies have not written."""

import itertools
import json
import shutil
import subprocess
import sys
import threading
from contextlib import closing

import commands
import pytest
from commands import read, sweep
from ledgers import build, with_folder

from sweep.errors import LedgerError
from sweep.ledger.ledger import Ledger
from sweep.ledger.study_folders import OWNER, own_folder
from sweep.storage import locks, turns
from sweep.storage.attributes import TURN
from sweep.storage.locations import artifacts_folder
from sweep.storage.locks import one_at_a_time
from sweep.study.cleanup import leftovers, remove_leftovers
from sweep.study.delete import delete_study
from sweep.study.nested import check_outer_names

here = commands.here


def made(place, name, uid, age=40, **given):
    """Make a study with an old folder; ``place`` is a file or an address. Return the folder."""
    url = str(place) if "://" in str(place) else f"sqlite:///{place}"
    build(None, name, url=url, **given)
    return with_folder(url, name, uid, age)


def lost(place, name):
    """Take a study out of a ledger as Optuna does: its files stay."""
    url = str(place) if "://" in str(place) else f"sqlite:///{place}"
    with closing(Ledger(url)) as opened:
        opened.delete(name)


@pytest.fixture
def precious(here):
    """A folder of something else, beside the ledger."""
    (here / "precious" / "photos" / "may").mkdir(parents=True)
    (here / "precious" / "photos" / "may" / "a.jpg").write_bytes(b"x")
    return here / "precious"


CLIMBING = ["../../precious", "..", ".", "a/b", "a\\b", "~", "x" * 65, "ü", "a\n", 7, ["a"], None]


@pytest.mark.parametrize("uid", ["PRECIOUS", *CLIMBING])
def test_a_uid_that_is_a_path_is_followed_nowhere(uid, here, precious):
    """Not to read, not to write, not to remove; the study itself can be deleted."""
    path = here / "l.db"
    url, uid = f"sqlite:///{path}", str(precious) if uid == "PRECIOUS" else uid
    build(path, winner=True)
    with closing(Ledger(url)) as opened:
        opened.update("tiny", uid=uid)
        with pytest.raises(LedgerError, match="1 to 64 letters, digits and hyphens, got"):
            own_folder(opened, "tiny")
    refused = sweep("report", "tiny", "--storage", path)
    assert (refused.exit_code, "run the study anew" in refused.stderr) == (2, True), refused.output
    assert "nothing to remove" in read("prune", "--days", "0", "--storage", path)
    deleted = sweep("delete", "tiny", "--yes", "--storage", path)
    assert (deleted.exit_code, "no file was removed" in deleted.stderr) == (0, True)
    assert (precious / "photos" / "may" / "a.jpg").exists()


def test_each_ledger_of_a_folder_prunes_its_own(ledger_url, here, monkeypatch):
    """A ledger in a file and a server's share a folder; what the other has lost is left too."""
    monkeypatch.setenv("SWEEP_ARTIFACTS", str(here / "shared"))
    there, lost_there = (
        made(here / "b.db", "one", "aaaaaaaaaaaa"),
        made(here / "b.db", "y", "ab" * 6),
    )
    mine, lost_here = made(ledger_url, "two", "bbbbbbbbbbbb"), made(ledger_url, "x", "cd" * 6)
    lost(here / "b.db", "y")
    lost(ledger_url, "x")
    assert [each.path for each in leftovers(ledger_url)] == [lost_here]
    assert remove_leftovers(leftovers(ledger_url)) > 2_000_000
    assert [f.exists() for f in (there, lost_there, mine, lost_here)] == [True, True, True, False]
    assert [each.path for each in leftovers(str(here / "b.db"))] == [lost_there]


def test_a_folder_of_something_else_is_left_alone(here, precious, monkeypatch):
    """SWEEP_ARTIFACTS at photographs: none is named or removed, nor what a link there leads to."""
    monkeypatch.setenv("SWEEP_ARTIFACTS", str(precious))
    lone = made(here / "l.db", "tiny", "0123456789ab")
    lost(here / "l.db", "tiny")
    other = here / "other"
    shutil.copytree(lone, other / "0123456789ab")
    (precious / "link").symlink_to(other)
    said = read("prune", "--days", "0", "--yes", "--storage", here / "l.db")
    assert "photos" not in said
    assert (precious / "photos" / "may" / "a.jpg").exists()
    assert (other / "0123456789ab" / "winner.npz").exists()


def test_a_copied_ledger_owns_nothing_of_the_original(here):
    """Neither delete nor prune on a backup beside it removes the winner."""
    folder = made(here / "l.db", "tiny", "0123456789ab", winner=True)
    made(here / "l.db", "stays", "ba9876543210")
    shutil.copy(here / "l.db", here / "backup.db")
    said = sweep("delete", "tiny", "--yes", "--storage", here / "backup.db")
    assert said.exit_code == 0
    assert f"left: {folder}" in said.stderr.replace("\n", "")
    read("prune", "--days", "0", "--yes", "--storage", here / "backup.db")
    assert (folder / "winner.npz").exists()
    assert delete_study("tiny", str(here / "l.db")) == []
    assert not folder.parent.exists()


def test_a_new_ledger_does_not_own_what_the_one_before_it_wrote(here):
    """The one before may be kept under another name; its folders are named, for a person."""
    folder = made(here / "l.db", "tiny", "0123456789ab")
    (here / "l.db").rename(here / "kept.db")
    made(here / "l.db", "tiny", "ba9876543210")
    said = sweep("prune", "--yes", "--storage", here / "l.db")
    assert said.exit_code == 0
    assert "nothing to remove" in said.stdout
    assert "left alone; remove by hand (rm -r) what no other ledger needs:" in said.stderr
    assert str(folder) in said.stderr.replace("\n", "")
    assert (folder / "winner.npz").exists()


def test_what_an_older_version_wrote_is_left_and_named(here):
    """Nothing in it says whose it is; a study of this ledger keeps it without a word."""
    kept, gone = (
        made(here / "l.db", name, uid) for name, uid in (("a", "a" * 12), ("b", "b" * 12))
    )
    for folder in (kept, gone):
        (folder / OWNER).unlink()
    lost(here / "l.db", "b")
    (found,) = leftovers(str(here / "l.db"), 0)
    assert (found.path, found.owned, remove_leftovers([found])) == (gone, False, 0)
    (line,) = delete_study("a", str(here / "l.db"))
    assert line.startswith(f"left: {kept}, for it does not say")
    assert kept.exists()
    assert gone.exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"uid": 1}', "[" * 9000, '{"a": "b"}', "\udcff"])
def test_an_owner_file_that_says_something_else_owns_nothing(text, here):
    """Damaged, or another program's."""
    folder = made(here / "l.db", "tiny", "0123456789ab")
    (folder / OWNER).write_text(text, encoding="utf-8", errors="surrogateescape")
    lost(here / "l.db", "tiny")
    made(here / "l.db", "other", "ba9876543210")
    assert remove_leftovers(leftovers(str(here / "l.db"), 0)) == 0
    assert folder.exists()


def test_files_of_a_study_that_cannot_be_read_stay(here):
    """Its entry in the ledger is damaged: nobody knows what it needs."""
    folder = made(here / "l.db", "tiny", "0123456789ab")
    made(here / "l.db", "other", "ba9876543210")
    with closing(Ledger(f"sqlite:///{here / 'l.db'}")) as opened:
        opened._write("tiny", "sweep:study", "damaged")
    assert leftovers(str(here / "l.db"), 0) == []
    assert folder.exists()


def test_files_of_a_study_that_was_renamed_stay(here):
    """The dashboard may rename a study; its winner is still somebody's."""
    folder = made(here / "l.db", "tiny", "0123456789ab")
    with closing(Ledger(f"sqlite:///{here / 'l.db'}")) as opened:
        opened.create("other", opened.header("tiny"))
    lost(here / "l.db", "tiny")
    assert leftovers(str(here / "l.db"), 0) == []
    assert folder.exists()


def test_a_finished_study_loses_what_fits_have_left(ledger_url, here, monkeypatch):
    """Its checkpoints, where the folder is its own; not those of a study that goes on."""
    monkeypatch.setenv("SWEEP_ARTIFACTS", str(here / "shared"))
    ended = made(ledger_url, "ended", "a" * 12, winner=True)
    going = made(ledger_url, "going", "b" * 12, done=1)
    for folder in (ended, going):
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / "x.npz").write_bytes(b"0" * 100)
    assert [each.path for each in leftovers(ledger_url, 0)] == [ended / "checkpoints"]
    assert remove_leftovers(leftovers(ledger_url, 0)) == 100
    assert (ended / "winner.npz").exists()


def test_a_study_has_its_folder_where_an_older_version_made_it(here):
    """The winner of a name whose file name is another now is found; a new study uses the new."""
    url = f"sqlite:///{here / 'l.db'}"
    older = here / "artifacts" / "my-study-67549874" / "0123456789ab"
    assert artifacts_folder(url, "my study", "0123456789ab") != older
    older.mkdir(parents=True)
    assert artifacts_folder(url, "my study", "0123456789ab") == older
    assert artifacts_folder(url, "my study", "ba9876543210").parent != older.parent
    assert artifacts_folder(url, "my study") == older.parent


HOLD = """
import sys, time
from sweep.ledger.ledger import Ledger
from sweep.storage.locks import one_at_a_time
with one_at_a_time(Ledger(sys.argv[1]), "tiny", "finish"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_study_is_not_deleted_while_its_winner_is_refitted(ledger_url, here, monkeypatch):
    """By whatever process; afterwards it is, with all its files."""
    monkeypatch.setenv("SWEEP_ARTIFACTS", str(here / "shared"))
    folder = made(ledger_url, "tiny", "0123456789ab", winner=True)
    words = [sys.executable, "-c", HOLD, ledger_url]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(
            LedgerError, match=r"process .* refits its winner, since .*; wait for it, or end"
        ):
            delete_study("tiny", ledger_url)
        other.stdin.close()
    assert folder.exists()
    assert delete_study("tiny", ledger_url) == []
    assert not folder.parent.exists()


def test_a_refit_on_another_machine_is_heard_or_given_up(ledger_url, monkeypatch):
    """One that gives a sign of life holds the study; one that gives none for too long does not."""
    monkeypatch.setattr(locks, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(locks, "GRACE_SECONDS", 3)
    build(None, "tiny", url=ledger_url, winner=True)
    turn = {"turn": "a", "worker": "node1:7:1:1", "since": "2026-01-01T00:00:00+00:00", "sign": 0}
    with closing(Ledger(ledger_url)) as opened:
        key, study_id = f"{TURN}finish", opened.study_id("tiny")
        turns.take(opened.storage, study_id, key, turn)
    over = threading.Event()

    def live():
        with closing(Ledger(ledger_url)) as other:
            for sign in itertools.takewhile(lambda _: not over.wait(0.1), itertools.count(1)):
                turns.renew(other.storage, study_id, key, turn, sign)

    living = threading.Thread(target=live)
    living.start()
    with pytest.raises(LedgerError, match="process 7 on node1 refits its winner"):
        delete_study("tiny", ledger_url)
    over.set()
    living.join()
    assert delete_study("tiny", ledger_url) == []


def test_a_cell_taken_at_the_last_moment_is_not_lost(ledger_url, monkeypatch):
    """A worker begins it after the look at the cells: nothing is deleted, its result is kept."""
    build(None, "tiny", url=ledger_url, done=1)
    taken = []

    def overtaken(ledger, name, _part):
        taken.append(ledger.claim(name, "node1:7:1:1"))

    monkeypatch.setattr("sweep.study.delete.taken_by", overtaken)
    with pytest.raises(LedgerError, match="has begun a cell just now"):
        delete_study("tiny", ledger_url)
    with closing(Ledger(ledger_url)) as opened:
        assert opened.fail(taken[0], "as it is")
        monkeypatch.undo()
        assert delete_study("tiny", ledger_url) == []
        assert not opened.has("tiny")


def test_an_outer_fold_at_its_end_holds_the_study(ledger_url):
    """Its own winner is refitted: nothing of the study is deleted."""
    build(None, "tiny", url=ledger_url, winner=True)
    name = "tiny / outer 1 of 2"
    build(None, "fold", url=ledger_url)
    with closing(Ledger(ledger_url)) as opened:
        header = opened.header("fold")
        opened.create(name, {**header, "part": {"study": "tiny", "number": 1, "of": 2}})
        with (
            one_at_a_time(opened, name, "finish"),
            pytest.raises(LedgerError, match=r"outer 1 of 2': process .* refits its winner"),
        ):
            delete_study("tiny", ledger_url)
        assert opened.has("tiny")
        assert opened.has(name)


def test_a_name_that_an_outer_fold_needs_is_asked_for_first(ledger_url):
    """Before the search of a nested study; its own folds of an earlier run are no obstacle."""
    from sweep.spec import StudySpec, load_study
    from sweep.study.run import run_study

    nested = {
        "study": {"name": "plain"},
        "data": {"dataset": "digits"},
        "search": {"method": "grid", "cv": 2, "nested": 2},
        "space": {"hidden_size": [2, 3]},
    }
    name = "plain / outer 1 of 2"
    build(None, "old", url=ledger_url)
    with closing(Ledger(ledger_url)) as opened:
        header = opened.header("old")
        opened.create(name, header)
        with pytest.raises(LedgerError, match="another study of that name; delete that one"):
            run_study(nested, storage=ledger_url)
        assert not opened.has("plain")
        opened.update(name, part={"study": "plain", "number": 1, "of": 2})
        check_outer_names(opened, load_study(nested))
    refused = sweep("check", "digits-grid", "--name", name, "--no-probe", "--storage", ledger_url)
    assert (refused.exit_code, "names parts of" in refused.stderr) == (2, True)
    assert StudySpec.from_plain(header["spec"]).study.name == "old"


def test_the_owner_file_is_plain(here):
    """A person reads which ledger and which study a folder belongs to."""
    folder = made(here / "l.db", "my study", "0123456789ab")
    said = json.loads((folder / OWNER).read_text())
    assert len(said.pop("ledger")) == 32
    assert said == {"place": "file ../l.db", "study": "my study", "uid": "0123456789ab"}
