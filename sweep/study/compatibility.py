"""Compare a study file with the ledger's study of that name: same, grown, or another question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.errors import DataChangedError, StudyChangedError
from sweep.spaces import grown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.spec import StudySpec

FREE = (
    ("study", "description"),
    ("data", "memory"),
    ("search", "trial_timeout"),
    ("search", "memory_limit"),
    ("search", "choose"),
    ("search", "nested"),
    ("search", "settle"),
)
"""Settings that may change between runs, in addition to everything in ``[report]``."""

MAY_GROW = (("search", "trials"), ("search", "timeout"), ("search", "patience"))
"""Settings that may be raised."""


def check_same(before: StudySpec, now: StudySpec) -> None:
    """Refuse a study file that asks another question than the ledger holds under that name.

    More trials, more time and more values in a grid continue a study; what the report shows may
    change freely.

    Raises
    ------
    StudyChangedError
        With each difference and the command that keeps both.
    """
    differences = [*_section_differences(before, now), *_space_differences(before, now)]
    if differences:
        name = now.study.name
        lines = "\n".join(f"  {difference}" for difference in differences)
        raise StudyChangedError(
            f"study {name!r} is in the ledger with other settings:\n{lines}\n"
            f"  continue it with its old settings, or keep both: --name {name}-2"
        )


def check_same_data(name: str, before: Mapping[str, Any], fingerprint: str) -> None:
    """Refuse to mix data under one study name.

    Raises
    ------
    DataChangedError
        If the fingerprint is another.
    """
    if before["fingerprint"] != fingerprint:
        raise DataChangedError(
            f"study {name!r} ran on other data: fingerprint {before['fingerprint'][:12]}, now "
            f"{fingerprint[:12]}",
            f"bring back the old data, or keep both: --name {name}-2",
        )


def _section_differences(before: StudySpec, now: StudySpec) -> list[str]:
    old, new = before.sections(), now.sections()
    found = []
    for section in ("study", "data", "model", "search"):
        for key in sorted({*old[section], *new[section]}):
            was, is_ = old[section].get(key), new[section].get(key)
            if was != is_ and not _allowed((section, key), was, is_):
                found.append(f"{section}.{key}: was {_value_text(was)}, now {_value_text(is_)}")
    return found


def _value_text(value: Any) -> str:
    return "left out" if value is None else repr(value)


def _allowed(place: tuple[str, str], was: Any, now: Any) -> bool:
    if place in FREE:
        return True
    if place in MAY_GROW[1:] and now is None:
        return True
    return place in MAY_GROW and was is not None and now is not None and now > was


def _space_differences(before: StudySpec, now: StudySpec) -> list[str]:
    old, new = before.space.dimensions, now.space.dimensions
    return list(grown(old, new, grid=now.search.method_row.is_grid))
