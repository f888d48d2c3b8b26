"""Results for people, programs and spreadsheets: one way out for every reading command."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.text import redacted

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


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
        click.echo(redacted(json.dumps(json_value(plain), indent=2, ensure_ascii=False)))
    elif form == "csv":
        click.echo(redacted(csv_text(rows)), nl=False)
    else:
        show(draw())


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


def json_value(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinity become null."""
    if is_dataclass(value) and not isinstance(value, type):
        return json_value(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): json_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(each) for each in value]
    return _json_scalar(value)


def _json_scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if isfinite(value) else None
    return str(value)


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV; a cell that a spreadsheet would calculate gets an apostrophe."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([guarded(name) for name in names])
    writer.writerows([[guarded(row.get(name)) for name in names] for row in rows])
    return out.getvalue()


def guarded(value: Any) -> str:
    """Return a cell's text, an apostrophe before what is no number and begins like a formula."""
    plain = json_value(value)
    if plain is None:
        return ""
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    harmless = not text.startswith(DANGEROUS) or NUMBER.fullmatch(text)
    return text if harmless else f"'{text}"
