"""Frames that compare several studies: results, progress over time, differing settings."""

from __future__ import annotations

from collections import Counter, defaultdict
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.analysis import (
    chosen,
    mean_score,
    other_means,
    paired,
    score_interval,
    scoring,
    several_scorers,
    test_score,
)
from sweep.spec.scorers import column_of
from sweep.spec.toml import toml_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweep.ledger.records import StudyRecord, TrialRecord

LEFT_OUT = {("study", "name"), ("study", "description")}
"""Settings in which studies always differ."""


def studies_frame(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return one row per study.

    Parameters
    ----------
    records : sequence of StudyRecord
        The studies.

    Returns
    -------
    DataFrame
        Columns ``study``, ``method``, ``status``, ``candidates`` (complete), ``fits``,
        ``fit_seconds`` (of all fits together), ``score`` (mean held-out score of the chosen
        candidate), ``low``, ``high`` (its 95 % interval), ``test_score`` (NaN where another
        candidate was refitted), ``parameters`` (weights of that model), ``settings``; where one of
        the studies has several scorers, ``mean_test_<scorer>`` of the chosen candidate by each of
        them (NaN for a study without it).
    """
    several = dict.fromkeys(name for record in records for name in several_scorers(record))
    return pd.DataFrame([_study_row(record) | _means(record, several) for record in records])


def _means(record: StudyRecord, scorers: Iterable[str]) -> dict[str, float | None]:
    found = chosen(record)
    held = (
        {}
        if found is None
        else {column_of(scoring(record)): mean_score(found), **other_means(record, found)}
    )
    return {f"mean_test_{name}": held.get(name, np.nan) for name in scorers}


def _study_row(record: StudyRecord) -> dict[str, Any]:
    found = chosen(record)
    interval = None if found is None else score_interval(record, found)
    on_test = None if found is None else test_score(record, found)
    return {
        "study": record.name,
        "method": record.settings.search.method,
        "status": record.status,
        "candidates": sum(c.trial.state == "COMPLETE" for c in record.candidates),
        "fits": sum(trial.fits for trial in record.trials),
        "fit_seconds": sum(trial.fit_seconds for trial in record.trials),
        "score": np.nan if found is None else mean_score(found),
        "low": np.nan if interval is None else interval.low,
        "high": np.nan if interval is None else interval.high,
        "test_score": np.nan if on_test is None else on_test,
        "parameters": None if found is None else found.trial.parameters,
        "settings": "" if found is None else _settings_text(found.params),
    }


def _settings_text(params: Mapping[str, Any]) -> str:
    shown = {n: f"{v:.4g}" if isinstance(v, float) else str(v) for n, v in params.items()}
    return ", ".join(f"{name} = {value}" for name, value in shown.items())


def progress_frame(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return the best score over time: one row per complete trial, in the order of their ends.

    Returns
    -------
    DataFrame
        Columns ``study``, ``seconds`` (since its first trial began), ``fits`` (of all trials
        that had ended), ``best`` (highest mean held-out score so far).
    """
    rows = [row for record in records for row in _progress_rows(record)]
    return pd.DataFrame(rows, columns=["study", "seconds", "fits", "best"])


def _progress_rows(record: StudyRecord) -> list[dict[str, Any]]:
    ended = sorted((t for t in record.trials if t.finished and t.splits), key=_ended)
    began = min((t.started for t in record.trials if t.started), default=None)
    scores: dict[int, float] = {}
    for candidate in record.candidates:
        score = mean_score(candidate)
        if score is not None:
            known = scores.get(candidate.trial.number, score)
            scores[candidate.trial.number] = max(known, score)
    rows, best, fits = [], -np.inf, 0
    for trial in ended:
        fits += trial.fits
        if trial.number in scores and began is not None and trial.finished is not None:
            best = max(best, scores[trial.number])
            seconds = (trial.finished - began).total_seconds()
            rows.append({"study": record.name, "seconds": seconds, "fits": fits, "best": best})
    return rows


def pairs_frame(records: Sequence[StudyRecord], baseline: StudyRecord) -> pd.DataFrame:
    """Return a paired comparison of every study with one of them, the baseline.

    Returns
    -------
    DataFrame
        Columns ``study``, ``against``, ``difference``, ``low``, ``high``, ``reason``; see
        :func:`sweep.analysis.paired`.
    """
    pairs = [paired(record, baseline) for record in records if record.name != baseline.name]
    rows = [(p.name, p.against, p.difference, p.low, p.high, p.reason) for p in pairs]
    frame = pd.DataFrame(rows, columns=["study", "against", "difference", "low", "high", "reason"])
    numbers = ["difference", "low", "high"]
    return frame.assign(**{name: frame[name].astype(float) for name in numbers})


def settings_frame(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return the settings of the study files in which the studies differ.

    Returns
    -------
    DataFrame
        Column ``setting`` (``"search.cv"``), then one per study, as text; empty where a study does
        not have it.
    """
    settings = {_column(record.name, "setting"): _flat(record) for record in records}
    keys = list(dict.fromkeys(key for flat in settings.values() for key in flat))
    rows = [
        {"setting": key, **{name: flat.get(key, "") for name, flat in settings.items()}}
        for key in keys
        if len({flat.get(key, "") for flat in settings.values()}) > 1
    ]
    return pd.DataFrame(rows, columns=["setting", *settings])


def shared_frame(records: Sequence[StudyRecord]) -> pd.DataFrame:
    """Return the best score by value of each parameter that several studies search.

    Returns
    -------
    DataFrame
        Columns ``parameter``, ``value`` (text), then one per study: the highest mean held-out score
        of its complete candidates with that value, NaN where it has none. Parameters with more
        than 20 values (ranges) are left out. One parameter after the other, numbers ascending.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    places: dict[str, int] = {}
    numbers: dict[tuple[str, str], float] = {}
    for record in records:
        for candidate in record.candidates:
            score = mean_score(candidate)
            if score is None:
                continue
            for name, value in candidate.params.items():
                places.setdefault(name, len(places))
                best = found.setdefault((name, str(value)), {})
                numbers[name, str(value)] = _number(value)
                best[record.name] = max(score, best.get(record.name, -np.inf))
    values = Counter(name for name, _ in found)
    studies: defaultdict[str, set[str]] = defaultdict(set)
    for (name, _), scores in found.items():
        studies[name].update(scores)
    names = {record.name: _column(record.name, "parameter", "value") for record in records}
    rows = [
        {"parameter": name, "value": value, **{names[s]: best for s, best in scores.items()}}
        for (name, value), scores in sorted(
            found.items(), key=lambda each: (places[each[0][0]], numbers[each[0]])
        )
        if len(studies[name]) > 1 and 1 < values[name] <= 20
    ]
    return pd.DataFrame(rows, columns=["parameter", "value", *names.values()])


def _number(value: Any) -> float:
    """Return where a value stands among others: numbers first, the rest as it is found."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else np.inf


def _column(study: str, *others: str) -> str:
    """Return the title of a study's column, distinct from the other titles."""
    return f"study {study}" if study in others else study


def _ended(trial: TrialRecord) -> Any:
    return trial.finished


def _flat(record: StudyRecord) -> dict[str, str]:
    settings = {
        (section, key): value
        for section, values in record.settings.sections().items()
        if section in ("study", "data", "model", "search", "space")
        for key, value in values.items()
    }
    return {f"{s}.{k}": toml_value(v) for (s, k), v in settings.items() if (s, k) not in LEFT_OUT}
