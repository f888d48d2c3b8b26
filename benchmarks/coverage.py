"""How often our intervals hold the truth on real data: small networks on sets of 1,000 MNIST rows.

    python benchmarks/coverage.py train [--sets 200] [--file coverage.npz]   # half an hour
    python benchmarks/coverage.py judge [--file coverage.npz] [--figure docs/coverage.svg]

``train`` draws sets of rows from the 60,000, cross-validates six settings on each with 3, 5 and 10
splits and with 5 splits drawn twice, and scores every model also on 2,000 rows that its set does
not hold. It may be interrupted; it goes on where it stopped. SWEEP_DATA_HOME has mnist.npz.

``judge`` takes for the truth of a setting the mean of the latter over all sets: the expected
accuracy of a model of so many rows. It prints how often intervals hold it: of a fixed setting, of
the one with the highest mean in each set, of the difference of two fixed settings, and of all
differences to the best at once.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import ClassVar

import numpy as np
from common import heading_only

from sweep.analysis import compare, score_interval
from sweep.analysis.study_differences import paired
from sweep.ledger.outcomes import DataRecord
from sweep.ledger.records import Candidate, SplitResult, StudyRecord, TrialRecord

ROWS, OTHERS = 1000, 2000
SETTINGS = tuple(
    {"hidden_size": size, "dropout_rate": rate} for size, rate in product((32, 48, 64), (0.0, 0.2))
)
FIXED = {"epochs": 4, "batch_size": 100, "learning_rate": 0.01, "scaling": "unit"}
SCHEMES = {"3 splits": (3, 1), "5 splits": (5, 1), "10 splits": (10, 1), "5 splits x 2": (5, 2)}


def main() -> None:
    """Train, or judge what was trained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("train", "judge"))
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--file", type=Path, default=Path("coverage.npz"))
    parser.add_argument("--figure", type=Path)
    asked = parser.parse_args()
    if asked.what == "train":
        train(asked.file, asked.sets)
    else:
        judge(asked.file, asked.figure)


def places() -> list[tuple[int, int, int]]:
    """Return (splits, repeat, place) of every fit of a setting; 5 splits are in 5 splits x 2."""
    schemes = ((3, 0), (5, 0), (5, 1), (10, 0))
    return [(splits, again, place) for splits, again in schemes for place in range(splits)]


def train(file: Path, sets: int) -> None:
    """Fill the file, set by set: scores and truths of shape (sets, settings, fits)."""
    from sweep.training.threads import single_threaded

    single_threaded()
    with np.load(Path(os.environ["SWEEP_DATA_HOME"]) / "mnist.npz") as held:
        x, y = held["x_train"].reshape(60_000, -1), held["y_train"]
    scores, truths = (list(each) for each in kept(file))
    for number in range(len(scores), sets):
        rng = np.random.default_rng(number)
        drawn = rng.permutation(len(y))
        own, others = drawn[:ROWS], drawn[ROWS : ROWS + OTHERS]
        one, other = of_set(x[own], y[own], x[others], y[others], number)
        scores.append(one)
        truths.append(other)
        with Path(f"{file}.new").open("wb") as out:
            np.savez(out, scores=scores, truths=truths)
        Path(f"{file}.new").replace(file)
        print(f"set {number + 1} of {sets}", flush=True)


def kept(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores and truths that the file holds."""
    if not file.exists():
        empty = np.empty((0, len(SETTINGS), len(places())))
        return empty, empty
    with np.load(file) as held:
        return held["scores"], held["truths"]


def of_set(x, y, other_x, other_y, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the held-out accuracy of each fit, and its accuracy on the other rows."""
    from sklearn.model_selection import StratifiedKFold

    from sweep import KerasMLPClassifier

    folds = {
        (splits, again): list(
            StratifiedKFold(splits, shuffle=True, random_state=2 * seed + again).split(x, y)
        )
        for splits, again, _ in places()
    }
    scores = np.empty((len(SETTINGS), len(places())))
    truths = np.empty_like(scores)
    for row, setting in enumerate(SETTINGS):
        for column, (splits, again, place) in enumerate(places()):
            fit, test = folds[splits, again][place]
            model = KerasMLPClassifier(**setting, **FIXED, random_state=seed).fit(x[fit], y[fit])
            found = model.predict(np.concatenate([x[test], other_x]))
            scores[row, column] = np.mean(found[: len(test)] == y[test])
            truths[row, column] = np.mean(found[len(test) :] == other_y)
    return scores, truths


def judge(file: Path, figure: Path | None) -> None:
    """Print a line for each scheme; draw them if a figure is asked for."""
    scores, truths = kept(file)
    heading_only(f"Share of 95 % intervals that hold the truth, {len(scores)} sets of {ROWS} rows")
    means = [f"{truths[:, row].mean():.4f}" for row in range(len(SETTINGS))]
    print(f"truth of the settings, over all fits: {', '.join(means)}")
    print(f"| | {' | '.join(Coverage.TITLES)} | optimism of the chosen | its half width |")
    print(f"| {' | '.join(['---'] * (len(Coverage.TITLES) + 3))} |")
    found = {name: covered(scores, truths, *scheme) for name, scheme in SCHEMES.items()}
    for name, each in found.items():
        shares = " | ".join(f"{share:.3f}" for share in each.shares)
        print(f"| {name} | {shares} | {each.optimism:+.4f} | {each.half_width:.4f} |")
    if figure:
        draw(found, len(scores), figure)


@dataclass(frozen=True)
class Coverage:
    """Shares of sets in which intervals hold the truth, and the optimism of the chosen.

    Attributes
    ----------
    shares : tuple of float
        In the order of ``TITLES``; those of fixed settings are means over the settings or pairs.
    optimism : float
        Mean of the chosen's score minus its truth.
    half_width : float
        Mean half width of the interval of the chosen.
    """

    shares: tuple[float, ...]
    optimism: float
    half_width: float

    TITLES: ClassVar = (
        "a fixed setting", "the chosen", "a fixed difference", "all differences to the best",
    )  # fmt: skip


def covered(scores, truths, splits: int, repeats: int) -> Coverage:
    """Judge the intervals of one scheme over all sets."""
    mine = [
        column for column, (each, again, _) in enumerate(places())
        if each == splits and again < repeats
    ]  # fmt: skip
    truth = truths[:, :, mine].mean(axis=(0, 2))
    held, optimism, half = [], [], []
    for rows in scores[:, :, mine]:
        record = study(rows, splits, repeats)
        ends = [score_interval(record, each) for each in record.candidates]
        inside = [e.low <= t <= e.high for e, t in zip(ends, truth, strict=True)]
        top = int(np.argmax(rows.mean(axis=1)))
        pairs = [
            paired(study(rows[[i]], splits, repeats), study(rows[[j]], splits, repeats))
            for i, j in combinations(range(len(rows)), 2)
        ]
        gaps = [truth[i] - truth[j] for i, j in combinations(range(len(rows)), 2)]
        apart = [p.low <= gap <= p.high for p, gap in zip(pairs, gaps, strict=True)]
        held.append((np.mean(inside), inside[top], np.mean(apart), all_hold(record, truth)))
        optimism.append(rows[top].mean() - truth[top])
        half.append((ends[top].high - ends[top].low) / 2)
    shares = tuple(float(each) for each in np.mean(held, axis=0))
    return Coverage(shares, float(np.mean(optimism)), float(np.mean(half)))


def all_hold(record: StudyRecord, truth) -> bool:
    """Return whether all differences to the best lie in their intervals, and the told are worse."""
    found = compare(record)
    best = truth[found.best.index]
    inside = [
        low <= best - truth[each.index] <= high
        for each in found.alike[1:]
        for low, _, high in [found.behind(each)]
    ]
    return all(inside) and all(truth[each.index] <= best for each in found.told)


def study(rows, splits: int, repeats: int) -> StudyRecord:
    """Return a study whose candidates have these scores, of shape (candidates, fits)."""
    trials = [
        TrialRecord(
            number, str(number), "COMPLETE", {"setting": number}, (1,),
            tuple(SplitResult({1: float(score)}, n_test=ROWS // splits, split=place)
                  for place, score in enumerate(each)),
        )
        for number, each in enumerate(rows)
    ]  # fmt: skip
    data = DataRecord("mnist", "the same", ROWS, 0, (784,), tuple("0123456789"))
    search = {"method": "grid", "cv": splits, "repeats": repeats, "scoring": "accuracy"}
    spec = {"data": {"dataset": "mnist"}, "search": search}
    found = tuple(Candidate(t.number, t, 1, t.params) for t in trials)
    return StudyRecord("mnist", "", spec, data, {}, "", tuple(trials), found, len(trials))


def draw(found: dict[str, Coverage], sets: int, path: Path) -> None:
    """Draw the shares of every scheme, with the range that 95 % would give by chance."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "sweep"
    from matplotlib import pyplot as plt

    from sweep.analysis.binomial import clopper_pearson

    chart, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    low, high = clopper_pearson(0.95 * sets, sets)
    axes.axvspan(low, high, color="0.9", label=f"95 %, by chance in {sets} sets")
    for place, title in enumerate(Coverage.TITLES):
        shares = [each.shares[place] for each in found.values()]
        heights = [-(line + place / 6) for line in range(len(found))]
        axes.plot(shares, heights, "o", markersize=5, label=title)
    axes.set_yticks([-(line + 0.25) for line in range(len(found))], list(found))
    axes.set_xlabel("share of 95 % intervals that hold the truth")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    chart.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
