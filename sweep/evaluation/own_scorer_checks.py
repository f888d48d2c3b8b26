"""Try scorers of a person's own on made-up predictions, before anything trains."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.evaluation.own_scorers import NoEstimatorError
from sweep.evaluation.scoring import Scoring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from sweep.datasets import Dataset
    from sweep.search.splits import Split


def own_scorer_problems(
    own: Mapping[str, Any], dataset: Dataset, splits: Sequence[Split]
) -> Iterator[str]:
    """Find scorers that fail on what the first split holds out.

    Parameters
    ----------
    own : mapping of str to callable
        The scorers, by their names in the study file.
    dataset : Dataset
        The study's data.
    splits : sequence of (train, test)
        The study's splits.
    """
    rows = splits[0][1]
    for name, scorer in own.items():
        scoring = Scoring(name, dataset.y_train, dataset.positive, {name: scorer})
        if why := _refusal(scoring, _Some(dataset.x_train, rows), dataset.y_train[rows]):
            yield (
                f'search.scoring: "{name}" cannot score a made-up prediction of what split 1 holds '
                f"out: {why}"
            )


class _Some:
    """Some rows of a dataset, read when they are asked for: they may be too many to hold."""

    def __init__(self, x: Any, rows: NDArray[Any]) -> None:
        self._x, self._rows = x, rows

    def __getitem__(self, few: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = np.asarray(self._x[np.sort(self._rows[few])])
        return found[np.argsort(np.argsort(self._rows[few]))]


def _refusal(scoring: Scoring, x: Any, y: NDArray[Any]) -> str:
    """Return why a scorer fails; empty where one of two predictions works.

    One that asks the estimator for more than a prediction cannot be tried.
    """
    why = ""
    for turn in (0, 1):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                if math.isfinite(scoring.trial_score(x, y, turn)):
                    return ""
            except NoEstimatorError:
                return ""
            except Exception as error:  # noqa: BLE001 - it is the person's code
                why = f"{type(error).__name__}: {error}"
            else:
                why = why or "it returns no finite number"
    return why
