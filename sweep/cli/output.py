"""Results for people, programs and spreadsheets: one way out for every reading command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from sweep.support.redaction import redacted
from sweep.support.spreadsheet import csv_text, json_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console, RenderableType


def console(*, err: bool = False, width: int | None = None) -> Console:
    """Return a console of standard output, or of standard error.

    Names of studies are other people's text: no markup, no emoji, no highlighting.
    """
    from rich.console import Console

    return Console(stderr=err, markup=False, emoji=False, highlight=False, width=width)


def emit(
    form: str,
    plain: Any,
    rows: Sequence[Mapping[str, Any]],
    draw: Callable[[], Sequence[RenderableType]],
) -> None:
    """Print a result in the asked form.

    Parameters
    ----------
    form : {"table", "json", "csv"}
        What the person asked for.
    plain : list or dict
        The result as JSON.
    rows : sequence of mapping
        The result as lines of a table of text.
    draw : callable
        Makes what people see; called for ``"table"`` only.
    """
    if form == "json":
        click.echo(escaped(redacted(json.dumps(json_value(plain), indent=2, ensure_ascii=False))))
    elif form == "csv":
        click.echo(_without_controls(redacted(csv_text(rows))), nl=False)
    else:
        show(draw())


def escaped(text: str) -> str:
    """Return JSON in which no character stands that a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _without_controls(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def show(parts: Sequence[RenderableType]) -> None:
    """Print what people see; a plain string stays on one line, to be copied."""
    out = console()
    if out.is_terminal:
        _print(out, parts)
        return
    with out.capture() as held:
        _print(out, parts)
    lines = [line.rstrip() for line in held.get().splitlines()]
    click.echo("\n".join(lines).rstrip())


def _print(out: Console, parts: Sequence[RenderableType]) -> None:
    for part in parts:
        out.print(part, soft_wrap=isinstance(part, str))
