"""Who leads a study, by how much and at what cost; and all its candidates as rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep import analysis
from sweep.ledger.reading import read_study
from sweep.ledger.top_candidates import read_top_candidates
from sweep.study.answers import TOP
from sweep.study.answers.opening import find_study
from sweep.study.answers.outcome import Leader, Leaderboard
from sweep.study.answers.status import StudyStatus, plain_status, study_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import Candidate, StudyRecord
    from sweep.study.result import StudyResult

PARAM = "param_"


@dataclass(frozen=True)
class CandidateTable:
    """The candidates of a study.

    Attributes
    ----------
    status : StudyStatus
        The study.
    rows : list of dict
        As :func:`sweep.tables.leaderboard_rows`: best first, those without a score last.
    """

    status: StudyStatus
    rows: list[dict[str, Any]]


def find_leaders(storage: str | None, name: str, top: int = TOP) -> StudyResult:
    """Open a study of which only the leaders are wanted: a large one is not read whole.

    Parameters
    ----------
    storage, name
        As for :func:`sweep.study.answers.opening.find_study`.
    top : int
        How many candidates are wanted.
    """
    return find_study(storage, name, read=partial(read_top_candidates, top=top))


def find_candidates(storage: str | None, name: str, top: int | None = None) -> StudyResult:
    """Open a study of which ``top`` candidates are wanted, complete or not; all with None."""

    def read(ledger: Ledger, name: str) -> StudyRecord:
        if top is None:
            return read_study(ledger, name)
        record = read_top_candidates(ledger, name, top)
        return record if _has(record, top) else read_study(ledger, name)

    return find_study(storage, name, read=read)


def leaderboard(record: StudyRecord, top: int = TOP) -> Leaderboard[StudyStatus]:
    """Return the best complete candidates of a study.

    Parameters
    ----------
    record : StudyRecord
        The study, or its leaders alone.
    top : int
        How many.
    """
    leaders: list[Leader] = []
    for place, candidate in enumerate(analysis.ranked(record)[:top], start=1):
        others = analysis.other_means(record, candidate)
        leaders.append(_leader(candidate, place, leaders, others))
    more = max(0, record.tally.rows.get("COMPLETE", 0) - top)
    order = _order(record, leaders)
    return Leaderboard(study_status(record), tuple(leaders), order, more)


def candidate_table(record: StudyRecord, top: int | None = None) -> CandidateTable:
    """Return the candidates of a study as rows; the first ``top`` of them, or all."""
    from sweep.tables import leaderboard_rows

    return CandidateTable(study_status(record), leaderboard_rows(record)[:top])


def plain_candidates(table: CandidateTable) -> dict[str, Any]:
    """Return a study and its candidates as JSON."""
    return {**plain_status(table.status), "leaderboard": [_with_params(r) for r in table.rows]}


def _leader(
    candidate: Candidate, place: int, before: Sequence[Leader], others: Mapping[str, float | None]
) -> Leader:
    scores = analysis.fit_scores(candidate)
    mean = float(np.mean(scores))
    return Leader(
        rank=before[-1].rank if before and before[-1].score == mean else place,
        score=mean,
        std=float(np.std(scores)) if len(scores) > 1 else None,
        seconds=analysis.fit_seconds(candidate),
        params=candidate.params,
        copied=candidate.trial.copied_from is not None,
        others=others,
    )


def _order(record: StudyRecord, leaders: Sequence[Leader]) -> tuple[str, ...]:
    names = dict.fromkeys(name for leader in leaders for name in leader.params)
    order = [name for name in record.settings.space.dimensions if name in names]
    return (*order, *(name for name in names if name not in order))


def _has(record: StudyRecord, top: int) -> bool:
    """Return whether that many candidates were read, though only complete ones are leaders."""
    rows = record.tally.rows
    wanted = min(top, sum(rows.values()))
    return record.counted is None or wanted <= rows.get("COMPLETE", 0)


def _with_params(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the parameters that apply together."""
    params = {n.removeprefix(PARAM): v for n, v in row.items() if n.startswith(PARAM)}
    rest = {name: value for name, value in row.items() if not name.startswith(PARAM)}
    return {**rest, "params": {name: value for name, value in params.items() if value is not None}}
