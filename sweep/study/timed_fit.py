"""Time a candidate: train it on a few rows, first to trace its graph, then to measure it."""

from __future__ import annotations

import time
from contextlib import redirect_stdout
from dataclasses import dataclass, fields
from functools import partial
from io import StringIO
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.evaluation.cross_validation import EvaluationRequest, SearchData
from sweep.evaluation.estimator import make_estimator
from sweep.evaluation.estimator_fits import evaluate_with
from sweep.evaluation.pipeline_parts import parts_of
from sweep.evaluation.repeatability import why_unrepeatable
from sweep.evaluation.shared_steps import data_of
from sweep.evaluation.split_checks import held_out_shares

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sweep.datasets import Dataset
    from sweep.search.splits import Split
    from sweep.spec import StudySpec

PROBE_ROWS = 1000
LONG_SECONDS = 1.5
"""A fit of one epoch that takes longer is measured once; a shorter one with more epochs."""

MOST_EPOCHS = 8


@dataclass(frozen=True)
class Pace:
    """Seconds that a model takes.

    Attributes
    ----------
    build : float
        To build and trace it, once in each process.
    fit : float
        To start and end a fit.
    epoch : float
        In each epoch, for any number of rows.
    row : float
        In each epoch for each training row; scoring included.
    """

    build: float
    fit: float
    epoch: float
    row: float

    def of_fit(self, rows: float, epochs: float) -> float:
        """Return the seconds of a fit whose model has been traced."""
        return self.fit + epochs * (self.epoch + self.row * rows)


def between(paces: Sequence[tuple[float, Pace]], cost: float) -> Pace:
    """Interpolate the pace of a model of some cost from the costs and paces of a few."""
    known = sorted({cost for cost, _ in paces})

    def at(name: str) -> float:
        alike = [[getattr(pace, name) for held, pace in paces if held == each] for each in known]
        return float(np.interp(cost, known, [np.mean(each) for each in alike]))

    return Pace(**{field.name: at(field.name) for field in fields(Pace)})


def time_fit(
    spec: StudySpec,
    params: Mapping[str, Any],
    dataset: Dataset,
    split: Split,
    allow: Collection[str],
) -> Pace:
    """Train a candidate on rows of a split, as a search does, and return its pace.

    An error of the model is raised unchanged.
    """
    least = _least_rows(spec, len(dataset.classes))
    some = _subset(dataset, split, max(PROBE_ROWS, 2 * least))
    rows = len(some.splits[0][0])
    seconds = partial(_seconds_of_fit, spec, params, allow)
    first, one = seconds(some, 1), seconds(some, 1)
    build = max(0.0, first - one)
    if one > LONG_SECONDS or not spec.budget:
        return Pace(build, 0.0, 0.0, one / rows)
    more = max(2, min(MOST_EPOCHS, round(LONG_SECONDS / one)))
    epoch = max(0.0, seconds(some, 1 + more) - one) / more
    few = _subset(dataset, split, max(least, rows // 4))
    few_rows = len(few.splits[0][0])
    short = max(0.0, seconds(few, 1 + more) - seconds(few, 1)) / more
    row = max(0.0, epoch - short) / max(1, rows - few_rows)
    return Pace(build, max(0.0, one - epoch), max(0.0, epoch - row * rows), row)


def try_fit(
    spec: StudySpec,
    params: Mapping[str, Any],
    dataset: Dataset,
    split: Split,
    allow: Collection[str],
) -> None:
    """Train a candidate for an epoch on as few rows as a fit can do with.

    An error of the model is raised unchanged.
    """
    few = _subset(dataset, split, _least_rows(spec, len(dataset.classes)))
    _seconds_of_fit(spec, params, allow, few, 1)


def _seconds_of_fit(
    spec: StudySpec,
    params: Mapping[str, Any],
    allow: Collection[str],
    data: SearchData,
    epochs: int,
) -> float:
    search, parts = spec.search, parts_of(make_estimator(spec, params, allow))
    if parts.ours and parts.last.early_stopping:  # all epochs must run to be timed
        parts.last.set_params(n_iter_no_change=epochs)
    through = data_of(parts, data, params, None)
    request = EvaluationRequest((epochs,), "accuracy", search.train_scores, search.curves)
    began = time.perf_counter()
    with redirect_stdout(StringIO()):  # progress bars of others' estimators
        evaluate_with(parts, spec.study.seed)(parts.last, through, request, ())
    return time.perf_counter() - began


def fitted_twice(
    spec: StudySpec,
    params: Mapping[str, Any],
    dataset: Dataset,
    split: Split,
    allow: Collection[str],
) -> str:
    """Return why two fits of a candidate under one seed differ; empty where they do not."""
    parts = parts_of(make_estimator(spec, params, allow))
    data = SearchData(dataset.x_train, dataset.y_train, [split])
    with redirect_stdout(StringIO()):
        return why_unrepeatable(parts, data, spec.study.seed)


def _least_rows(spec: StudySpec, n_classes: int) -> int:
    """Return the least number of rows for a fit, also for one that holds out some of them."""
    sides = [min(share, 1 - share) for share in held_out_shares(spec)]
    return max([2, *(ceil(n_classes / side) + 1 for side in sides)])


def warm_up() -> None:
    """Load TensorFlow and train a tiny model, so that the first candidate's time is without it."""
    from sweep.estimators import KerasMLPClassifier

    x = np.zeros((4, 2), np.uint8)
    KerasMLPClassifier(hidden_size=1, epochs=1, random_state=0).fit(x, [0, 1, 0, 1]).predict(x)


def _subset(dataset: Dataset, split: Split, most: int) -> SearchData:
    """Return at most a number of training rows of a split, and held-out rows in proportion."""
    train, test = (np.asarray(each) for each in split)
    share = min(1.0, most / len(train))
    chosen = [_random_rows(dataset.y_train, each, share) for each in (train, test)]
    rows = np.concatenate(chosen)
    places = np.split(np.arange(len(rows)), [len(chosen[0])])
    return SearchData(dataset.x_train[rows], dataset.y_train[rows], [(places[0], places[1])])


def _random_rows(y: np.ndarray, rows: np.ndarray, share: float) -> np.ndarray:
    """Return a random share of rows, at least two of each class."""
    shuffled = np.random.default_rng(0).permutation(rows)
    labels = y[shuffled]
    firsts = np.concatenate([np.flatnonzero(labels == label)[:2] for label in np.unique(labels)])
    rest = np.setdiff1d(np.arange(len(shuffled)), firsts)
    left = max(0, round(share * len(rows)) - len(firsts))
    chosen: np.ndarray = shuffled[np.concatenate([firsts, rest[:left]])]
    return chosen
