"""What the ledger answers to the command line, and to a service."""

import io
import json
from contextlib import closing
from dataclasses import asdict, fields

import commands
import pytest
from commands import read
from rich.console import Console

from sweep.cli.leaderboard import board_parts
from sweep.errors import StudyNotFoundError
from sweep.ledger.ledger import Ledger
from sweep.storage.locations import sqlite_url
from sweep.study.answers import actions, studies
from sweep.study.answers.best import best_candidate, pareto_set, plain_best, plain_pareto
from sweep.study.answers.comparison import comparison, plain_comparison
from sweep.study.answers.leaderboard import (
    candidate_table,
    find_candidates,
    find_leaders,
    leaderboard,
    plain_candidates,
)
from sweep.study.answers.opening import find_study
from sweep.study.answers.outcome import Outcome, leaderboard_from_plain, plain_leaderboard
from sweep.study.answers.pivots import pivots, plain_pivots
from sweep.study.answers.status import plain_status, study_status
from sweep.support.spreadsheet import json_value

here, ledger = commands.here, commands.ledger


def printed(*words):
    """Return what a command prints as JSON."""
    return json.loads(read(*words, "--format", "json"))


def timeless(plain):
    """Return an answer without the seconds since a worker's last sign of life."""
    rows = plain if isinstance(plain, list) else [plain]
    return [{name: each for name, each in row.items() if name != "last_sign"} for row in rows]


def tiny():
    """Return a study of the ledger."""
    return find_study(None, "tiny")


def compared():
    """Return two studies of the ledger side by side."""
    records = [find_study(None, name).record for name in ("tiny", "half")]
    return plain_comparison(comparison(records, records[0]))


ASKED = {
    "list": lambda: studies.plain_studies(studies.list_studies(None)),
    "show tiny": lambda: plain_candidates(candidate_table(find_candidates(None, "tiny").record)),
    "show half --top 1": lambda: plain_candidates(
        candidate_table(find_study(None, "half").record, 1)
    ),
    "best tiny": lambda: plain_best(best_candidate(tiny())),
    "best tiny --pareto": lambda: plain_pareto(pareto_set(tiny().record)),
    "pivot tiny": lambda: plain_pivots(pivots(tiny())),
    "compare tiny half": compared,
}


@pytest.mark.parametrize("words", ASKED)
def test_a_command_prints_the_answer_that_a_service_gets(ledger, words):
    """``--format json`` prints what one function makes of the answer, and nothing else."""
    assert timeless(printed(*words.split())) == timeless(json_value(ASKED[words]()))


def test_a_leaderboard_is_read_without_drawing(ledger):
    """Ranks and scores of the leaders, how many are left, and how the study stands."""
    found = leaderboard(find_leaders(None, "tiny", 2).record, 2)
    assert [leader.rank for leader in found.leaders] == [1, 2]
    assert found.leaders[0].score > found.leaders[1].score
    assert found.more == 4
    assert (found.status.name, found.status.status) == ("tiny", "finished")


@pytest.mark.parametrize("name", ["tiny", "half"])
def test_a_leaderboard_from_a_server_is_drawn_alike(ledger, name):
    """What a run prints at its end, to the last bit, after its way through JSON."""
    board = leaderboard(find_leaders(None, name).record)
    sent = json.loads(json.dumps(json_value(plain_leaderboard(board)), ensure_ascii=False))
    found = leaderboard_from_plain({**sent, "said by a newer server": 1})
    assert [asdict(each) for each in found.leaders] == [asdict(each) for each in board.leaders]
    assert (found.parameters, found.more) == (board.parameters, board.more)
    drawn = [[drawn_text(p) for p in board_parts(each, 100)] for each in (board, found)]
    assert drawn[0] == drawn[1]
    for field in fields(Outcome):
        assert getattr(found.status, field.name) == getattr(board.status, field.name)


def drawn_text(part):
    """Return a part of a leaderboard as a terminal of 100 columns shows it."""
    console = Console(width=100, file=io.StringIO())
    console.print(part)
    return console.file.getvalue()


def test_the_status_of_a_study_is_a_part_of_what_show_prints(ledger):
    """The facts of `show` without its candidates."""
    whole = printed("show", "half")
    del whole["leaderboard"]
    assert json_value(plain_status(study_status(find_study(None, "half").record))) == whole


def test_a_mistyped_name_gets_a_suggestion_without_a_command_line(ledger):
    """A service needs no code of its own for it."""
    with pytest.raises(StudyNotFoundError, match="Did you mean 'tiny'"):
        find_study(None, "tinny")


def test_a_stop_says_what_it_has_found(ledger):
    """Requested where cells are left, not where none is."""
    assert actions.stop(None, "tiny") == actions.Stop("tiny", requested=False, running=0)
    assert actions.stop(None, "half") == actions.Stop("half", requested=True, running=0)
    with closing(Ledger(sqlite_url(ledger))) as opened:
        assert opened.stopped("tiny") is None
        assert opened.stopped("half") is not None


def test_a_ledger_of_now_needs_no_migration(ledger):
    """And is named by its file."""
    assert actions.migrate(None, backed_up=False) == actions.Migration(str(ledger), changed=False)


def test_names_for_a_shell_are_those_of_the_list(ledger):
    """Read from the file itself; none of a ledger that is not there."""
    assert studies.study_names(None) == ["half", "tiny"]
    assert studies.study_names("nothing.db") == []
