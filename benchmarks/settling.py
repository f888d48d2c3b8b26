"""What a race promises and saves, simulated: how often it errs, and what even spending costs.

    python benchmarks/settling.py [--runs 2000] [--kinds worst] [--candidates 2 10]

Scores of splits have exactly the correlation that Nadeau and Bengio (2003) assume, 0 to 0.7; 5
splits are the search, up to 20 repeats of 5 follow. ``spread``: candidates spread normally around
each other. ``worst``: all but the best lie just beyond the margin, where a race errs most.
``uneven``: so too, and the noise of candidates differs by up to three to one. *Wrong*: the truly
best is called worse, or one that is below it by more than the margin is called as good. *Evenly*:
the fits until the same looks say the same if every candidate gets as many repeats as any.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from common import heading_only

from sweep.analysis.racing import Rules, race

SPLITS, REPEATS = 5, 20
LOOKS = tuple(SPLITS * (1 + repeat) for repeat in range(REPEATS + 1))
CORRELATIONS, CANDIDATES = (0.0, 0.2, 0.5, 0.7), (2, 10, 50, 200)

KINDS = ("spread", "worst", "uneven")


@dataclass
class Tally:
    """Shares of studies, and fits beyond the search: of the race, and spent evenly."""

    wrong: float
    settled: float
    fits: float
    even: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--candidates", nargs="+", type=int, default=CANDIDATES)
    asked = parser.parse_args()
    runs = asked.runs
    heading_only(f"races: {runs} studies a line")
    for kind in asked.kinds:
        print(f"\n{kind}\n\n| correlation | candidates | wrong | settled | further fits | evenly |")
        print("| --- | --- | --- | --- | --- | --- |")
        for correlation in CORRELATIONS:
            for candidates in asked.candidates:
                found = simulated(kind, correlation, candidates, runs)
                print(
                    f"| {correlation} | {candidates} | {found.wrong:.2%} | {found.settled:.0%} "
                    f"| {found.fits:,.0f} | {found.even:,.0f} |",
                    flush=True,
                )


def simulated(kind: str, correlation: float, candidates: int, runs: int, seed: int = 0) -> Tally:
    """Run so many studies of one kind."""
    rng, margin = np.random.default_rng(seed), margin_at(correlation)
    rules = Rules(correlation / (1 - correlation), margin, LOOKS[-1])
    deviations = np.linspace(1.5, 0.5, candidates) if kind == "uneven" else np.ones(candidates)
    totals = np.zeros(4)
    for _ in range(runs):
        true = truths(rng, kind, candidates, margin)
        found = race(scores_of(rng, true, deviations, correlation), LOOKS, rules)
        far = true < true.max() - margin
        wrong = (found.as_good & far).any() or found.worse[true.argmax()]
        even = candidates * SPLITS * (found.looks - 1)
        totals += wrong, found.settled, (found.splits - SPLITS).sum(), even
    return Tally(*map(float, totals / runs))


def margin_at(correlation: float) -> float:
    """Return a margin that some races can settle: what splits share bounds what repeats tell."""
    return 0.5 + 4 * correlation


def truths(rng: np.random.Generator, kind: str, candidates: int, margin: float) -> np.ndarray:
    """Return the true means, the best one 0."""
    if kind != "spread":
        return np.where(np.arange(candidates) == 0, 0.0, -1.02 * margin)
    drawn = 2 * margin * rng.normal(size=candidates)
    return drawn - drawn.max()


def scores_of(
    rng: np.random.Generator, true: np.ndarray, deviations: np.ndarray, correlation: float
) -> np.ndarray:
    """Return scores by candidate and split: around the truth, with splits' luck."""
    shape = (len(true), LOOKS[-1])
    shared = correlation**0.5 * rng.normal(size=(len(true), 1))
    own = (1 - correlation) ** 0.5 * rng.normal(size=shape)
    return true[:, None] + deviations[:, None] * (shared + own) + rng.normal(size=shape[1])


if __name__ == "__main__":
    main()
