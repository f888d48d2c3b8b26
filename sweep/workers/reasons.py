"""Why an evaluation failed, in one line."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

from sweep.errors import SweepError
from sweep.passwords import redacted

LIBRARIES = (
    str(Path(__file__).resolve().parent.parent),
    *(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")),
)
"""Folders whose code is not the person's own."""


def reason_of(error: BaseException) -> str:
    """Return one line that says why an evaluation failed, without a password of the ledger."""
    lines = redacted(_text(error)).strip().splitlines() or ["no message"]
    if isinstance(error, SweepError):
        return lines[0]
    return f"{type(error).__name__}: {lines[0]}{_place(error)}"


def _text(error: BaseException) -> str:
    try:
        said = str(error)
    except BaseException:  # noqa: BLE001 - a person's exception may do anything
        return "(a message that cannot be made)"
    return said.encode("utf-8", "backslashreplace").decode()


def _place(error: BaseException) -> str:
    """Return where in the person's own code it was raised, as `` (mine.py:12)``."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith(("<", *LIBRARIES))]
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
