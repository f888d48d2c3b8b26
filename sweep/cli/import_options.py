"""What ``sweep import`` and ``sweep judge`` are told of another tool's file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _names(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[str]:
    return [name.strip() for name in (value or "").split(",") if name.strip()]


READING = (
    click.option(
        "--score", "score_name", metavar="NAME", help="Of several scores the one that ranks."
    ),
    click.option(
        "--scoring",
        metavar="SCORER",
        help="The scorer of scikit-learn's that mean_test_score is of, such as accuracy.",
    ),
    click.option(
        "--params",
        metavar="A,B",
        callback=_names,
        help="The columns that are parameters, where the table does not say it.",
    ),
    click.option(
        "--minimize", is_flag=True, help="Lower scores are better: they are negated."
    ),
    click.option(
        "--repeats",
        type=click.IntRange(1, 100),
        default=1,
        metavar="N",
        help="How often the cross-validation was repeated.  [default: once]",
    ),
)  # fmt: skip


def reading_options(command: F) -> F:
    """Add the options that say how a file is read."""
    for option in reversed(READING):
        command = option(command)
    return command
