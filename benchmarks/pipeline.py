"""Our grid over a pipeline against GridSearchCV over the same pipeline.

python benchmarks/pipeline.py --peer-python peers/bin/python [--repeats 3]

StandardScaler, PCA and a network on MNIST's first 6,000 rows, 12 candidates, 5 splits: `sweep run`
against GridSearchCV with SciKeras as the last step, and with our classifier as the last step. With
SWEEP_DATA_HOME naming a folder with mnist.npz. The sides take turns, and the better of n_jobs 1
and 2 counts for GridSearchCV. Exits with 1 unless all scores agree within 0.015.
"""

from __future__ import annotations

import argparse
import sys

from common import AGREE, HERE, Timing, disagreement, heading, median, ours, peer, show, verdict

TARGETS = {"scikeras": (6, 8), "our classifier": (1.5, 2)}
"""How many times as long GridSearchCV takes: at least, and aimed at."""


def main() -> None:
    """Run the sides in turn, print medians and ratios."""
    asked = arguments()
    study = str(HERE / "pipeline.toml")
    sides = {"sweep": lambda: ours(study, *asked.set, allow="pipeline_model")}
    for jobs in asked.jobs:
        for name, python, kind in (
            ("scikeras", asked.peer_python, "scikeras"),
            ("our classifier", sys.executable, "sweep"),
        ):
            sides[f"{name}, n_jobs={jobs}"] = lambda python=python, kind=kind, jobs=jobs: peer(
                python, "pipeline_grid.py", kind, jobs
            )
    heading(f"pipeline: {asked.repeats} rounds, medians")
    runs: dict[str, list[Timing]] = {name: [] for name in sides}
    for _ in range(asked.repeats):
        for name, run in sides.items():
            runs[name].append(run())
            show(f"  {name}", runs[name][-1])
    report({name: median(timings) for name, timings in runs.items()})


def report(medians: dict[str, Timing]) -> None:
    """Print the medians, the ratios and whether the scores agree; exit with 1 if they do not."""
    for name, run in medians.items():
        show(name, run)
    for kind, (least, aim) in TARGETS.items():
        best = min(run.whole for name, run in medians.items() if name.startswith(kind))
        ratio = best / medians["sweep"].whole
        verdict(f"sweep against GridSearchCV with {kind}", ratio, least, aim)
    worst = max(disagreement(medians["sweep"], run) for run in medians.values())
    print(f"largest difference between mean scores: {worst:.4f} (allowed {AGREE})")
    sys.exit(int(worst > AGREE))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--set", action="append", default=[], help="a change to our study")
    return parser.parse_args()


if __name__ == "__main__":
    main()
