"""A file or folder of another tool: what it is, and its study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.importing.cv_results import Splitting, from_cv_results, is_cv_results
from sweep.importing.problems import refused
from sweep.importing.tables import read_table
from sweep.spec.scorers import is_scorer

if TYPE_CHECKING:
    from pathlib import Path

    from sweep.importing.found import FoundStudy


def read_path(
    path: Path,
    *,
    score: str | None = None,
    scoring: str | None = None,
    minimize: bool = False,
    repeats: int = 1,
) -> FoundStudy:
    """Read what another tool wrote.

    Parameters
    ----------
    path : Path
        A table file.
    score : str, optional
        Of several scores the one that ranks.
    scoring : str, optional
        The scikit-learn scorer that the score is.
    minimize : bool
        Whether lower scores are better.
    repeats : int
        How often a cross-validation was repeated.

    Raises
    ------
    ImportFileError
        With everything that is wrong.
    """
    source = path.name
    if scoring is not None and (":" in scoring or not is_scorer(scoring)):
        raise refused(source, f"--scoring: must be a scorer of scikit-learn's, got {scoring!r}")
    rows = read_table(path)
    if is_cv_results(rows[0]):
        return from_cv_results(
            rows, source, score=score, scoring=scoring, minimize=minimize,
            splitting=Splitting(repeats=repeats),
        )  # fmt: skip
    names = ", ".join(list(rows[0])[:8])
    raise refused(source, f"must have the columns of cv_results_, got {names}")
