"""``search.settle``: a finished search goes on with repeats until it is clear what to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from sweep.spec.base import Section
from sweep.spec.problems import Problem, shown
from sweep.support.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

MARGIN = 0.005
SETTLE = 'a table, as { margin = 0.005, within = "30m" }: a score above 0, a duration'


class SettleSection(Section):
    """``search.settle``: further repeats of the cross-validation for what is undecided.

    Attributes
    ----------
    margin : float
        Differences up to this one do not matter, in the unit of the score.
    within : float or None
        Seconds; no further repeat is begun that would not end within them.
    """

    margin: Annotated[float, Field(gt=0)] = MARGIN
    within: float | None = None


def _section(value: Any) -> Any:
    if value is None or isinstance(value, SettleSection):
        return value
    try:
        table = dict(value) if isinstance(value, Mapping) else {"": value}
        if table.get("within") is not None:
            table["within"] = seconds(table["within"])
        if isinstance(table.get("margin"), int) and not isinstance(table["margin"], bool):
            table["margin"] = float(table["margin"])
        return SettleSection.model_validate(table)
    except (ValueError, ValidationError) as error:
        raise PydanticCustomError("settle", "no settle") from error


Settle = Annotated[SettleSection | None, BeforeValidator(_section)]


def settle_problems(search: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what a study has that goes on with repeats, and they cannot serve."""
    if search.get("settle") is None:
        return
    reasons = {
        "timeout": "what has not ended in time would not be settled; say within in its place",
        "validation": "one validation split tells too little; say cv = 5 in its place",
        "nested": "the outer folds would not settle their choice; leave nested out",
    }
    held = {**search, "groups": data.get("groups") or data.get("group")}
    reasons["groups"] = "splits by groups cannot be repeated; leave settle out"
    for key, why in reasons.items():
        if held.get(key) is not None:
            yield Problem(("search", "settle"), f"{why}, got {key} = {shown(held[key])}")
    objectives = search.get("objectives")
    if isinstance(objectives, list | tuple) and len(objectives) > 1:
        yield Problem(
            ("search", "settle"),
            f"it settles one score, got objectives = {shown(objectives)}; leave settle out",
        )
    if search.get("choose") == "one_standard_error":
        yield Problem(
            ("search", "settle"),
            "it names the cheapest that is as good as the best within the margin, and a standard "
            'error is another margin; say choose = "best" or "cheapest"',
        )
