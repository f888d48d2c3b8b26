"""Runs of an experiment tracker as CSV: MLflow's, W&B's, or any table with a row for each run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from sweep.importing.found import MOST_PARAMETERS, FoundStudy
from sweep.importing.problems import Problems, refused, shown
from sweep.importing.space import space_of, unmixed
from sweep.importing.values import literal, plain_value, read_number, read_value, scorer_name
from sweep.ledger.imported import EndedTrial
from sweep.ledger.records import SplitResult
from sweep.spec.scorers import column_of
from sweep.support.suggestion import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

METRICS, PARAMS = "metrics.", "params."
ENDED = {"finished": "COMPLETE", "failed": "FAIL", "crashed": "FAIL", "killed": "FAIL"}
GOING = ("running", "scheduled", "pending", "preempted", "preempting")
FURTHER = 20
"""Metrics beside the one that ranks that are shown."""
NOT_A_NUMBER = re.compile(r"(?<=[:\[,(] )(nan|inf|-inf)(?=[,}\])])")


@dataclass(frozen=True)
class Run:
    """A row as every tracker has it: parameters, metrics, what became of it, when."""

    params: Mapping[str, Any]
    metrics: Mapping[str, Any]
    status: str
    started: str = ""
    finished: str = ""


def from_runs(
    rows: Sequence[Mapping[str, Any]],
    source: str,
    *,
    score: str | None = None,
    params: Sequence[str] = (),
    minimize: bool = False,
) -> FoundStudy:
    """Read the rows of a tracker's export.

    Parameters
    ----------
    rows : sequence of mapping
        One a run.
    source : str
        The file, for messages.
    score : str, optional
        The metric that ranks; needed where there are several.
    params : sequence of str
        The columns that are parameters, where the file does not say it.
    minimize : bool
        Whether lower scores are better.

    Raises
    ------
    ImportFileError
        With everything that is wrong.
    """
    tool, runs = _runs(rows, source, score, params)
    found = list(dict.fromkeys(name for run in runs for name in run.metrics))
    ranking = _ranking(found, source, score)
    plain = unmixed([{n: plain_value(v) for n, v in run.params.items()} for run in runs])
    names = {name for each in plain for name in each}
    if not names or len(names) > MOST_PARAMETERS:
        rule = f"must have 1 to {MOST_PARAMETERS} parameters, it has {len(names)}"
        raise refused(source, rule)
    reader = _Reader(Problems(source), ranking, _further(found, ranking), minimize)
    trials = [
        reader.trial(number, run, each)
        for number, (run, each) in enumerate(zip(runs, plain, strict=True), start=1)
    ]
    reader.problems.check()
    ended = [trial for trial in trials if trial is not None]
    if not ended:
        raise refused(source, "no run of this table has ended")
    ended.sort(key=lambda trial: (trial.started is None, trial.started or datetime.now(UTC)))
    left = len(trials) - len(ended)
    return FoundStudy(
        tool=tool,
        source=source,
        scores=tuple(reader.scores.values()),
        trials=tuple(ended),
        space=space_of([trial.params for trial in ended]),
        notes=(
            *([f"{ranking} is minimized: its values are negated here"] if minimize else []),
            *([f"left out, because they had not ended: {left} runs"] if left else []),
            f"{tool} recorded one value of {ranking} for each run: no interval, nothing compared",
        ),
    )


def _runs(
    rows: Sequence[Mapping[str, Any]], source: str, score: str | None, params: Sequence[str]
) -> tuple[str, list[Run]]:
    first = rows[0]
    if any(name.startswith(METRICS) for name in first) and not params:
        return "MLflow", [_mlflow(row) for row in rows]
    if {"config", "summary"} <= first.keys() and not params:
        problems = Problems(source)
        runs = [_wandb(row, f"row {n}", problems) for n, row in enumerate(rows, start=1)]
        problems.check()
        return "W&B", runs
    known = ", ".join(list(first)[:12])
    if not params or score is None:
        raise refused(
            source,
            "say which column ranks and which are parameters: --score NAME --params A,B; "
            f"columns: {known}",
        )
    missing = next((name for name in (score, *params) if name not in first), None)
    if missing is not None:
        hint = suggestion(missing, first) or f" There are: {known}"
        raise refused(source, f"there is no column {shown(missing)}.{hint}")
    tool = "W&B" if {"Name", "State"} <= first.keys() else "a table of runs"
    return tool, [_plain(row, score, params) for row in rows]


def _mlflow(row: Mapping[str, Any]) -> Run:
    """Return a row of ``mlflow.search_runs()`` or ``mlflow experiments csv``."""

    def of(prefix: str) -> dict[str, Any]:
        return {n.removeprefix(prefix): row[n] for n in row if n.startswith(prefix) and row[n]}

    params = {name: _cell(value) for name, value in of(PARAMS).items()}
    times = (str(row.get("start_time") or ""), str(row.get("end_time") or ""))
    return Run(params, of(METRICS), str(row.get("status") or "finished"), *times)


def _wandb(row: Mapping[str, Any], place: str, problems: Problems) -> Run:
    """Return a row of the table that W&B's guide makes of ``wandb.Api().runs``."""
    read: list[Mapping[str, Any]] = []
    for name in ("config", "summary"):
        value = row[name]
        if isinstance(value, str):
            value = literal(NOT_A_NUMBER.sub("None", value))
        if not hasattr(value, "items"):
            problems.add(f"{place}, {name}", f"must be a dict, got {shown(row[name])}")
            value = {}
        read.append(value)
    config = {str(n): v for n, v in read[0].items() if not str(n).startswith("_")}
    numbers = {
        str(n): v for n, v in read[1].items()
        if not str(n).startswith("_") and isinstance(v, int | float) and not isinstance(v, bool)
    }  # fmt: skip
    return Run(config, numbers, str(row.get("state") or "finished"))


def _plain(row: Mapping[str, Any], score: str, params: Sequence[str]) -> Run:
    given = {n: _cell(row.get(n)) for n in params if row.get(n) not in (None, "")}
    status = row.get("State") or row.get("state") or row.get("status") or "finished"
    return Run(given, {score: row.get(score)}, str(status), str(row.get("Created") or ""))


def _cell(value: Any) -> Any:
    return read_value(value) if isinstance(value, str) else value


def _ranking(found: Sequence[str], source: str, score: str | None) -> str:
    if score is None and len(found) == 1:
        return found[0]
    known = ", ".join(found[:12]) or "none"
    if score is None:
        raise refused(source, f"say which metric ranks: --score, one of {known}")
    if score not in found:
        hint = suggestion(score, found) or f" There are: {known}"
        raise refused(source, f"--score: there is no metric {shown(score)}.{hint}")
    return score


def _further(found: Sequence[str], ranking: str) -> list[str]:
    return [name for name in found if name != ranking][:FURTHER]


class _Reader:
    """Turns runs into trials; what is wrong goes to ``problems``."""

    def __init__(
        self, problems: Problems, ranking: str, further: Sequence[str], minimize: bool
    ) -> None:
        self.problems, self.ranking = problems, ranking
        self.sign = -1 if minimize else 1
        self.scores = {ranking: scorer_name(ranking, minimize=minimize)}
        for name in further:
            said = scorer_name(name)
            while said in self.scores.values():
                said += "_"
            self.scores[name] = said

    def trial(self, number: int, run: Run, params: Mapping[str, Any]) -> EndedTrial | None:
        """Return a run as a trial, None for one that has not ended."""
        state, status = ENDED.get(run.status.lower()), run.status.lower()
        if status in GOING:
            return None
        if state is None:
            rule = f"must be one of {', '.join((*ENDED, *GOING))}, got {shown(run.status)}"
            self.problems.add(f"row {number}, status", rule)
            return None
        started, finished = self.moment(number, run.started), self.moment(number, run.finished)
        values = {name: self.number(number, name, run.metrics.get(name)) for name in self.scores}
        score = values.pop(self.ranking)
        if state == "FAIL" or score is None:
            reason = f"the run {status}" if state == "FAIL" else f"no {self.ranking} was recorded"
            return EndedTrial(
                "FAIL", params, reason=reason.replace("the run killed", "the run was killed"),
                started=started, finished=finished,
            )  # fmt: skip
        seconds = (finished - started).total_seconds() if started and finished else None
        split = SplitResult(
            test={1: self.sign * score},
            seconds={} if seconds is None or seconds < 0 else {1: seconds},
            others={column_of(self.scores[n]): {1: value} for n, value in values.items()},
        )
        return EndedTrial("COMPLETE", params, (split,), started=started, finished=finished)

    def number(self, row: int, name: str, value: Any) -> float | None:
        """Return a metric; None where it is missing or no finite number."""
        found = read_number(value)
        if found is None:
            self.problems.add(f"row {row}, {name}", f"must be a number, got {shown(value)}")
        return found if found is not None and isfinite(found) else None

    def moment(self, row: int, value: str) -> datetime | None:
        """Return a time; one without a zone is in UTC."""
        if not value:
            return None
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            self.problems.add(f"row {row}", f"must have ISO times, got {shown(value)}")
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)
