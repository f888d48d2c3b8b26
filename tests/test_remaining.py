"""What is left of a study: lists, workers, the service's agent and its queue agree on it."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from ledgers import build, sections
from sqlalchemy import text

from sweep.analysis.overview import all_overviews, overview_of
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import NestedRecord, OuterFold
from sweep.ledger.reading import read_study
from sweep.search.outer_folds import OuterFold as Part
from sweep.service.queue import read_standing
from sweep.service.worker_agent import Agent, AgentSettings
from sweep.study.join import open_studies
from sweep.study.nested import record_nested

FOLD = OuterFold(0.9, 0.92, {"hidden_size": 16, "epochs": 5}, 958, 479, "x")


def left(url):
    """Return what is left of each study; counted by the database as read whole."""
    with closing(Ledger(url, reading=True)) as ledger:
        found = {each.name: each.left for each in all_overviews(ledger)}
        read = {name: overview_of(read_study(ledger, name)).left for name in found}
    assert found == read
    return found


def outer_fold(url, number, **how):
    """Make an outer fold of the study named deep."""
    part = Part("deep", number, 2)
    build(None, part.name, url=url, study=sections("deep"), **how)
    with closing(Ledger(url)) as ledger:
        ledger.update(part.name, part=part.plain())
        return read_study(ledger, part.name)


def silent(url):
    """Let the heartbeats, and the ends of trials, be of two minutes ago."""
    then = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=2)
    with closing(Ledger(url)) as ledger, ledger.storage.engine.begin() as connection:
        connection.execute(text("UPDATE trial_heartbeats SET heartbeat = :then"), {"then": then})
        ended = "UPDATE trials SET datetime_complete = :then WHERE datetime_complete IS NOT NULL"
        connection.execute(text(ended), {"then": then})


def test_cells_then_the_refit_then_outer_folds(ledger_url):
    """Nothing is left of a study that wants no refit, or in which nothing has a score."""
    build(None, "half", url=ledger_url, done=1)
    build(None, "ended", url=ledger_url)
    build(None, "closed", url=ledger_url, refit=False)
    build(None, "refitted", url=ledger_url, winner=True)
    build(None, "failed", url=ledger_url, failed=(0, 1, 2))
    build(None, "deep", url=ledger_url, winner=True, nested=2)
    build(None, "deep and closed", url=ledger_url, refit=False, nested=2)
    assert left(ledger_url) == {
        "half": "cells", "ended": "refit", "closed": "", "refitted": "", "failed": "",
        "deep": "outer folds", "deep and closed": "outer folds",
    }  # fmt: skip
    with closing(Ledger(ledger_url)) as ledger:
        ledger.set_nested("deep", NestedRecord((FOLD, FOLD), 3, "2026-03-02"))
        ledger.set_nested("deep and closed", NestedRecord((FOLD, FOLD), 2, "2026-03-02"))
    assert left(ledger_url)["deep"] == ""
    assert left(ledger_url)["deep and closed"] == "outer folds"  # of a smaller search


def test_a_fold_without_a_score_ends_a_nested_study_without_an_estimate(ledger_url):
    """One whose refit is still to come does not."""
    build(None, "deep", url=ledger_url, winner=True, nested=2)
    going = [outer_fold(ledger_url, 1, winner=True), outer_fold(ledger_url, 2)]
    with closing(Ledger(ledger_url)) as ledger:
        assert "no trial is complete" in record_nested(ledger, "deep", going)
        assert left(ledger_url)["deep"] == "outer folds"
        ledger.delete(going[1].name)
        failed = outer_fold(ledger_url, 2, failed=(0, 1, 2))
        assert "no trial is complete" in record_nested(ledger, "deep", [going[0], failed])
    assert left(ledger_url)["deep"] == ""
    assert open_studies(ledger_url) == []


@pytest.mark.parametrize("settled", [(2, "best"), (3, "cheapest")])
def test_a_winner_of_fewer_trials_or_another_rule_is_refitted_again(ledger_url, settled):
    """The study has grown, or its rule has changed, since it was chosen."""
    build(None, "tiny", url=ledger_url, winner=True)
    with closing(Ledger(ledger_url)) as ledger:
        ledger.settle("tiny", *settled, again=True)
        assert open_studies(ledger_url) == []  # an older version did not record it
        ledger.settle("tiny", *settled)
        assert open_studies(ledger_url) == ["tiny"]
        ledger.settle("tiny", 3, "best", again=True)
    assert left(ledger_url) == {"tiny": ""}
    assert open_studies(ledger_url) == []


def test_the_last_cell_of_a_machine_that_is_gone_is_work(ledger_url):
    """Nobody else is at the study, so nobody else would notice."""
    build(None, "tiny", url=ledger_url, done=2)
    with closing(Ledger(ledger_url)) as ledger:
        ledger.beat(ledger.claim("tiny", "node1:7:1:1:boot:token"))
    assert open_studies(ledger_url) == []
    silent(ledger_url)
    assert open_studies(ledger_url) == ["tiny"]


def test_outer_folds_are_work_until_the_last_cells_of_one_run(ledger_url):
    """Also the next fold, which is not in the ledger yet."""
    build(None, "deep", url=ledger_url, winner=True, nested=2)
    assert open_studies(ledger_url) == ["deep"]
    fold = outer_fold(ledger_url, 1, done=2).name
    assert open_studies(ledger_url) == ["deep"]
    with closing(Ledger(ledger_url)) as ledger:
        claim = ledger.claim(fold, "node1:7:1:1:boot:token")
        ledger.beat(claim)
        assert open_studies(ledger_url) == []
        silent(ledger_url)
        assert open_studies(ledger_url) == ["deep"]
        ledger.fail(claim, "bad luck")
    assert open_studies(ledger_url) == ["deep"]


def test_workers_stay_with_a_study_until_its_last_cells_have_ended(ledger_url):
    """One of them refits the winner; sent away, another would be started for that."""
    build(None, "tiny", url=ledger_url, done=1)
    agent = Agent(AgentSettings(ledger_url, workers=2, at_once=2), None)
    agent._active["tiny"] = None
    with closing(Ledger(ledger_url)) as ledger:
        for _ in range(2):
            ledger.claim("tiny", "here:7:1:1:boot:token")
        agent._share(ledger)
        assert agent.share("tiny") == 2
        assert open_studies(ledger_url) == []


def test_the_queue_says_finishing_while_outer_folds_run(ledger_url):
    """It waits where none does, and is not finished before all have ended."""
    build(None, "deep", url=ledger_url, winner=True, nested=2)

    def state():
        with closing(Ledger(ledger_url)) as ledger:
            (study,) = all_overviews(ledger)
            return read_standing(ledger, [study]).state(study)

    assert state() == "waiting"
    fold = outer_fold(ledger_url, 1, done=1).name
    with closing(Ledger(ledger_url)) as ledger:
        ledger.claim(fold, "node1:7:1:1:boot:token")
        assert state() == "finishing"
        ledger.stop("deep", "2026-03-02")
        assert state() == "stopped"
        ledger.stop("deep", None)
        ledger.set_nested("deep", NestedRecord((FOLD, FOLD), 3, "2026-03-02"))
    assert state() == "finished"
