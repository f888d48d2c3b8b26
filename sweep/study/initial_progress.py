"""The progress that a run begins with: planned cells, and those that have finished before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep import analysis
from sweep.ledger.reading import latest_by_key, read_study
from sweep.runner.progress import Progress
from sweep.search.plan import make_plan

if TYPE_CHECKING:
    from sweep.ledger.ledger import Ledger
    from sweep.spec import StudySpec


def planned_progress(spec: StudySpec, searches: int) -> Progress:
    """Return the progress of a run, which counts the cells of all its searches."""
    planned = searches * len(make_plan(spec).cells)
    prefix = (spec.facts.prefix if spec.facts else None) or ""
    return Progress(spec.study.name, planned, splits=_splits(spec), prefix=prefix)


def count_finished_cells(ledger: Ledger, progress: Progress) -> None:
    """Add the finished cells of the current search, and its best score, to the progress."""
    record = read_study(ledger, progress.study)
    retried = {trial.key for trial in record.trials if trial.state == "WAITING"}
    latest = latest_by_key(record.trials)
    ended = [trial for key, trial in latest.items() if key not in retried]
    progress.done += len(ended)
    progress.began_done += len(ended)
    failed = sum(trial.state == "FAIL" for trial in ended)
    progress.failed += failed
    progress.began_failed += failed
    progress.pruned += sum(trial.state == "PRUNED" for trial in ended)
    if (best := analysis.best(record)) is not None:
        progress.best = (analysis.mean_score(best) or 0.0, best.params)


def _splits(spec: StudySpec) -> int:
    """Return the fits of each cell."""
    search = spec.search
    splits = 1 if search.validation is not None else (search.cv or 5) * search.repeats
    return splits * search.seeds
