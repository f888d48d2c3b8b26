"""Best validation accuracy on a part of CIFAR-10 after one, two and five minutes.

python benchmarks/search_cifar10.py --peer-python peers/bin/python [--seconds 300] [--seeds 0 1 2]

The task is cifar10.toml; every side has the same space, rows, seeds and wall budget, importing
included, and takes turns. Prints each run's best and the medians. Exits with 1 where our median is
not ahead of every other one at each moment.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from common import heading_only
from search import OURS, Curve, best, run

MOMENTS = (60.0, 120.0, 300.0)
SIDES = (OURS, "Optuna TPE, hyperband", "KerasTuner Hyperband")


def main() -> None:
    """Run all sides for every seed, and print."""
    asked = arguments()
    at = [moment for moment in MOMENTS if moment <= asked.seconds]
    heading_only(f"{asked.seconds:.0f} s each, seeds {asked.seeds}; best after {at} s")
    found: dict[str, list[list[float]]] = {name: [] for name in SIDES}
    for seed in asked.seeds:
        for name, rows in found.items():
            curve = run(name, seed, asked, "cifar10.toml", "cifar10")
            rows.append([best_until(curve, moment) for moment in at])
            print(f"  seed {seed} {name:24s} {shown(rows[-1])}", flush=True)
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in found.items()
    }
    for name, row in medians.items():
        print(f"{name:31s} {shown(row)}")
    others = [max(column) for column in zip(*(medians[n] for n in SIDES[1:]), strict=True)]
    ahead = all(ours > other for ours, other in zip(medians[OURS], others, strict=True))
    print("ahead at each moment" if ahead else "not ahead at each moment")
    sys.exit(int(not ahead))


def best_until(curve: Curve, moment: float) -> float:
    """Return the best score of a curve until a moment; 0 without one."""
    return best([point for point in curve if point[0] <= moment])


def shown(scores: list[float]) -> str:
    """Return scores in a line."""
    return " ".join(f"{score:8.4f}" for score in scores)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    return parser.parse_args()


if __name__ == "__main__":
    main()
