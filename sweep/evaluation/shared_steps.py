"""The steps of a pipeline before its last one: fitted once per split, shared by candidates.

A step is fitted again only where a parameter of it or of a step before it differs. What it hands
on is kept as long as there is room, and handed over as a copy, so that a step which changes its
rows in place changes nobody else's. Each step is fitted as scikit-learn's ``Pipeline`` does.
"""

from __future__ import annotations

import copy
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweep.datasets.mapped_rows import MappedRows
from sweep.errors import ModelError
from sweep.evaluation.cross_validation import SearchData, SplitRows
from sweep.evaluation.own_estimator import seed_names, with_seed
from sweep.evaluation.pipeline_parts import Parts, unfitted
from sweep.spaces import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOM = 256 * 2**20
"""Most bytes of what the steps of one worker have handed on."""


class Handed(NamedTuple):
    """What a fitted step hands on of a split's rows.

    Also the seconds that fitting it took, and the milliseconds of 1,000 rows through it.
    """

    train: Any
    test: Any
    seconds: float
    ms: float


class SharedSteps:
    """What steps have handed on, by split and parameters; the longest unused goes first.

    Parameters
    ----------
    room : int
        Most bytes; 0 keeps nothing.
    """

    def __init__(self, room: int = ROOM) -> None:
        self.room, self.fits = room, 0
        self._kept: OrderedDict[str, Handed] = OrderedDict()
        self._bytes = 0

    def handed(self, step: Any, key: str, before: tuple[Any, Any], y: Any) -> Handed:
        """Return what a step hands on; fit it to the training rows where that is not kept.

        Parameters
        ----------
        step : transformer
            Unfitted.
        key : str
            Identifies the split, this step and those before it, and their parameters.
        before : tuple of array-like
            Training and held-out rows as the step gets them.
        y : array-like
            Labels of the training rows.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return _copied(self._kept[key])
        began = time.perf_counter()
        fitted, train = fit_step(step, before[0], y)
        ended = time.perf_counter()
        self.fits += 1
        test = fitted.transform(before[1])
        spent = time.perf_counter() - ended
        found = Handed(train, test, ended - began, spent * 1e6 / len(before[1]))
        return _copied(found) if self._keep(key, found) else found

    def _keep(self, key: str, found: Handed) -> bool:
        size = _bytes_of(found)
        if size is None or size > self.room:
            return False
        self._kept[key] = found
        self._bytes += size
        while self._bytes > self.room:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _bytes_of(oldest) or 0
        return key in self._kept


@dataclass(frozen=True)
class PipelineData(SearchData):
    """The rows of a search as the last step of one candidate gets them.

    Attributes
    ----------
    parts : Parts
        The candidate's pipeline, unfitted.
    params : mapping of str to value
        The candidate's searched parameters.
    shared : SharedSteps or None
        What other candidates' steps have handed on.
    """

    parts: Parts | None = None
    params: Mapping[str, Any] | None = None
    shared: SharedSteps | None = None

    def rows(self, split: int, seed: int = 0) -> SplitRows:
        """Return the rows of a split after the steps, fitted to its training rows."""
        found, shared = in_memory(super().rows(split, seed)), self.shared or SharedSteps(0)
        train, test = (np.asarray(rows) for rows in self.splits[split])
        identity = hashlib.sha256(train.tobytes() + b"|" + test.tobytes()).hexdigest()
        names: list[str] = []
        seconds, ms, seeded = 0.0, 0.0, False
        for name, step in self.parts.steps if self.parts else ():
            names.append(name)
            fresh = with_seed(unfitted(step), seed)
            seeded = seeded or bool(seed_names(fresh))
            decides = {"steps": list(names), "params": self._of_steps(names)}
            key = canonical({"split": identity, "seed": seed * seeded, **decides})
            handed = shared.handed(fresh, key, (found.x_train, found.x_held), found.y_train)
            seconds, ms = seconds + handed.seconds, ms + handed.ms
            found = found._replace(x_train=handed.train, x_held=handed.test)
        return found._replace(seconds=seconds, prepare_ms=ms)

    def _of_steps(self, names: Sequence[str]) -> dict[str, Any]:
        given = self.params or {}
        return {name: value for name, value in given.items() if name.partition("__")[0] in names}


def in_memory(rows: SplitRows) -> SplitRows:
    """Return rows as arrays: what is not sweep's does not read them piece by piece."""
    return rows._replace(x_train=as_array(rows.x_train), x_held=as_array(rows.x_held))


def as_array(x: Any) -> Any:
    """Return rows on the disk as an array; others as they are."""
    return np.asarray(x) if isinstance(x, MappedRows) else x


def fit_step(step: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Fit a step as scikit-learn's ``Pipeline`` does; return it, and what it hands on of ``x``."""
    if hasattr(step, "fit_transform"):
        return step, step.fit_transform(x, y)
    fitted = step.fit(x, y)
    return fitted, fitted.transform(x)


def data_of(
    parts: Parts, data: SearchData, params: Mapping[str, Any], shared: SharedSteps | None
) -> SearchData:
    """Return the rows of a search for a candidate: through its steps, if it has some."""
    if not parts.steps:
        return data
    return PipelineData(
        data.x, data.y, data.splits, data.positive, parts=parts, params=dict(params), shared=shared
    )


def alone(data: SearchData, rows: SplitRows) -> SearchData:
    """Return the rows of one split as the data of a search with that split only.

    Raises
    ------
    ModelError
        If the steps hand on a sparse matrix, which no Keras model takes.
    """
    if _size(rows.x_train) is not None and not isinstance(rows.x_train, np.ndarray):
        raise ModelError(
            "the steps hand on a sparse matrix, and a classifier of sweep's takes arrays; have the "
            "step give one (sparse_output=False, sparse_threshold=0)"
        )
    x = np.concatenate([np.asarray(rows.x_train), np.asarray(rows.x_held)])
    y = np.concatenate([rows.y_train, rows.y_held])
    train, test = np.split(np.arange(len(y)), [len(rows.y_train)])
    return SearchData(x, y, [(train, test)], data.positive)


def _copied(found: Handed) -> Handed:
    return found._replace(train=copy.copy(found.train), test=copy.copy(found.test))


def _bytes_of(found: Handed) -> int | None:
    """Return how much memory it takes; None for what is neither array nor sparse matrix."""
    sizes = [_size(each) for each in (found.train, found.test)]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _size(value: Any) -> int | None:
    from scipy.sparse import issparse

    if isinstance(value, np.ndarray):
        return value.nbytes
    if issparse(value):
        return sum(getattr(value, name).nbytes for name in ("data", "indices", "indptr"))
    return None
