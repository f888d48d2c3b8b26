"""How often the intervals of accuracies hold the truth: simulated, and on sets of real MNIST.

    python benchmarks/intervals.py grid [--runs 1000]
    python benchmarks/intervals.py mnist               # SWEEP_DATA_HOME has mnist.npz

``grid``: accuracies 0.5 to 0.999, 3 to 10 splits, 20 to 2,000 rows a split; rows that are right
independently, then splits whose accuracy varies too (normal on the scale of log odds, correlated
as Nadeau and Bengio assume). ``mnist``: a ridge classifier is cross-validated on disjoint sets of
rows; the truth is the mean accuracy of its models, over all sets, on 4,000 rows that no set holds.
Each line sets the interval beside the corrected t of the splits alone.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from common import heading_only

from sweep.analysis import interval, resampled
from sweep.ledger.outcomes import DataRecord
from sweep.ledger.records import StudyRecord

ACCURACIES = (0.5, 0.7, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
SPLITS, ROWS = (3, 5, 10), (20, 50, 100, 300, 1000, 2000)
BANDS = ((0.5, 0.96), (0.98, 0.985), (0.99, 1.0))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("grid", "mnist"))
    parser.add_argument("--runs", type=int, default=1000)
    asked = parser.parse_args()
    heading_only(f"{asked.what}: share of 95 % intervals that hold the truth")
    if asked.what == "mnist":
        mnist()
    else:
        for spread in (0.0, 0.1, 0.3):
            grid(spread, asked.runs)


def grid(spread: float, runs: int) -> None:
    """Print the worst cells, and how much wider intervals are than t alone."""
    rng, cells = np.random.default_rng(0), []
    for splits in SPLITS:
        for rows in ROWS:
            for share in ACCURACIES:
                drawn, truth = accuracies(rng, (runs, splits), share, spread)
                scores = rng.binomial(rows, drawn) / rows
                cells.append((*judged(scores, rows, truth), share, splits, rows))
    print(f"\nspread of splits {spread} in log odds, {len(cells)} cells of {runs} studies")
    ours, alone = (np.array([cell[i] for cell in cells]) for i in (0, 1))
    print(f"below 0.93: {np.sum(ours < 0.93)} cells; t alone {np.sum(alone < 0.93)}")
    for held, t, _, share, splits, rows in sorted(cells)[:3]:
        print(f"lowest: {held:.3f} (t alone {t:.3f}) at accuracy {share}, {splits} x {rows}")
    _, t, _, share, splits, rows = min(cells, key=lambda cell: cell[1])
    print(f"t alone, lowest: {t:.3f} at accuracy {share}, {splits} x {rows}")
    for low, high in BANDS:
        wider = [c[2] for c in cells if low <= c[3] < high]
        print(f"accuracy {low} to {high}: {np.mean(wider):.3f} times as wide as t alone")


def accuracies(rng, shape, share, spread):
    """Return the true accuracy of each split's model, and its mean."""
    runs, splits = shape
    odds, shared = np.log(share / (1 - share)), 1 / splits
    luck = rng.normal(size=(runs, 1)) * shared**0.5 + rng.normal(size=shape) * (1 - shared) ** 0.5
    many = np.random.default_rng(1).normal(size=200_000)
    return 1 / (1 + np.exp(-odds - spread * luck)), np.mean(1 / (1 + np.exp(-odds - spread * many)))


def judged(scores, rows, truth) -> tuple[float, float, float]:
    """Return how often intervals hold the truth, t alone does, and how much wider ours are."""
    splits = scores.shape[1]
    held, train, record = [rows] * splits, rows * (splits - 1), study(rows * splits)
    ours = [resampled(record, each, (held, train), "splits") for each in scores]
    ends = np.array([(e.low, e.high) for e in ours])
    alone = np.clip([interval(each, train, rows) for each in scores], 0, 1)
    hold = [np.mean((e[:, 0] <= truth) & (truth <= e[:, 1])) for e in (ends, alone)]
    return (*hold, np.mean(np.diff(ends)) / max(np.mean(np.diff(alone)), 1e-9))


def study(rows: int) -> StudyRecord:
    """Return a study of so many training rows, scored by accuracy."""
    data = DataRecord("simulated", "", rows, 0, (1,), ("a", "b"))
    spec = {"data": {"dataset": "simulated"}, "search": {"method": "grid", "scoring": "accuracy"}}
    return StudyRecord("simulated", "", spec, data, {}, "", (), (), 0)


def mnist() -> None:
    """Print coverage on disjoint sets of real rows: ten classes, and two that are nearly apart."""
    with np.load(Path(os.environ["SWEEP_DATA_HOME"]) / "mnist.npz") as held:
        x, y = held["x_train"], held["y_train"]
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order].reshape(len(y), -1) / np.float32(255), y[order]
    print("\n| | splits | sets | truth | interval | t alone | times as wide | splits equal |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    two = np.isin(y, (0, 1))
    tasks = (("ten classes", 300, y >= 0), ("0 or 1", 100, two), ("0 or 1", 60, two))
    for name, rows, keep in tasks:
        for splits in SPLITS:
            line = on_sets(x[keep], y[keep], rows, splits)
            print(f"| {name}, {rows} rows | {splits} | {line} |", flush=True)


def on_sets(x, y, rows: int, splits: int) -> str:
    """Cross-validate a ridge classifier on up to 133 disjoint sets of rows."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import StratifiedKFold

    kept = min(4_000, len(y) // 3)
    sets = min(133, (len(y) - kept) // rows)
    scores, truth = np.empty((sets, splits)), np.empty((sets, splits))
    for number in range(sets):
        own = slice(kept + number * rows, kept + (number + 1) * rows)
        for place, (fit, test) in enumerate(StratifiedKFold(splits).split(x[own], y[own])):
            model = RidgeClassifier(alpha=100).fit(x[own][fit], y[own][fit])
            scores[number, place] = model.score(x[own][test], y[own][test])
            truth[number, place] = model.score(x[:kept], y[:kept])
    ours, alone, wider = judged(scores, rows // splits, truth.mean())
    equal = np.mean(np.ptp(scores, axis=1) < 1e-12)
    return f"{sets} | {truth.mean():.4f} | {ours:.3f} | {alone:.3f} | {wider:.2f} | {equal:.0%}"


if __name__ == "__main__":
    main()
