"""The tutorials of examples/tutorials: plain Keras loops against studies, settings by settings.

python benchmarks/tutorials.py [--seeds 3] [--whole] [--only optimizer ...]

Each study runs over the first and the last value of its last parameter, the others at their middle
value (``--whole``: over all), with a quarter of the rows held out and several seeds. The same
settings are trained as the tutorial would: the same function, ``model.fit``, ``model.evaluate`` on
the same held-out rows, under as many seeds. The two draw other initial weights and other orders of
the rows, so that their scores differ by chance: for each candidate Welch's t-test over the seeds
gives p, and over all candidates the mean difference stands beside its standard error. Exits with 1
if a p is below 0.01 over the number of candidates, or the mean difference beyond two standard
errors and 0.005.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import heading_only
from scipy.stats import ttest_ind

from sweep import load_dataset, load_study, run_study
from sweep.search.splits import make_splits

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "tutorials"
MODULES = ("grid_tutorial", "tuner_tutorial")
SURE, MOST_ERRORS, SMALL = 0.01, 2.0, 0.005


@dataclass(frozen=True)
class Pair:
    """One candidate: a score for each seed, of the plain loop and of sweep."""

    settings: dict[str, Any]
    plain: list[float]
    ours: list[float]

    @property
    def difference(self) -> float:
        """Mean of ours less mean of the plain loop."""
        return statistics.fmean(self.ours) - statistics.fmean(self.plain)

    @property
    def error(self) -> float:
        """Standard error of the difference."""
        sides = (self.plain, self.ours)
        return math.sqrt(sum(statistics.variance(side) / len(side) for side in sides))

    @property
    def p(self) -> float:
        """Chance of so large a difference where there is none."""
        if not self.error:
            return float(abs(self.difference) < SMALL)
        return float(ttest_ind(self.plain, self.ours, equal_var=False).pvalue)


def main() -> None:
    """Run both sides of every study, print each candidate, and judge."""
    asked = arguments()
    sys.path.insert(0, str(FOLDER))
    heading_only(f"{asked.seeds} seeds; candidate, held-out accuracy")
    print(f"{'':52s} {'plain Keras':>15s} {'sweep':>15s}  difference", flush=True)
    pairs = []
    for path in sorted(FOLDER.glob("*.toml")):
        if not asked.only or path.stem in asked.only:
            print(path.stem)
            for pair in compared(path, asked):
                print(line(pair), flush=True)
                pairs.append(pair)
    sys.exit(int(not judged(pairs)))


def compared(path: Path, asked: argparse.Namespace) -> Iterator[Pair]:
    """Run a study, then the plain loop over its candidates."""
    spec = load_study(path)
    changes = [f"search.seeds={asked.seeds}", "search.refit=false"]
    if spec.search.method == "grid":
        changes += ["search.cv=", "search.validation=0.25"]
        few = {} if asked.whole else few_values(spec.space.dimensions)
        changes += [f"space.{name}={json.dumps(values)}" for name, values in few.items()]
    elif not asked.whole:
        changes.append("search.trials=3")
    spec = load_study(path, set_=changes)
    with tempfile.TemporaryDirectory() as folder:
        result = run_study(spec, allow=MODULES, storage=f"{folder}/ledger.db")
        for row in result.record.candidates:
            ours = [
                statistics.fmean(s.test[row.epoch] for s in row.trial.splits if s.seed == seed)
                for seed in range(asked.seeds)
            ]
            yield Pair(dict(row.params), plain_scores(spec, row.params, asked.seeds), ours)


def few_values(space: Any) -> dict[str, list[Any]]:
    """Return the ends of the last parameter, and the middle value of the others."""
    few = {name: [each.values[len(each.values) // 2]] for name, each in space.items()}
    last = list(space)[-1]
    return {**few, last: [space[last].values[0], space[last].values[-1]]}


def plain_scores(spec: Any, params: Any, seeds: int) -> list[float]:
    """Return the mean score over the splits for each seed, as a loop in plain Keras has it."""
    import keras

    module, _, name = spec.model.factory.partition(":")
    create_model = getattr(__import__(module), name)
    settings = {**spec.model.params, **params}
    fitted = {n: settings.pop(n) for n in ("epochs", "batch_size") if n in settings}
    data = load_dataset("digits", train_rows=spec.data.train_rows)
    x, y = data.x_train.astype("float32") / 255, data.y_train
    scores = []
    for seed in range(seeds):
        found = []
        for train, held_out in make_splits(spec, y):
            keras.utils.set_random_seed(seed)
            model = create_model(**settings)
            one_hot = "sparse" not in model.loss
            labels = keras.utils.to_categorical(y, 10) if one_hot else y
            model.fit(x[train], labels[train], verbose=0, **fitted)
            found.append(model.evaluate(x[held_out], labels[held_out], verbose=0)[1])
            keras.backend.clear_session()
        scores.append(statistics.fmean(found))
    return scores


def line(pair: Pair) -> str:
    """Return one line of the table."""
    named = " ".join(f"{name}={shown(value)}" for name, value in pair.settings.items())
    sides = " ".join(
        f"{statistics.fmean(side):7.4f} \N{PLUS-MINUS SIGN}{statistics.stdev(side):6.4f}"
        for side in (pair.plain, pair.ours)
    )
    return f"  {named[:50]:50s} {sides}  {pair.difference:+.4f}, p {pair.p:.2f}"


def shown(value: Any) -> str:
    """Return a value in few letters."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def judged(pairs: list[Pair]) -> bool:
    """Print the mean difference; return whether all is within noise."""
    mean = statistics.fmean(pair.difference for pair in pairs)
    error = math.sqrt(sum(pair.error**2 for pair in pairs)) / len(pairs)
    least = min(pair.p for pair in pairs)
    print(
        f"{len(pairs)} candidates: mean difference {mean:+.4f}, its standard error {error:.4f}; "
        f"smallest p {least:.3f}, largest difference "
        f"{max(abs(pair.difference) for pair in pairs):.4f}"
    )
    return abs(mean) <= max(MOST_ERRORS * error, SMALL) and least >= SURE / len(pairs)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Tutorials: plain Keras against studies.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    return parser.parse_args()


if __name__ == "__main__":
    main()
