"""The precision of a study's fits: named, and never mixed without a word."""

from dataclasses import replace

import pytest
from records import grid_record

from sweep.analysis import arithmetic, mixture, precisions
from sweep.cli.leaderboard import board_parts
from sweep.errors import StudyFileError
from sweep.report.answer import answer, facts
from sweep.spec import load_study
from sweep.study.answers.leaderboard import leaderboard

STUDY = {
    "study": {"name": "s"},
    "data": {"dataset": "digits"},
    "search": {"method": "grid", "cv": 2, "refit_precision": "float32"},
    "space": {"hidden_size": [8, 16]},
}


def fitted_in(*cycle):
    """Return a record whose candidates were searched over these precisions in turn."""
    record = grid_record()
    candidates = [
        replace(c, params={**c.params, "precision": cycle[c.index % len(cycle)]})
        for c in record.candidates
    ]
    return replace(record, candidates=tuple(candidates))


def test_the_precision_of_a_study_is_named():
    """Also where the study file says nothing of it."""
    record = grid_record()
    assert precisions(record) == ["float32"]
    assert dict(facts(record))["Precision"] == "float32"
    fixed = replace(record, spec={**record.spec, "model": {"precision": "mixed_bfloat16"}})
    assert precisions(fixed) == ["mixed_bfloat16"]
    assert mixture(fixed) == ""


def test_a_comparison_across_precisions_says_so():
    """In the report's answer and under the leaderboard."""
    record = fitted_in("float32", "mixed_bfloat16")
    assert precisions(record) == ["float32", "mixed_bfloat16"]
    said = mixture(record)
    assert "float32 and in mixed_bfloat16" in said
    assert said in answer(record).caution
    assert said in [str(part) for part in board_parts(leaderboard(record), 80)]
    assert mixture(fitted_in("mixed_bfloat16")) == ""


def test_a_winner_refitted_in_another_precision_is_named():
    """The study searched in one, the winner stands in the other."""
    record = fitted_in("mixed_bfloat16")
    winner = replace(record.winner, precision="float32")
    said = arithmetic(replace(record, winner=winner))
    assert said == "mixed_bfloat16; winner refitted in float32"


def test_a_precision_of_a_refit_needs_a_refit():
    """And must be one that there is."""
    assert load_study(STUDY).search.refit_precision == "float32"
    with pytest.raises(StudyFileError, match="refit = false"):
        load_study({**STUDY, "search": {**STUDY["search"], "refit": False}})
    with pytest.raises(StudyFileError, match=r"search.refit_epochs.* refit = false"):
        load_study({**STUDY, "search": {"method": "grid", "refit_epochs": 9, "refit": False}})
    with pytest.raises(StudyFileError, match='"float32", "mixed_bfloat16" or'):
        load_study({**STUDY, "search": {**STUDY["search"], "refit_precision": "float16"}})
