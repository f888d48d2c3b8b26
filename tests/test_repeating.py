"""A model that is not repeatable: recorded with its splits, and said where scores are read."""

from dataclasses import replace

from records import grid_record

from sweep.analysis import unrepeatable
from sweep.cli.leaderboard import board_parts
from sweep.ledger.codec import split_from_plain, split_to_plain
from sweep.report.answer import answer
from sweep.study.answers.leaderboard import leaderboard


def test_scores_that_another_run_would_not_give_are_said_to_be_so():
    """In the report's answer and under the leaderboard, with the reason; once."""
    record = grid_record()
    assert unrepeatable(record) == ""
    why = "its factory builds two different models under one seed"
    trials = [
        replace(each, splits=tuple(replace(s, unrepeatable=why) for s in each.splits))
        for each in record.trials
    ]
    marked = replace(record, trials=tuple(trials))
    said = unrepeatable(marked)
    assert said.count(why) == 1
    assert said in answer(marked).caution
    assert said in [str(part) for part in board_parts(leaderboard(marked), 80)]


def test_the_reason_is_kept_in_the_ledger():
    """A split without one is written as older versions write it."""
    split = grid_record().trials[0].splits[0]
    assert "unrepeatable" not in split_to_plain(split)
    marked = replace(split, unrepeatable="so")
    assert split_from_plain(split_to_plain(marked)) == marked
