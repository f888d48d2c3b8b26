"""Damaged ledgers: a plain message, nothing overwritten, what can be read is read."""

import json
import os
import random
import sqlite3
import time
from contextlib import closing, suppress

import pytest
from click.testing import CliRunner
from commands import here  # noqa: F401
from ledgers import build

from sweep.cli.main import cli
from sweep.errors import LedgerError
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.search.plan import make_plan
from sweep.spec import StudySpec
from sweep.storage import migrations
from sweep.storage.attributes import DIGEST, RESULT, WINNER
from sweep.storage.migrations import revision
from sweep.workers.recovery import enqueue_missing

CUTS = 40
FLIPS = 40
READING = (["list"], ["show", "tiny"], ["best", "tiny"], ["show", "other"], ["report", "tiny"])


@pytest.fixture
def ledger(here):  # noqa: F811
    """A ledger with two studies, one with its winner."""
    path = here / "l.db"
    build(path, winner=True)
    build(path, "other")
    return path


def call(path, *words):
    """Run a command on the ledger; it ends with an answer or a plain message."""
    done = CliRunner().invoke(cli, [*words, "--storage", str(path)])
    assert done.exit_code in (0, 1, 2), (words, done.output)
    assert "Traceback" not in done.output
    assert "internal error" not in done.output
    assert done.output.strip()
    return done


def execute(path, statement, *values):
    """Change the ledger behind sweep's back."""
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute(statement, values).rowcount == 1


def scores(path):
    """Return the scores of the rows that can be read, by study and row."""
    found = {}
    for name in ("tiny", "other"):
        try:
            record = read_study(Ledger(f"sqlite:///{path}", reading=True), name)
        except LedgerError:
            continue
        for row in record.candidates:
            if row.trial.state != "FAIL":
                found[name, row.index] = [split.test[row.epoch] for split in row.trial.splits]
    return found


def leading_scores(path):
    """Return the scores of the leaderboards that can be shown."""
    for name in ("tiny", "other"):
        shown = call(path, "show", name, "--top", "2", "--format", "json")
        with suppress(ValueError):  # a plain message
            text = shown.output[shown.output.index("{") :]
            yield from (line["mean_test_score"] for line in json.loads(text)["leaderboard"])


@pytest.mark.parametrize("part", range(CUTS))
def test_a_ledger_cut_short_is_read_so_far_as_it_goes(ledger, part):
    """Truncated anywhere: no traceback, no score that was not recorded, the file as it was."""
    truth, whole = scores(ledger), ledger.read_bytes()
    torn = whole[: random.Random(part).randrange(len(whole))]
    ledger.write_bytes(torn)
    for words in READING:
        call(ledger, *words)
    assert ledger.read_bytes() == torn
    if torn:
        assert call(ledger, "run", "digits-grid").exit_code == 2
        assert ledger.read_bytes() == torn
        found = scores(ledger)
        assert found == {key: truth[key] for key in found}


@pytest.mark.parametrize("part", range(FLIPS))
def test_flipped_bytes_change_no_score_silently(ledger, part):
    """Ten bytes flipped anywhere: each score shown is the one recorded, or none is shown."""
    truth, data = scores(ledger), bytearray(ledger.read_bytes())
    chance = random.Random(1000 + part)
    for _ in range(10):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    ledger.write_bytes(data)
    for words in READING:
        call(ledger, *words)
    means = {round(sum(each) / len(each), 9) for each in truth.values()}
    assert {round(mean, 9) for mean in leading_scores(ledger)} <= means
    assert ledger.read_bytes() == data
    found = scores(ledger) if data.startswith(b"SQLite format 3\0") else {}
    assert found == {key: truth[key] for key in found}


ROW = " WHERE trial_id = 1 AND key = ?"
CHANGES = {
    "score": (
        "UPDATE trial_user_attributes SET value_json = replace(value_json, '0.82', '0.92')" + ROW,  # noqa: S608
        RESULT,
    ),
    "value": ("UPDATE trial_values SET value = 0.99 WHERE trial_id = ?", 1),
    "cell": (
        "UPDATE trial_user_attributes SET value_json = replace(value_json, '16', '17')" + ROW,  # noqa: S608
        "sweep:cell",
    ),
    "state": ("UPDATE trials SET state = 'FAIL' WHERE trial_id = ?", 1),
    "digest": ("DELETE FROM trial_user_attributes WHERE trial_id = 1 AND key = ?", DIGEST),
    "json": (
        "UPDATE trial_user_attributes SET value_json = '{' WHERE trial_id = 1 AND key = ?",
        RESULT,
    ),
}


@pytest.mark.parametrize("change", [c for c in CHANGES if c != "cell"])
def test_a_changed_trial_is_a_failure_until_it_is_tried_again(ledger, change):
    """It is ranked nowhere, named with its reason, and evaluated anew with --retry-failed."""
    execute(ledger, *CHANGES[change])
    shown = call(ledger, "show", "tiny").output
    assert "2 failed" not in shown
    assert "1 failed: its entry in the ledger is not what was recorded" in shown
    opened = Ledger(f"sqlite:///{ledger}")
    record = read_study(opened, "tiny")
    assert [t.state for t in record.trials] == ["FAIL", "COMPLETE", "COMPLETE"]
    plan = make_plan(StudySpec.from_plain(record.spec))
    assert enqueue_missing(opened, "tiny", plan) == 0
    assert enqueue_missing(opened, "tiny", plan, retry_failed=True) == 1


def test_the_list_shows_no_changed_value(ledger):
    """The best trial is looked at; where it was changed, the study is read whole."""
    execute(ledger, *CHANGES["value"])
    assert "0.99" not in call(ledger, "list").output


def test_a_changed_cell_is_found_missing(ledger):
    """The cell that was evaluated is not in the plan any more; a run evaluates the plan's."""
    execute(ledger, *CHANGES["cell"])
    opened = Ledger(f"sqlite:///{ledger}")
    record = read_study(opened, "tiny")
    assert record.trials[0].state == "FAIL"
    assert enqueue_missing(opened, "tiny", make_plan(StudySpec.from_plain(record.spec))) == 1


def test_a_changed_winner_is_said_and_not_shown(ledger):
    """Neither its test score, nor silently nothing."""
    execute(
        ledger,
        "UPDATE study_user_attributes SET value_json = replace(value_json, '0.9306', '0.9906') "
        "WHERE key = ?",
        WINNER,
    )
    shown = call(ledger, "best", "tiny").output
    assert "the winner recorded here was changed since" in shown
    assert "0.99" not in shown
    assert json.loads(call(ledger, "show", "tiny", "--format", "json").stdout)["damage"]
    page = call(ledger, "report", "tiny").output
    assert "0.9906" not in page


def test_a_trial_that_cannot_be_read_at_all_is_said(ledger):
    """A run evaluates its cell again."""
    execute(
        ledger,
        "UPDATE trial_user_attributes SET value_json = '{' WHERE trial_id = 1 AND key = ?",
        "sweep:cell",
    )
    assert (
        "trial 0 cannot be read; a run evaluates its cell again"
        in call(ledger, "show", "tiny").output
    )


def test_a_damaged_study_leaves_the_others_readable(ledger):
    """The list names it, and shows the others."""
    execute(
        ledger,
        "UPDATE study_user_attributes SET value_json = '[1' WHERE study_id = 1 AND key = ?",
        "sweep:study",
    )
    assert "other" in call(ledger, "list").output
    assert call(ledger, "show", "other").exit_code == 0
    assert call(ledger, "show", "tiny").exit_code == 2


def older(path):
    """Make the ledger one of Optuna 3.1."""
    with closing(sqlite3.connect(path)) as database, database:
        for name in ("ix_trials_study_id", "trials_study_id_key"):
            database.execute(f"DROP INDEX IF EXISTS {name}")
        database.execute("UPDATE alembic_version SET version_num = 'v3.0.0.d'")


def test_an_older_ledger_is_brought_up_to_date_after_a_backup(ledger):
    """Reading says how; a run does it by itself; the old file stays beside it."""
    truth = scores(ledger)
    older(ledger)
    before = ledger.read_bytes()
    said = call(ledger, "list")
    assert said.exit_code == 2
    assert "`sweep migrate` brings it up to date" in said.output
    assert ledger.read_bytes() == before
    assert "how it was" in call(ledger, "migrate").output
    assert scores(ledger) == truth
    backup = ledger.with_name("l.db.before-v3.0.0.d")
    assert backup.read_bytes() == before
    assert "nothing to do" in call(ledger, "migrate").output
    older(ledger)
    Ledger(f"sqlite:///{ledger}").close()
    assert revision(ledger) != "v3.0.0.d"


def test_processes_that_upgrade_a_ledger_at_once_lose_nothing(ledger, monkeypatch):
    """One does it, the others wait: what the first has written since stays."""
    header, truth = Ledger(f"sqlite:///{ledger}", reading=True).header("tiny"), scores(ledger)
    older(ledger)
    upgrade_tables = migrations.upgrade_tables

    def slowly(url):
        time.sleep(0.5)
        upgrade_tables(url)

    monkeypatch.setattr(migrations, "upgrade_tables", slowly)
    children = []
    for number in range(3):
        child = os.fork()
        if child == 0:
            time.sleep(number / 5)  # the later ones come when the first copy is made
            with closing(Ledger(f"sqlite:///{ledger}")) as opened:
                opened.create(f"mine {number}", header)
            os._exit(0)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 3
    names = Ledger(f"sqlite:///{ledger}", reading=True).names()
    assert sorted(names) == ["mine 0", "mine 1", "mine 2", "other", "tiny"]
    assert scores(ledger) == truth
    assert {path.name for path in ledger.parent.glob("l.db.*")} <= {
        "l.db.before-v3.0.0.d", "l.db.cells", "l.db.finish"
    }  # fmt: skip


def test_an_upgrade_keeps_a_link_and_who_may_write(ledger):
    """The file that the link leads to is brought up to date, open to the group as before."""
    older(ledger)
    ledger.chmod(0o660)
    link = ledger.with_name("link.db")
    link.symlink_to(ledger.name)
    assert call(f"sqlite:///{link}", "migrate").exit_code == 0
    assert link.is_symlink()
    assert revision(ledger) != "v3.0.0.d"
    assert ledger.stat().st_mode & 0o777 == 0o660


def test_an_upgrade_that_fails_leaves_the_ledger(ledger, monkeypatch):
    """The work is done on a copy."""
    older(ledger)
    before = ledger.read_bytes()

    def broken(_url):
        raise LedgerError("no")

    monkeypatch.setattr("sweep.storage.migrations.upgrade_tables", broken)
    assert "it was left as it is" in call(ledger, "migrate").output
    assert ledger.read_bytes() == before
    assert sorted(path.name for path in ledger.parent.glob("l.db*")) == ["l.db"]


def test_a_ledger_of_a_later_optuna_is_refused(ledger):
    """And not touched."""
    execute(ledger, "UPDATE alembic_version SET version_num = ?", "v9.0.0.a")
    before = ledger.read_bytes()
    for words in (["list"], ["run", "digits-grid"]):
        said = call(ledger, *words)
        assert said.exit_code == 2
        assert "a later version of Optuna made this ledger; please upgrade sweep" in said.output
    assert ledger.read_bytes() == before
