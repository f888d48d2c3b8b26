"""Realistic study records for the tests of the read arm: no ledger, no TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np

from sweep.ledger.outcomes import DataRecord, WinnerRecord
from sweep.ledger.records import Candidate, SplitResult, StudyRecord, TrialRecord
from sweep.support.layer import Layer

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ENVIRONMENT = {
    "python": "3.11.9",
    "tensorflow": "2.21.0",
    "keras": "3.15.0",
    "scikit-learn": "1.9.0",
    "machine": "x86_64, 2 cores",
}
DATA = DataRecord(
    name="mnist",
    fingerprint="9f2c" * 16,
    train_rows=6000,
    test_rows=5000,
    shape=(28, 28),
    classes=tuple("0123456789"),
    class_counts=(592, 671, 581, 608, 623, 514, 608, 651, 551, 601),
)


def mlp_layers(width):
    """The layers of a multi-layer perceptron with one hidden layer."""
    return (
        Layer("flatten", "Flatten", "(784,)", 0),
        Layer("hidden_1", "Dense", f"({width},)", 785 * width),
        Layer("output", "Dense", "(10,)", 10 * (width + 1)),
    )


def curve(rng, ceiling, epochs, speed=0.6):
    """Test scores that rise to a ceiling with a little noise, rounded as ledgers hold them."""
    steps = np.arange(1, epochs + 1)
    scores = ceiling - (ceiling - 0.55) * np.exp(-speed * steps) + rng.normal(0, 0.002, epochs)
    return {int(e): float(round(min(s, 1.0), 4)) for e, s in zip(steps, scores, strict=True)}


def split(rng, ceiling, epochs, *, train=True, n_test=1200, pace=0.4, number=0):
    """One split's result over that many epochs."""
    test = curve(rng, ceiling + rng.normal(0, 0.003), epochs)
    return SplitResult(
        test=test,
        train={e: round(min(s + 0.01, 1.0), 4) for e, s in test.items()} if train else {},
        seconds={e: round(pace * e, 3) for e in test},
        score_seconds=0.05,
        history={
            "loss": tuple(round(2.3 * (1 - s) + 0.02, 4) for s in test.values()),
            "accuracy": tuple(test.values()),
        },
        n_test=n_test,
        split=number,
    )


def confusion(classes, per_class, recall=0.95):
    """A confusion matrix in which every class loses a few rows to its neighbour."""
    size, right = len(classes), round(per_class * recall)
    matrix = [[0] * size for _ in range(size)]
    for row in range(size):
        matrix[row][row] = right - row % 3
        matrix[row][(row + 1) % size] = per_class - matrix[row][row]
    return tuple(map(tuple, matrix))


def timed(number, minutes=1):
    """When a trial started and ended."""
    started = START + timedelta(minutes=minutes * number)
    return {"started": started, "finished": started + timedelta(seconds=40), "worker": "box:4711"}


def spec_of(name, search, space, **model):
    """A study file as plain values."""
    return {
        "study": {"name": name, "seed": 0},
        "data": {"dataset": "mnist", "train_rows": 6000, "test_rows": 5000, "scaling": "unit"},
        "model": {"factory": "mlp", "optimizer": "adam", "batch_size": 128, **model},
        "search": {"scoring": "accuracy", "refit": True, **search},
        "space": space,
    }


def grid_record(*, epochs=(1, 5, 10), widths=(32, 64, 256), folds=5, refit=True, done=None):
    """E6: epochs x hidden_size by grid, cv = 5; ``done`` cells of the plan have ended."""
    rng = np.random.default_rng(0)
    trials = tuple(
        TrialRecord(
            number=number,
            key=f"hidden_size={width}",
            state="COMPLETE",
            params={"hidden_size": width},
            epochs=tuple(epochs),
            splits=tuple(
                split(
                    rng,
                    0.90 + 0.011 * np.log2(width / 16),
                    max(epochs),
                    pace=0.1 + width / 900,
                    number=i,
                )
                for i in range(folds)
            ),
            parameters=785 * width + 10 * (width + 1),
            layers=mlp_layers(width),
            **timed(number),
        )
        for number, width in enumerate(widths[:done])
    )
    rows = [
        Candidate(index, trial, epoch, {"epochs": epoch, "hidden_size": width})
        for index, (epoch, width) in enumerate(product(epochs, widths))
        for trial in trials
        if trial.params["hidden_size"] == width
    ]
    space = {"epochs": list(epochs), "hidden_size": list(widths)}
    splits = {"cv": folds} if folds > 1 else {"validation": 0.2}
    search = {"method": "grid", **splits, "refit": refit}
    whole = refit and done is None
    return StudyRecord(
        name="mnist-mlp-grid",
        source='[study]\nname = "mnist-mlp-grid"\n\n[space]\nepochs = [1, 5, 10]\n',
        spec=spec_of("mnist-mlp-grid", search, space),
        data=DATA,
        environment=ENVIRONMENT,
        created="2026-03-02T09:29:58+00:00",
        trials=trials,
        candidates=tuple(rows),
        planned=len(widths),
        winner=winner_of(rows[-1]) if whole else None,
    )


def winner_of(candidate, test_score=0.9482):
    """The refit of a candidate and what the test set said."""
    return WinnerRecord(
        params=candidate.params,
        chosen_at="2026-03-02T09:40:00+00:00",
        test_score=test_score,
        test_opened_at="2026-03-02T09:41:12+00:00",
        test_rows=5000,
        train_rows=6000,
        refit_seconds=4.2,
        history={"loss": (0.6, 0.3, 0.2), "accuracy": (0.8, 0.9, 0.95)},
        layers=candidate.trial.layers,
        confusion=confusion(DATA.classes, 500),
    )


def tpe_params(rng):
    """One draw of the conditional space of the TPE study."""
    optimizer = str(rng.choice(["sgd", "adam", "rmsprop"]))
    params = {
        "filters": int(rng.choice([16, 32, 64])),
        "dense_dropout_rate": float(rng.uniform(0, 0.6)),
        "learning_rate": float(10 ** rng.uniform(-4, -1)),
        "optimizer": optimizer,
    }
    if optimizer == "sgd":
        params["momentum"] = float(rng.uniform(0, 0.99))
    return params


def tpe_trial(rng, number, *, epochs=10, splits=1):
    """One TPE trial: every third one pruned, every eleventh failed."""
    params = tpe_params(rng)
    state = "FAIL" if number % 11 == 10 else "PRUNED" if number % 3 == 2 else "COMPLETE"
    ceiling = (
        0.97 - 0.03 * abs(np.log10(params["learning_rate"]) + 2.5) - 0.05 * (state != "COMPLETE")
    )
    ran = {"COMPLETE": epochs, "PRUNED": 1 + number % 4, "FAIL": 0}[state]
    results = tuple(
        split(
            rng, ceiling, ran, train=False, n_test=600, pace=0.1 + params["filters"] / 90, number=i
        )
        for i in range(splits)
    )
    return TrialRecord(
        number=number,
        key=f"trial={number}",
        state=state,
        params=params,
        epochs=(epochs,),
        splits=results if ran else (),
        parameters=6770 * params["filters"] + 10,
        layers=(
            Layer("conv_1", "Conv2D", f"(26, 26, {params['filters']})", 10 * params["filters"]),
            Layer("flatten", "Flatten", f"({676 * params['filters']},)", 0),
            Layer("output", "Dense", "(10,)", 6760 * params["filters"] + 10),
        ),
        reason="the loss became NaN in epoch 1" if state == "FAIL" else None,
        **timed(number),
    )


def tpe_record(trials=60, *, refit=True, splits=1):
    """A TPE study on a validation split, with pruned, failed and cut trials."""
    rng = np.random.default_rng(1)
    rows = [tpe_trial(rng, number, splits=splits) for number in range(trials)]
    cut = replace(rows[0], number=trials, state="CUT", splits=(), reason="killed by signal 9")
    candidates = tuple(Candidate(t.number, t, 10, t.params) for t in rows)
    best = max(
        (c for c in candidates if c.trial.state == "COMPLETE"),
        key=lambda c: c.trial.splits[0].test[10],
    )
    space = {
        "filters": [16, 32, 64],
        "dense_dropout_rate": {"float": [0.0, 0.6]},
        "learning_rate": {"float": [1e-4, 1e-1], "log": True},
        "optimizer": ["sgd", "adam", "rmsprop"],
        "momentum": {"float": [0.0, 0.99], "when": {"optimizer": "sgd"}},
    }
    search = {"method": "tpe", "trials": trials, "validation": 0.1, "refit": refit}
    return StudyRecord(
        name="mnist-cnn-tpe",
        source='[study]\nname = "mnist-cnn-tpe"\n',
        spec=spec_of("mnist-cnn-tpe", search, space, epochs=10),
        data=replace(DATA, shape=(28, 28, 1)),
        environment=ENVIRONMENT,
        created="2026-03-02T09:29:58+00:00",
        trials=(*rows, cut),
        candidates=candidates,
        planned=trials,
        winner=winner_of(best, 0.961) if refit else None,
    )


def validation_record():
    """A small grid on one validation split, test set left closed."""
    record = grid_record(epochs=(5,), folds=1, refit=False)
    search = {"method": "grid", "validation": 0.2, "scoring": "accuracy", "refit": False}
    return replace(record, name="mnist-validation", spec={**record.spec, "search": search})


def running_record():
    """The grid after two of its three cells, the third at work."""
    record = grid_record(done=2)
    at_work = replace(record.trials[0], number=2, key="hidden_size=256", state="RUNNING", splits=())
    return replace(record, trials=(*record.trials, at_work))


def empty_record():
    """A study whose only trial failed."""
    record = grid_record(epochs=(5,), widths=(32,), refit=False)
    failed = replace(record.trials[0], state="FAIL", splits=(), reason="out of memory")
    rows = tuple(replace(c, trial=failed) for c in record.candidates)
    return replace(record, trials=(failed,), candidates=rows)


HOSTILE = "<script>alert(1)</script>"
RIGHT_TO_LEFT = "\u202e\u05e9\u05dc\u05d5\u05dd $x_1^"
LONG = "w" * 200


def hostile_record():
    """Names that try to be markup, mathtext, right to left, or 200 characters wide."""
    record = grid_record()
    names = {"epochs": HOSTILE, "hidden_size": LONG}

    def renamed(params):
        odd = {RIGHT_TO_LEFT: HOSTILE if params.get("epochs") == 1 else RIGHT_TO_LEFT}
        return {names[k]: v for k, v in params.items()} | odd

    rows = tuple(replace(c, params=renamed(c.params)) for c in record.candidates)
    space = {names[k]: v for k, v in record.spec["space"].items()}
    space[RIGHT_TO_LEFT] = [HOSTILE, RIGHT_TO_LEFT]
    classes = (HOSTILE, RIGHT_TO_LEFT, LONG, *"3456789")
    return replace(
        record,
        name=f"{HOSTILE} {LONG}",
        source=f"# {HOSTILE} {RIGHT_TO_LEFT}\n",
        spec={**record.spec, "space": space},
        data=replace(record.data, classes=classes, name=HOSTILE),
        candidates=rows,
        winner=replace(record.winner, params=rows[-1].params),
    )


def with_scorers(record, names=("accuracy", "f1_macro", "roc_auc_ovr"), missing=()):
    """Give a record further scores: 0.1 and 0.2 below the first; none for ``missing`` trials."""
    trials = {}
    for trial in record.trials:
        splits = []
        for split in trial.splits:
            held = {
                kind: {
                    name: {e: s - 0.1 * place for e, s in getattr(split, kind).items()}
                    for place, name in enumerate(names[1:], 1)
                }
                for kind in ("test", "train")
            }
            if trial.number in missing and split.split == 1:
                held["test"][names[-1]] = dict.fromkeys(split.test)
            splits.append(replace(split, others=held["test"], train_others=held["train"]))
        trials[trial.number] = replace(trial, splits=tuple(splits))
    winner = record.winner
    if winner is not None:
        winner = replace(winner, other_scores={names[1]: 0.91, names[2]: None})
    return replace(
        record,
        spec={**record.spec, "search": {**record.spec["search"], "scoring": list(names)}},
        trials=tuple(trials.values()),
        candidates=tuple(replace(c, trial=trials[c.trial.number]) for c in record.candidates),
        winner=winner,
    )
