"""Best validation accuracy over time: ours with hyperband against loops written by hand.

python benchmarks/search.py --peer-python peers/bin/python [--seconds 120] [--seeds 0 1 2 3 4]

The task is mnist_cnn.toml; every side has the same space, rows, seeds and wall budget, importing
included, and takes turns. Prints every run's time to 0.97 (not reached counts as the whole budget)
and best, the medians and the ratios, and draws the curves to benchmarks/search.svg. Exits with 1
below 2.5 times sooner than the best of the others, or 5 times sooner than plain TPE.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from common import HERE, heading_only, timed, verdict

if TYPE_CHECKING:
    from sweep.ledger.records import TrialRecord

ENOUGH = 0.97
PEERS = {
    "Optuna TPE, Keras fit": "tpe",
    "Optuna TPE, hyperband": "hyperband",
    "KerasTuner Hyperband": "keras_tuner",
}
OURS = "sweep, hyperband"
Curve = list[tuple[float, float]]


def main() -> None:
    """Run all sides for every seed, print and draw."""
    asked = arguments()
    heading_only(f"{asked.seconds:.0f} s each, seeds {asked.seeds}; seconds to {ENOUGH}, best")
    curves: dict[str, list[Curve]] = {name: [] for name in (OURS, *PEERS)}
    for seed in asked.seeds:
        for name, runs in curves.items():
            runs.append(run(name, seed, asked))
            reached = time_to(runs[-1], asked.seconds)
            print(f"  seed {seed} {name:24s} {reached:7.1f} {best(runs[-1]):8.4f}", flush=True)
    medians = {}
    for name, runs in curves.items():
        medians[name] = statistics.median(time_to(curve, asked.seconds) for curve in runs)
        middle = statistics.median(best(curve) for curve in runs)
        print(f"{name:31s} {medians[name]:7.1f} {middle:8.4f}")
    draw(curves, asked.seconds)
    ours, plain = medians[OURS], medians["Optuna TPE, Keras fit"]
    others = min(value for name, value in medians.items() if name != OURS)
    reached = verdict("sooner than the best of the others", others / ours, 2.5, 2.5)
    reached &= verdict("sooner than a plain TPE loop", plain / ours, 5, 5)
    sys.exit(int(not reached))


def run(
    name: str, seed: int, asked: argparse.Namespace, study: str = "mnist_cnn.toml",
    task: str = "mnist",
) -> Curve:  # fmt: skip
    """Return seconds since the start and validation accuracy, as often as it was measured."""
    if name == OURS:
        return ours(seed, asked.seconds, study)
    line = [asked.peer_python, str(HERE / "peers" / "search_loops.py"), PEERS[name], str(seed)]
    _, _, out = timed([*line, str(asked.seconds), task], str(HERE / "peers"))
    return [(at, score) for at, score in json.loads(out.splitlines()[-1])["curve"]]


def ours(seed: int, seconds: float, study: str) -> Curve:
    """Run the shipped command; read every score and its moment from its ledger."""
    from sweep import open_study

    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "sweep", "run", str(HERE / study)]
        line += ["--set", f"study.seed={seed}", "--set", f'search.timeout="{seconds:.0f}s"']
        began = time.time()
        timed(line, folder)
        name = study.removesuffix(".toml").replace("_", "-")
        trials = open_study(name, f"{folder}/.sweep/ledger.db").record.trials
    curve = [point for trial in trials for point in moments(trial, began)]
    return sorted((at, score) for at, score in curve if at <= seconds)


def moments(trial: TrialRecord, began: float) -> Curve:
    """Return when a trial was scored each time, counted back from the moment it was recorded.

    What it goes on from, an earlier trial has measured at an earlier moment.
    """
    if trial.finished is None:
        return []
    ended = trial.finished.timestamp() - began
    return [
        (ended - (max(split.seconds.values()) - split.seconds[epoch]), score)
        for split in trial.splits
        for epoch, score in split.test.items()
    ]


def time_to(curve: Curve, budget: float) -> float:
    """Return when a curve first reaches what is enough; the whole budget if it never does."""
    return next((at for at, score in curve if score >= ENOUGH), budget)


def best(curve: Curve) -> float:
    """Return the best score of a curve."""
    return max((score for _, score in curve), default=0.0)


def draw(curves: dict[str, list[Curve]], seconds: float) -> None:
    """Draw the median over seeds of the best score so far."""
    import numpy as np
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    grid = np.arange(0, seconds + 1)
    for name, runs in curves.items():
        so_far = [[best([p for p in curve if p[0] <= at]) for at in grid] for curve in runs]
        axes.step(grid, np.median(so_far, axis=0), where="post", label=name)
    axes.axhline(ENOUGH, color="gray", linestyle=":")
    axes.set(xlabel="seconds, importing included", ylabel="best validation accuracy, median")
    axes.set_ylim(0.8, 1.0)
    axes.legend(loc="lower right")
    figure.savefig(Path(HERE) / "search.svg", metadata={"Date": None})


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    return parser.parse_args()


if __name__ == "__main__":
    main()
