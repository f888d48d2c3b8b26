"""A file or folder of another tool: what it is, and its study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.importing.cv_results import Splitting, from_cv_results, is_cv_results
from sweep.importing.keras_tuner import is_project, read_project
from sweep.importing.problems import refused
from sweep.importing.runs import from_runs
from sweep.importing.tables import read_table
from sweep.spec.scorers import is_scorer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweep.importing.found import FoundStudy


def read_path(
    path: Path,
    *,
    score: str | None = None,
    scoring: str | None = None,
    minimize: bool = False,
    repeats: int = 1,
    params: Sequence[str] = (),
) -> FoundStudy:
    """Read what another tool wrote.

    Parameters
    ----------
    path : Path
        A table file, or a project folder of KerasTuner's.
    score : str, optional
        Of several scores the one that ranks.
    scoring : str, optional
        The scikit-learn scorer that the score is.
    minimize : bool
        Whether lower scores are better.
    repeats : int
        How often a cross-validation was repeated.
    params : sequence of str
        Columns that are parameters, where the table does not say it.

    Raises
    ------
    ImportFileError
        With everything that is wrong.
    """
    source = path.name
    if scoring is not None and (":" in scoring or not is_scorer(scoring)):
        raise refused(source, f"--scoring: must be a scorer of scikit-learn's, got {scoring!r}")
    if path.is_dir():
        if not is_project(path):
            raise refused(source, "must be a project folder of KerasTuner's: no trial_*/trial.json")
        _check_none(source, "KerasTuner says it itself", scoring=scoring, params=params,
                    minimize=minimize, repeats=repeats > 1)  # fmt: skip
        return read_project(path, score=score)
    rows = read_table(path)
    if is_cv_results(rows[0]):
        return from_cv_results(
            rows, source, score=score, scoring=scoring, minimize=minimize,
            splitting=Splitting(repeats=repeats),
        )  # fmt: skip
    _check_none(source, "only for cv_results_", scoring=scoring, repeats=repeats > 1)
    return from_runs(rows, source, score=score, params=params, minimize=minimize)


def _check_none(source: str, reason: str, **options: object) -> None:
    given = next((name for name, value in options.items() if value), None)
    if given is not None:
        raise refused(source, f"--{given}: {reason}; leave it out")
