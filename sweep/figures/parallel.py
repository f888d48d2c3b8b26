"""Parallel coordinates: each candidate is a line across its parameters to its score."""

from __future__ import annotations

from math import log
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.tables import PREFIX, is_missing, ordered_values, plain_label

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 300
"""Most lines that are drawn; of more candidates the best."""


def parallel_frame(frame: pd.DataFrame, logarithmic: Sequence[str] = ()) -> pd.DataFrame:
    """Return the positions of the complete candidates on an axis for each parameter that varies.

    Parameters
    ----------
    frame : DataFrame
        From :func:`sweep.tables.candidates_frame`.
    logarithmic : sequence of str
        Parameters whose axis is logarithmic.

    Returns
    -------
    DataFrame
        The best 300, by rank. Columns ``candidate``, ``score``, ``rank``, one ``param_`` for each
        parameter with more than one value: its position on the axis from 0 (least) to 1
        (greatest), choices evenly spread; NaN where it does not apply. ``place`` is the position
        of the score.
    """
    done = frame[(frame["state"] == "COMPLETE") & frame["mean_test_score"].notna()]
    done = done.sort_values(["rank_test_score", "candidate"]).head(MOST)
    places: dict[str, Any] = {
        "candidate": done["candidate"],
        "score": done["mean_test_score"],
        "rank": done["rank_test_score"],
    }
    for column in [c for c in frame.columns if c.startswith(PREFIX)]:
        logged = column.removeprefix(PREFIX) in logarithmic
        if len({str(v) for v in done[column] if v is not None}) > 1:
            places[column] = _placed(list(done[column]), log_axis=logged)
    low, high = done["mean_test_score"].min(), done["mean_test_score"].max()
    width = (high - low) or 1.0
    return pd.DataFrame({**places, "place": (done["mean_test_score"] - low) / width})


def axis_ends(values: Sequence[Any]) -> tuple[str, str]:
    """Return the labels at the lower and the upper end of a parameter's axis."""
    known = ordered_values(v for v in values if not is_missing(v))
    if not known:
        return "", ""
    return tuple(f"{v:.3g}" if isinstance(v, float) else str(v) for v in (known[0], known[-1]))  # type: ignore[return-value]


def _placed(values: list[Any], *, log_axis: bool) -> list[float]:
    known = [v for v in values if not is_missing(v)]
    if all(isinstance(v, Real) and not isinstance(v, bool) for v in known):
        scale = log if log_axis and min(known) > 0 else float
        low, high = scale(min(known)), scale(max(known))
        spread = (high - low) or 1.0
        return [np.nan if is_missing(v) else (scale(v) - low) / spread for v in values]
    labels = ordered_values(known)
    step = 1 / max(len(labels) - 1, 1)
    return [np.nan if is_missing(v) else labels.index(plain_label(v)) * step for v in values]
