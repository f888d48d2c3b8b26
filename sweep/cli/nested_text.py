"""The nested cross-validation in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.cli.text import other_scores, score
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping


def nested_lines(nested: Mapping[str, Any] | None) -> list[str]:
    """Return what an outer cross-validation says; ``nested`` as ``plain_nested`` writes it."""
    if nested is None:
        return []
    held, folds = nested["interval"], counted(len(nested["folds"]), "outer fold")
    grown = "" if nested["current"] else "; of the study before it grew, run it again"
    ends = f"{score(held['low'])} to {score(held['high'])}" if held else "no interval"
    from sweep.analysis.nested import LOST

    known = nested["inner_score"] is not None
    mean = score(nested["inner_score"]) if known else f"not known ({LOST})"
    inner = f"the mean of the best inner scores there is {mean}"
    head = f"nested {score(nested['score'])} ({ends}) over {folds}"
    others = other_scores(nested.get("other_scores", {}))
    return [f"{head}, not flattered by the choice: {inner}{others}{grown}"]
