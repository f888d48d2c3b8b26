"""From a study record to one self-contained page."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from sweep.report import answer, text
from sweep.report.importances import no_importances_note
from sweep.report.nested import nested_table
from sweep.report.own_sections import own_sections
from sweep.report.report_data import report_data
from sweep.report.sections import build_sections
from sweep.support.file_writing import write_file

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from sweep.ledger.pictures import Pictures
    from sweep.ledger.records import StudyRecord


def render(
    record: StudyRecord, pivots: Sequence[str] | None = None, shown: Pictures | None = None
) -> str:
    """Return the report of a study as one HTML page.

    Parameters
    ----------
    record : StudyRecord
        The study, in any state.
    pivots : sequence of str, optional
        See :func:`sweep.report.pivots.heat_maps`.
    shown : Pictures, optional
        The study's pictures.

    Returns
    -------
    str
        A page that loads nothing and allows nothing but its own style and script; the same
        bytes for the same record.

    Raises
    ------
    ResultError
        If a pivot names no parameter of the study.
    """
    return str(environment().get_template("report.html.j2").render(context(record, pivots, shown)))


def write_report(
    record: StudyRecord,
    path: str | os.PathLike[str],
    pivots: Sequence[str] | None = None,
    shown: Pictures | None = None,
) -> Path:
    """Write the report of a study (by :func:`sweep.support.file_writing.write_file`).

    Parameters
    ----------
    record : StudyRecord
        The study.
    path : path-like
        The file; its folder is made where it is missing.
    pivots : sequence of str, optional
        See :func:`sweep.report.pivots.heat_maps`.
    shown : Pictures, optional
        The study's pictures.

    Returns
    -------
    Path
        The file.
    """
    return write_file(path, render(record, pivots, shown))


def context(
    record: StudyRecord, pivots: Sequence[str] | None = None, shown: Pictures | None = None
) -> dict[str, Any]:
    """Return everything the template needs."""
    return {
        **page_resources(),
        "name": text.clean(record.settings.report.title or record.name),
        "answer": answer.answer(record),
        "damage": [f"{line[0].upper()}{line[1:]}." for line in record.damage],
        "facts": answer.facts(record),
        "nested": nested_table(record),
        "sections": build_sections(report_data(record, pivots, shown)),
        "no_importances": no_importances_note(record),
        "own": own_sections(record),
    }


def page_resources() -> dict[str, str]:
    """Return style, script and the policy that allows nothing else."""
    css, js = _resource("report.css"), _resource("report.js")
    return {"css": css, "js": js, "policy": _policy(css, js)}


@cache
def environment() -> Any:
    """Return the templates, which escape every text."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    # Only for the page's own style and script and for drawings of sweep.figures.
    made.filters["own"] = Markup
    return made


def _printable(value: Any) -> Any:
    """Take out of a text what a browser or terminal would obey, whatever field it came from."""
    # Markup is a drawing, or has been here before.
    if type(value) is not str or value.isprintable():
        return value
    return "".join(c for c in value if c.isprintable() or c in "\n\t")


@cache
def _resource(name: str) -> str:
    return (resources.files("sweep.report") / name).read_text(encoding="utf-8")


def _policy(css: str, js: str) -> str:
    return (
        f"default-src 'none'; style-src '{_digest(css)}'; script-src '{_digest(js)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
