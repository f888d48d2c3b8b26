"""Regret of pruning by split: how often another configuration is picked, against the fits saved.

A grid of 48 candidates on MNIST rows is evaluated in full, once; a second one holds only good
candidates, whose best is hard to tell. The pruned search is then replayed on the stored scores in
many random orders, by the very code that prunes a study, and run once for real, in the order that
a study takes, to see that replay and run agree::

    SWEEP_DATA_HOME=... python benchmarks/split_pruning.py [--orders 100]
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from sweep import run_study
from sweep.evaluation.split_pruning import Rule, decide_pruning

STUDY = {
    "study": {"name": "split-pruning"},
    "data": {"dataset": "mnist", "train_rows": 3000, "test_rows": 100},
    "model": {"factory": "mlp", "epochs": 5, "batch_size": 64},
    "search": {"method": "grid", "cv": 5, "refit": False, "train_scores": False, "curves": False},
    "space": {
        "hidden_size": [8, 16, 32, 64],
        "learning_rate": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2],
        "optimizer": ["adam", "sgd"],
    },
}
CLOSE = {
    "hidden_size": [24, 32, 40, 48, 56, 64],
    "learning_rate": [0.003, 0.005, 0.007, 0.01],
    "dropout_rate": [0.0, 0.1],
}
"""A space in which all candidates are good and the best is hard to tell."""

RULES = [
    Rule(5, p=0.05),
    Rule(5, p=0.1),
    Rule(5, p=0.2),
    Rule(5, p=0.1, min_splits=3),
    Rule(5, p=0.1, test="wilcoxon"),
]


def run(folder, name, space, **search):
    """Return the trials of a study, by number, and its seconds."""
    began = time.perf_counter()
    search = {**STUDY["search"], **search}
    study = {**STUDY, "study": {"name": name}, "search": search, "space": space}
    record = run_study(study, storage=str(Path(folder) / f"{name}.db"), n_jobs=1).record
    return list(record.trials), time.perf_counter() - began


def score(trial):
    """Return the mean held-out score of a trial."""
    return float(np.mean([split.test[trial.epochs[-1]] for split in trial.splits]))


def replayed(trials, rule):
    """Return the trials as a search with pruning by split leaves them, in this order."""
    done = []
    for trial in trials:
        kept = replace(trial)
        for count in range(1, len(trial.splits)):
            if decide_pruning(trial.splits[:count], trial.epochs, done, rule):
                kept = replace(trial, splits=trial.splits[:count], state="PRUNED")
                break
        done.append(kept)
    return done


def regret(trials, pruned):
    """Return by how much the picked configuration is worse in the full evaluation."""
    picked = max((t for t in pruned if t.state == "COMPLETE"), key=score)
    return max(map(score, trials)) - score(picked)


def saved(trials, pruned):
    """Return the share of fits that were not trained."""
    return 1 - sum(len(t.splits) for t in pruned) / sum(len(t.splits) for t in trials)


def replay_many(trials, rule, orders):
    """Return regrets and shares of fits saved, order by order."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(orders):
        pruned = replayed([trials[i] for i in rng.permutation(len(trials))], rule)
        found.append((regret(trials, pruned), saved(trials, pruned)))
    return np.array(found)


def measure(name, space, orders):
    """Print one grid's table, and what the real run says."""
    with tempfile.TemporaryDirectory() as folder:
        trials, seconds = run(folder, f"{name}-whole", space)
        pruned, less = run(folder, f"{name}-pruned", space, split_pruner=True)
    means = sorted(map(score, trials), reverse=True)
    print(
        f"\n{name}: {len(trials)} candidates, 5 splits, {seconds:.0f} s; best {means[0]:.4f}, ",
        end="",
    )
    print(f"second {means[1]:.4f}, median {np.median(means):.4f}, last {means[-1]:.4f}\n")
    print("| test, p, min_splits | another picked | mean regret | largest regret | fits saved |")
    print("| --- | --- | --- | --- | --- |")
    for rule in RULES:
        regrets, shares = replay_many(trials, rule, orders).T
        words = f"{rule.test or 'paired'}, {rule.p:g}, {rule.min_splits}"
        print(f"| {words} | {np.mean(regrets > 0):.0%} | {regrets.mean():.5f} ", end="")
        print(f"| {regrets.max():.5f} | {shares.mean():.1%} |")
    by_key = {trial.key: trial for trial in trials}
    again = replayed([by_key[trial.key] for trial in pruned], Rule(5))
    pairs = zip(again, pruned, strict=True)
    agree = sum(a.state == b.state and len(a.splits) == len(b.splits) for a, b in pairs)
    print(
        f"\nreal run with split_pruner = true: {saved(trials, pruned):.1%} of the fits saved, ",
        end="",
    )
    print(
        f"{less:.0f} s, regret {regret(trials, pruned):.5f}; as replayed: {agree} of {len(pruned)}"
    )


def main():
    """Measure both grids."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100)
    options = parser.parse_args()
    measure("wide", STUDY["space"], options.orders)
    measure("close", CLOSE, options.orders)


if __name__ == "__main__":
    main()
