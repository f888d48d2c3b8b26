"""``GridSearchCV.cv_results_`` and its like, as a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any

import numpy as np

from sweep.importing.found import MOST_PARAMETERS, MOST_SPLITS, FoundStudy
from sweep.importing.problems import Problems, refused, shown
from sweep.importing.space import space_of, unmixed
from sweep.importing.values import literal, plain_value, read_number, read_value, scorer_name
from sweep.ledger.imported import EndedTrial
from sweep.ledger.records import SplitResult
from sweep.spec.scorers import SCORERS
from sweep.support.suggestion import suggestion

MEAN, PARAM = "mean_test_", "param_"
OF_SPLIT = re.compile(r"split(\d{1,6})_test_(.+)")
NEAR = 1e-6
"""How far a mean may lie from its splits', as a share of it: files round."""
RESOURCES = "n_resources"
"""The column in which a halving search says how much a candidate was given."""


@dataclass(frozen=True)
class Splitting:
    """What a caller knows of the splits that the table does not say.

    Attributes
    ----------
    rows : sequence of int
        Rows held out in each split; empty where nobody knows.
    repeats : int
        How often the cross-validation was repeated.
    grouped : bool
        Whether rows of one group stayed together.
    """

    rows: Sequence[int] = ()
    repeats: int = 1
    grouped: bool = False


def is_cv_results(row: Mapping[str, Any]) -> bool:
    """Return whether a table's columns are those of ``cv_results_``."""
    return any(name.startswith(MEAN) for name in row) and any(
        name == "params" or name.startswith(PARAM) for name in row
    )


def from_cv_results(
    rows: Sequence[Mapping[str, Any]],
    source: str,
    *,
    score: str | None = None,
    scoring: str | None = None,
    minimize: bool = False,
    tool: str = "scikit-learn",
    splitting: Splitting | None = None,
) -> FoundStudy:
    """Read the rows of ``cv_results_``.

    Parameters
    ----------
    rows : sequence of mapping
        One a candidate.
    source : str
        The file, for messages.
    score : str, optional
        Of several scores the one that ranks: ``"f1"`` of ``mean_test_f1``.
    scoring : str, optional
        The scorer behind ``mean_test_score``, where the caller knows it.
    minimize : bool
        Whether lower scores are better.
    tool : str
        What searched.
    splitting : Splitting, optional
        What is known of the splits.

    Raises
    ------
    ImportFileError
        With everything that is wrong.
    """
    problems, known = Problems(source), splitting or Splitting()
    metrics = _metrics(rows[0], source, score)
    splits = _splits(rows[0], source, metrics)
    params = _all_params(rows, source)
    if splits and len(splits) % known.repeats:
        rule = f"{len(splits)} splits are no {known.repeats} repeats of a cross-validation"
        raise refused(source, f"--repeats: {rule}")
    names = _names(metrics, scoring, minimize=minimize)
    most = _most_resources(rows)
    trials = []
    for number, (row, each) in enumerate(zip(rows, params, strict=True)):
        reader = _Row(row, f"row {number + 1}", problems)
        trials.append(
            reader.trial(each, metrics, names, splits, known, minimize=minimize, most=most)
        )
    problems.check()
    folds = len(splits) // known.repeats
    return FoundStudy(
        tool=tool,
        source=source,
        scores=tuple(names[metric] for metric in metrics),
        trials=tuple(trials),
        space=space_of([trial.params for trial in trials]),
        folds=folds if folds > 1 else None,
        repeats=known.repeats if folds > 1 else 1,
        grouped=known.grouped,
        notes=tuple(_notes(splits, metrics, minimize=minimize, halving=most is not None)),
    )


def _metrics(row: Mapping[str, Any], source: str, score: str | None) -> list[str]:
    """Return the scores of the table, the one that ranks first."""
    found = [name.removeprefix(MEAN) for name in row if name.startswith(MEAN)]
    if not found:
        raise refused(source, "there is no column mean_test_score, as cv_results_ has it")
    first = score or (found[0] if len(found) == 1 else None)
    if first is None:
        raise refused(source, f"say which score ranks: --score, one of {', '.join(found)}")
    if first not in found:
        hint = suggestion(first, found) or f" There are: {', '.join(found)}"
        raise refused(source, f"--score: there is no column {MEAN}{first}.{hint}")
    return [first, *(name for name in found if name != first)]


def _splits(row: Mapping[str, Any], source: str, metrics: Sequence[str]) -> list[int]:
    found = [match for name in row if (match := OF_SPLIT.fullmatch(name))]
    numbers = sorted({int(m[1]) for m in found if m[2] == metrics[0]})
    if numbers != list(range(len(numbers))):
        raise refused(source, f"the splits must count from 0 without gaps, got {numbers[:20]}")
    if len(numbers) > MOST_SPLITS:
        raise refused(source, f"must have at most {MOST_SPLITS:,} splits, got {len(numbers):,}")
    lacking = [
        name
        for metric in metrics
        for name in (f"split{i}_test_{metric}" for i in numbers)
        if name not in row
    ]
    if lacking:
        raise refused(source, f"there is no column {lacking[0]}, though others of that split")
    return numbers


def _names(metrics: Sequence[str], scoring: str | None, *, minimize: bool) -> dict[str, str]:
    names: dict[str, str] = {}
    for place, metric in enumerate(metrics):
        said = scoring if scoring and len(metrics) == 1 else metric
        # whether a further score is to be minimized nobody has said: it is shown as it is
        name = scorer_name(said, SCORERS, minimize=minimize and not place)
        while name in names.values():
            name += "_"
        names[metric] = name
    return names


def _all_params(rows: Sequence[Mapping[str, Any]], source: str) -> list[dict[str, Any]]:
    columns = [name for name in rows[0] if name.startswith(PARAM)]
    whole = [_whole_params(row.get("params")) for row in rows]
    if all(each is not None for each in whole):
        found = [dict(each or {}) for each in whole]
    elif columns:
        found = [_cells(row, columns) for row in rows]
    else:
        raise refused(source, "there are no columns param_..., and params cannot be read")
    plain = [{str(n): plain_value(v) for n, v in each.items()} for each in found]
    names = {name for each in plain for name in each}
    if not names:
        raise refused(source, "no candidate has a parameter")
    if len(names) > MOST_PARAMETERS:
        raise refused(source, f"must have at most {MOST_PARAMETERS} parameters, got {len(names)}")
    return unmixed(plain)


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """Return the parameters of a row from its columns; an empty cell is none."""
    given = {name: row.get(name) for name in columns if _is_given(row.get(name))}
    return {
        name.removeprefix(PARAM): read_value(value) if isinstance(value, str) else value
        for name, value in given.items()
    }


def _is_given(value: Any) -> bool:
    missing = isinstance(value, float) and isnan(value)
    return not (value is None or value == "" or missing)


def _whole_params(value: Any) -> Mapping[str, Any] | None:
    """Return ``params`` of a row: an object of JSON, or a dict as Python writes it."""
    found = literal(value) if isinstance(value, str) else value
    return found if isinstance(found, Mapping) else None


def _most_resources(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Return what the last candidates of a halving search were given; None for other searches."""
    if "iter" not in rows[0] or RESOURCES not in rows[0]:
        return None
    given = [read_number(row.get(RESOURCES)) for row in rows]
    return max((each for each in given if each is not None and isfinite(each)), default=None)


@dataclass(frozen=True)
class _Row:
    """Reads one candidate; what is wrong goes to ``problems``."""

    row: Mapping[str, Any]
    place: str
    problems: Problems

    def number(self, name: str) -> float:
        """Return a cell as a number; NaN where it is missing or none."""
        value = read_number(self.row.get(name))
        if value is None:
            rule = f"must be a number, got {shown(self.row.get(name))}"
            self.problems.add(f"{self.place}, {name}", rule)
        return float("nan") if value is None else value

    def trial(
        self, params: Mapping[str, Any], metrics: Sequence[str], names: Mapping[str, str],
        splits: Sequence[int], known: Splitting, *, minimize: bool, most: float | None,
    ) -> EndedTrial:  # fmt: skip
        """Return the candidate as a trial."""
        first = metrics[0]
        scores = {metric: self.scores(metric, splits) for metric in metrics}
        missing = [i for i, score in enumerate(scores[first]) if not isfinite(score)]
        if missing:
            where = f" in split {', '.join(map(str, missing))}" if splits else ""
            return EndedTrial("FAIL", params, reason=f"it has no score{where}: a fit failed there")
        fit, score_time = self.seconds("mean_fit_time"), self.seconds("mean_score_time")
        sign = -1 if minimize else 1
        results = tuple(
            SplitResult(
                test={1: sign * scores[first][i]},
                train=self.train(first, i, splits, sign),
                seconds={} if fit is None else {1: fit},
                score_seconds=score_time or 0.0,
                n_test=known.rows[i] if known.rows else 0,
                split=i,
                others={
                    names[metric].rpartition(":")[2]: {1: _finite(scores[metric][i])}
                    for metric in metrics[1:]
                },
            )
            for i in range(len(scores[first]))
        )
        given = None if most is None else self.number(RESOURCES)
        if most is not None and given is not None and given < most:
            reason = f"left out after {given:g} of {most:g} resources"
            return EndedTrial("PRUNED", params, results, reason=reason)
        return EndedTrial("COMPLETE", params, results)

    def scores(self, metric: str, splits: Sequence[int]) -> list[float]:
        """Return the scores of the splits, or the mean alone; both must agree."""
        mean = self.number(f"{MEAN}{metric}")
        if not splits:
            return [mean]
        found = [self.number(f"split{i}_test_{metric}") for i in splits]
        theirs = float(np.mean(found))
        if isfinite(theirs) and not abs(mean - theirs) <= NEAR * (1 + abs(theirs)):
            rule = f"must be the mean of its splits, {theirs:.6g}, got {shown(str(mean))}"
            self.problems.add(f"{self.place}, {MEAN}{metric}", rule)
        return found

    def train(self, metric: str, i: int, splits: Sequence[int], sign: int) -> dict[float, float]:
        """Return the score on the training rows, where the table has it."""
        name = f"split{i}_train_{metric}" if splits else f"mean_train_{metric}"
        value = self.number(name) if name in self.row else float("nan")
        return {1: sign * value} if isfinite(value) else {}

    def seconds(self, name: str) -> float | None:
        """Return a time, None where there is none."""
        value = self.number(name) if name in self.row else float("nan")
        if value < 0:
            self.problems.add(f"{self.place}, {name}", f"must not be negative, got {value:g}")
        return value if isfinite(value) else None


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _notes(
    splits: Sequence[int], metrics: Sequence[str], *, minimize: bool, halving: bool
) -> list[str]:
    notes = []
    if minimize:
        notes.append(f"{metrics[0]} is minimized: its values are negated here")
    if not splits:
        notes.append("the file has no scores of splits: no interval, nothing compared")
    if halving:
        notes.append("candidates that were given fewer resources count as pruned")
    return notes
