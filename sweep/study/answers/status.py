"""How one study stands: its counts, its test set, what it ran on, what to be careful about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sweep import analysis
from sweep.analysis.importance_text import importance_note
from sweep.analysis.nested import plain_nested
from sweep.analysis.settled_text import plain_settled, settled
from sweep.ledger.counts import ENDED
from sweep.spec.scorers import column_of
from sweep.study.answers.outcome import Outcome, WinnerTest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.outcomes import DataRecord, ImportanceRecord, ImportRecord, Opening
    from sweep.ledger.records import StudyRecord
    from sweep.spec import SearchSection

STRICT = {
    "PRUNED": ("pruner", "split_pruner", "max_parameters"),
    "INFEASIBLE": ("max_parameters", "max_fit_seconds"),
}
"""Settings that may have been too strict, by the state in which candidates end."""


@dataclass(frozen=True)
class StudyStatus(Outcome):
    """A study in facts and numbers: how it has ended, what it ran on.

    Attributes
    ----------
    method : str or None
        Of its search.
    scoring : str
        What it is ranked by.
    scorers : tuple of str
        All that it is scored by, where there are several.
    cells : mapping of str to int
        Trials behind its candidates, by state.
    copied : int
        Candidates whose result was taken over from an equal trial.
    beyond : int
        Cells that were evaluated beyond the end of the search.
    precision : str
        The arithmetic of the fits.
    created : str
        ISO time.
    importances : ImportanceRecord or None
        How much each parameter mattered.
    importance_note : str
        What to know of them, or why there are none.
    openings : tuple of Opening
        Each opening of the test set.
    data : DataRecord
        What it ran on.
    environment : mapping of str to str
        Versions and machine.
    damage : tuple of str
        What the ledger holds otherwise than it was recorded.
    imported : ImportRecord or None
        Where its results come from, if not from sweep's own fits.
    settled : dict or None
        As :func:`sweep.analysis.settled_text.plain_settled`.
    """

    method: str | None
    scoring: str
    scorers: tuple[str, ...]
    cells: Mapping[str, int]
    copied: int
    beyond: int
    precision: str
    created: str
    importances: ImportanceRecord | None
    importance_note: str
    openings: tuple[Opening, ...]
    data: DataRecord
    environment: Mapping[str, str]
    damage: tuple[str, ...]
    imported: ImportRecord | None = None
    settled: dict[str, Any] | None = None


def study_status(record: StudyRecord) -> StudyStatus:
    """Return how a study stands.

    Parameters
    ----------
    record : StudyRecord
        The study, whole or its leaders alone.
    """
    search, tally = record.settings.search, record.tally
    cautions = (
        settled(record),
        analysis.mixture(record),
        analysis.unrepeatable(record),
        analysis.idle(record),
        analysis.missing_scores(record),
    )
    return StudyStatus(
        name=record.name,
        method=search.method,
        scoring=column_of(search.scorer),
        scorers=analysis.several_scorers(record),
        status=record.status,
        standing=record.standing,
        done=record.done,
        planned=record.planned,
        rows=tally.rows,
        cells=tally.cells,
        copied=tally.copied,
        reasons=tally.reasons,
        beyond=len(record.beyond),
        strict=strict_settings(tally.rows, search),
        precision=analysis.arithmetic(record),
        created=record.created,
        winner_test=winner_test(record),
        nested=plain_nested(record),
        importances=record.importances,
        importance_note=importance_note(record),
        cautions=tuple(filter(None, cautions)),
        openings=record.openings,
        data=record.data,
        environment=dict(record.environment),
        damage=record.damage,
        imported=record.imported,
        settled=plain_settled(record),
    )


def plain_status(status: StudyStatus) -> dict[str, Any]:
    """Return how a study stands as JSON."""
    test = status.winner_test
    several: dict[str, Any] = {}
    if status.scorers:
        several = {"scorers": status.scorers, "test_scores": None}
        if test.score is not None:
            several["test_scores"] = {status.scoring: test.score, **test.others}
    return {
        "name": status.name,
        "method": status.method,
        "scoring": status.scoring,
        **several,
        "status": status.status,
        "done": status.done,
        "planned": status.planned,
        "candidates": sum(status.rows.values()),
        "complete": status.rows.get("COMPLETE", 0),
        "failed": status.rows.get("FAIL", 0),
        "pruned": status.rows.get("PRUNED", 0),
        "infeasible": status.rows.get("INFEASIBLE", 0),
        "copied": status.copied,
        "beyond_end": status.beyond,
        "precision": status.precision,
        "created": status.created,
        "test_score": status.winner_test.score,
        "nested": status.nested,
        **({"settled": status.settled} if status.settled else {}),
        "importances": status.importances,
        "test_openings": [asdict(opening) for opening in status.openings],
        "data": status.data,
        "environment": dict(status.environment),
        "damage": list(status.damage),
        **({"imported": status.imported} if status.imported else {}),
    }


def winner_test(record: StudyRecord) -> WinnerTest:
    """Return what the test set said of a study's winner, or why it is still closed."""
    won = record.winner
    if won is None:
        return WinnerTest(None, 0, "", record.test_openings, None, _why_closed(record))
    first = analysis.best(record)
    is_first = first is not None and analysis.is_current(record, first)
    other = None if is_first else won.params
    openings = record.test_openings
    return WinnerTest(
        won.test_score, won.test_rows, won.test_opened_at, openings, other, "", won.other_scores
    )


def strict_settings(rows: Mapping[str, int], search: SearchSection) -> tuple[str, ...]:
    """Return the settings of a search that may have been too strict for its candidates.

    Parameters
    ----------
    rows : mapping of str to int
        Candidates by state.
    search : SearchSection
        The ``[search]`` of the study file.
    """
    ended = [state for state in ENDED if rows.get(state)]
    names = dict.fromkeys(name for state in ended for name in STRICT.get(state, ()))
    return tuple(name for name in names if getattr(search, name))


def _why_closed(record: StudyRecord) -> str:
    if record.openings:
        return ""
    if record.imported is not None:
        return "imported"
    if not record.settings.search.refit:
        return "no refit"
    if record.status == "finished" and record.tally.rows.get("COMPLETE"):
        return "not refitted"
    return "not ended"
