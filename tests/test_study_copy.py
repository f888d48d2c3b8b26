"""One study of a ledger in a ledger file of its own."""

import sqlite3
from contextlib import closing

import pytest
from ledgers import build

from sweep.errors import StudyNotFoundError
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.ledger.study_copy import copy_study
from sweep.service.token_commands import add_token


def copied(url, name, path):
    """Copy a study; return the copy's ledger, to be closed."""
    with closing(Ledger(url, reading=True)) as ledger:
        copy_study(ledger, name, path)
    return closing(Ledger(f"sqlite:///{path}", reading=True))


def records(url, name, path):
    """Return the record of a study and that of its copy."""
    with closing(Ledger(url, reading=True)) as ledger, copied(url, name, path) as copy:
        return read_study(ledger, name), read_study(copy, name)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("tiny", {"winner": True}),
        ("half done", {"done": 1, "refit": False}),
        ("failed", {"failed": (0, 2)}),
        ("drawn", {"method": "tpe", "trials": 4, "done": 0,
                   "space": {"hidden_size": {"int": [16, 64]}}}),
    ],
)  # fmt: skip
def test_a_copy_reads_as_the_study(ledger_url, tmp_path, name, made):
    """From a file and from a server; each digest holds, so that no trial counts as changed."""
    made = build(None, name, url=ledger_url, **made)
    one, other = records(ledger_url, name, tmp_path / "copy.db")
    assert one == other == made
    assert other.trials


def test_a_copy_holds_its_study_and_outer_folds_alone(ledger_url, tmp_path):
    """No other study, and no token of the service."""
    fold = "its fold"
    for name in ("before", "tiny", fold, "after"):
        build(None, name, url=ledger_url)
    with closing(Ledger(ledger_url)) as ledger:
        ledger.update(fold, part={"study": "tiny", "number": 1, "of": 2})
    add_token(ledger_url, "ann", "admin")
    with copied(ledger_url, "tiny", tmp_path / "copy.db") as copy:
        assert [name for name, _ in copy.headers()] == ["tiny", fold]
        assert copy.parts("tiny") == [fold]
        assert len(read_study(copy, fold).trials) == 3
    with closing(sqlite3.connect(tmp_path / "copy.db")) as plain:
        tables = {name for (name,) in plain.execute("SELECT name FROM sqlite_master")}
    assert not any(name.startswith("sweep") for name in tables)


def test_a_damaged_study_is_copied_as_it_is(tmp_path):
    """A trial that was changed by hand counts as changed in the copy too."""
    build(tmp_path / "l.db")
    with closing(sqlite3.connect(tmp_path / "l.db")) as plain:
        plain.execute("UPDATE trial_values SET value = 0.99 WHERE trial_id = 1")
        plain.execute("UPDATE trials SET state = 'ODD' WHERE trial_id = 2")
        plain.commit()
    one, other = records(f"sqlite:///{tmp_path}/l.db", "tiny", tmp_path / "copy.db")
    assert one == other
    assert "changed" in other.trials[0].reason


def test_a_copy_of_nothing_names_what_there_is(tmp_path):
    """As every command does."""
    build(tmp_path / "l.db")
    with (
        closing(Ledger(f"sqlite:///{tmp_path}/l.db", reading=True)) as ledger,
        pytest.raises(StudyNotFoundError, match="there are: tiny"),
    ):
        copy_study(ledger, "tiny2", tmp_path / "copy.db")
