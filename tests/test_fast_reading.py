"""A study is read from few columns and texts: to the same record, tables and refusals as slowly."""

import json
import math
import struct
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pretend import begin, study
from sqlalchemy import text

from sweep.ledger.checksums import CHANGED
from sweep.ledger.fit_columns import columns_at, columns_of
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study, record_of
from sweep.ledger.records import SplitResult
from sweep.ledger.scores import fit_score
from sweep.storage.attributes import RESULT
from sweep.storage.json_text import loads
from sweep.support.layer import Layer
from sweep.tables import candidates_frame
from sweep.tables.candidates import row_means

EPOCHS = tuple(range(1, 13))
SPACE = {
    "epochs": [2, 12],
    "hidden_size": [8, [32, 32], *range(10, 22)],
    "activation": ["relu", "tanh"],
}
RANGES = {
    "hidden_size": {"int": [8, 64]},
    "optimizer": ["sgd", "adam"],
    "momentum": {"float": [0.0, 0.9], "when": {"optimizer": "sgd"}},
    "learning_rate": {"float": [0.1, 0.9], "step": 0.1},
}


def fit(rng, number, seed, reached):
    """A fit of a split with any measurement that a ledger may hold."""
    epochs = EPOCHS[:reached]
    scores = {e: math.nan if rng.random() < 0.02 else float(rng.random()) for e in epochs}
    return SplitResult(
        scores,
        train={e: float(rng.random()) for e in epochs} if rng.random() < 0.5 else {},
        seconds={e: float(rng.random() * 10) for e in epochs},
        score_seconds=float(rng.random()),
        history={"loss": tuple(rng.random(reached)), "accuracy": tuple(rng.random(reached))},
        n_test=int(rng.integers(100, 500)),
        split=number,
        seed=seed,
        inference_ms=None if rng.random() < 0.5 else 1.5,
        losses=dict.fromkeys(epochs[:2], math.inf),
        unrepeatable='an "own" layer {"splits": [' if rng.random() < 0.2 else "",
        others={"f1_macro": {e: None if rng.random() < 0.1 else 0.5 for e in epochs}},
    )


def ended(ledger, rng, claim):
    """End a claimed cell in one of the ways in which cells end."""
    seeds, way = int(rng.integers(1, 3)), rng.random()
    count = int(rng.integers(1, 5))
    reached = 12 if way < 0.5 else int(rng.integers(1, 12))
    splits = [fit(rng, i, seed, reached) for i in range(count) for seed in range(seeds)]
    layers = (Layer("o", "Dense", "(2,)", int(rng.integers(1, 99))),)
    if way < 0.5:
        ledger.complete(claim, float(rng.random()), splits, layers)
    elif way < 0.7:
        ledger.pruned(claim, 0.25, splits, layers, copied_from=0 if rng.random() < 0.3 else None)
    elif way < 0.8:
        ledger.fail(claim, "no \ud83d\ude00 [b]\n")
    elif way < 0.9:
        ledger.cut(claim.trial_id, "killed")
    else:
        ledger.reject_too_large(claim, "99 weights", layers)


def filled(url, seed, space=None, method="grid", **search):
    """A ledger with a study of trials in every state, some of them started or waiting."""
    rng, ledger = np.random.default_rng(seed), Ledger(url)
    begin(ledger, study(method, space=space or SPACE, **search))
    claims = []
    while (claim := ledger.claim("pretend", "w")) and len(claims) < 20:
        claims.append(claim)
    for claim in claims[:-2]:
        ended(ledger, rng, claim)
    return ledger


def slowly(ledger):
    """The record from Optuna's own objects, every field of every fit decoded at once."""
    trials = ledger.storage.get_all_trials(ledger.study_id("pretend"))
    return record_of(ledger, "pretend", ledger.header("pretend"), trials)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", ["grid", "random"])
def test_the_record_is_that_of_optuna_s_own_objects(ledger_url, seed, method):
    """Studies of trials in every state, in a file and on a server: no field differs."""
    more = {"space": RANGES, "trials": 24, "patience": 9} if method == "random" else {}
    with closing(filled(ledger_url, seed, method=method, **more)) as ledger:
        fast, slow = read_study(ledger, "pretend"), slowly(ledger)
        assert {t.state for t in fast.trials} >= {"COMPLETE", "PRUNED", "RUNNING", "WAITING"}
        assert repr(fast) == repr(slow)  # NaN equals nothing, itself included
        assert fast.ended_by == slow.ended_by
        for one, other in zip(fast.candidates, slow.candidates, strict=True):
            assert repr(one.fits) == repr(columns_of(tuple(other.trial.splits), other.epoch))
            assert repr(columns_at(one.trial.splits, 3)) == repr(columns_of(one.trial.splits, 3))
            assert repr(one.mean_score) == repr(other.mean_score)
            assert one.trial.fit_seconds == other.trial.fit_seconds
        pd.testing.assert_frame_equal(
            candidates_frame(fast), candidates_frame(slow), check_exact=True
        )


def plain_row(row, name, kind):
    """A row's mean and deviation as numpy has them, of what each fit says."""
    scores = [fit_score(split, kind, name, row.epoch) for split in row.trial.splits]
    known = [score for score in scores if score is not None]
    if row.trial.state != "COMPLETE" or not known:
        return math.nan, math.nan
    return float(np.mean(known)), float(np.std(known))


def test_means_and_deviations_are_numpy_s_of_each_row_alone(tmp_path):
    """To the last bit, also by a further scorer and on training rows."""
    url, scoring = f"sqlite:///{tmp_path / 'l.db'}", ["accuracy", "f1_macro"]
    with closing(filled(url, 5, scoring=scoring)) as ledger:
        record = read_study(ledger, "pretend")
    frame = candidates_frame(record)
    for title, name, kind in (
        ("test_score", None, "test"),
        ("test_f1_macro", "f1_macro", "test"),
        ("train_score", None, "train"),
    ):
        expected = [plain_row(row, name, kind) for row in record.candidates]
        found = list(zip(frame[f"mean_{title}"], frame[f"std_{title}"], strict=True))
        assert repr(found) == repr(expected)


@pytest.mark.parametrize("length", [1, 2, 5, 7, 8, 9, 16, 40, 130])
def test_rows_taken_together_have_the_bits_of_rows_alone(length):
    rng = np.random.default_rng(length)
    rows = [tuple(map(float, rng.random(length))) for _ in range(50)]
    rows += [(*row[:-1], None) for row in rows]
    means, deviations = row_means(rows)
    for row, mean, deviation in zip(rows, means, deviations, strict=True):
        known = [v for v in row if v is not None]
        assert not known or (mean, deviation) == (np.mean(known), np.std(known))
        assert known or (math.isnan(mean) and math.isnan(deviation))


def test_a_study_without_a_trial_has_a_table_without_rows(tmp_path):
    with closing(Ledger(f"sqlite:///{tmp_path / 'l.db'}")) as ledger:
        begin(ledger, study("grid", space=SPACE))
        frame = candidates_frame(read_study(ledger, "pretend"))
    assert len(frame) == 0
    assert frame["mean_test_score"].dtype == float


def rewritten(ledger, change):
    """Change the text of each result behind sweep's back."""
    with ledger.storage.engine.begin() as connection:
        query = "SELECT trial_user_attribute_id, value_json FROM trial_user_attributes "
        held = connection.execute(text(f"{query} WHERE key = '{RESULT}'")).all()
        for number, value in held:
            update = "UPDATE trial_user_attributes SET value_json = :v "
            changed = {"v": change(value), "n": number}
            connection.execute(text(f"{update} WHERE trial_user_attribute_id = :n"), changed)


def scores(record):
    """The scores of each trial that is not a failed one."""
    return {
        t.number: repr([(s.test, s.seconds, s.n_test) for s in t.splits])
        for t in record.trials
        if t.state != "FAIL"
    }


@pytest.mark.parametrize("seed", range(6))
def test_a_changed_text_is_a_failed_trial(tmp_path, seed):
    """One character of each result is another: no other score is read, and the trial is named."""
    rng = np.random.default_rng(seed)

    def change(value):
        place = int(rng.integers(len(value)))
        return value[:place] + str(rng.choice(list("0123456789.,:}]x"))) + value[place + 1 :]

    with closing(filled(f"sqlite:///{tmp_path / 'l.db'}", seed)) as ledger:
        before = scores(read_study(ledger, "pretend"))
        rewritten(ledger, change)
        record = read_study(ledger, "pretend")
    after = scores(record)
    assert after == {number: before[number] for number in after}
    assert CHANGED in {trial.reason for trial in record.trials}


def test_results_of_older_versions_are_read_too(ledger_url):
    """They are stored with spaces and in another order; the digest is that of what they hold."""
    with closing(filled(ledger_url, 7)) as ledger:
        before = read_study(ledger, "pretend")
        rewritten(ledger, lambda value: json.dumps(dict(reversed(json.loads(value).items()))))
        assert repr(read_study(ledger, "pretend")) == repr(before)
        rewritten(ledger, lambda value: value.replace('"n_test": ', '"n_test": 1'))
        reasons = [t.reason for t in read_study(ledger, "pretend").trials if t.state == "FAIL"]
        assert CHANGED in reasons


def test_the_fast_parser_reads_what_python_s_reads():
    """Numbers of any bits, infinities, surrogates, long whole numbers."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**64, 20_000, dtype=np.uint64)
    numbers = [struct.unpack("d", struct.pack("Q", int(each)))[0] for each in bits]
    values = [*numbers, *rng.random(20_000), -0.0, 2**70, "\ud800", "ä\n", math.inf, None, True]
    written = json.dumps([float(v) if isinstance(v, np.floating) else v for v in values])
    assert repr(loads(written)) == repr(json.loads(written))
    with pytest.raises(ValueError, match="line 1"):
        loads("[1,")


def test_a_stored_result_equals_the_tuple_that_it_stands_for(tmp_path):
    """It is a sequence like any other: sliced, compared, changed by `replace`."""
    with closing(filled(f"sqlite:///{tmp_path / 'l.db'}", 11)) as ledger:
        fast = read_study(ledger, "pretend")
    trial = next(t for t in fast.trials if t.state == "PRUNED" and len(t.splits) > 1)
    held = tuple(trial.splits)
    assert trial.splits == held
    assert trial.splits[1:] == held[1:]
    assert trial.splits != held[1:]
    assert len(trial.layers) == len(list(trial.layers)) == 1
    other = replace(held[0], split=7)
    assert other.split == 7
    assert other.test == held[0].test
    assert other != held[0]
