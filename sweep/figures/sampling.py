"""Draw some thousand marks of many: evenly spread, the same every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MARKS = 1500
"""Most marks of one kind in a figure: more hide each other, and make a page heavy."""


def sampled(frame: pd.DataFrame, most: int = MARKS) -> pd.DataFrame:
    """Return at most so many rows of a frame, evenly spread over it, the first among them."""
    count = len(frame)
    return frame if count <= most else frame.iloc[np.arange(most) * count // most]


def sample_note(count: int, marks: str = "points", most: int = MARKS) -> str:
    """Return the sentence that a figure of a sample needs; empty where all marks are drawn."""
    if count <= most:
        return ""
    return f" {most:,} of {count:,} {marks} are drawn, evenly spread; lines and means are of all."
