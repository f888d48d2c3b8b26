"""Why an evaluation failed, in one line: of all that an exception says, the line that tells."""

from __future__ import annotations

import re
import sysconfig
import traceback
from pathlib import Path

from sweep.errors import SweepError
from sweep.support.redaction import redacted

LIBRARIES = (
    str(Path(__file__).resolve().parent.parent),
    *(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")),
)
"""Folders whose code is not the user's own."""

INSTALLED = {"site-packages", "dist-packages"}
"""The same, wherever an environment has them."""

STYLE = re.compile(r"\x1b\[[\d;]*m")
WRAPPED = re.compile(r"^\{\{function_node [^}]*\}\} | \[Op:\w*\].*$")
NODE = re.compile(r"\[\[\{\{node (?:while/)?([^}]*)\}\}\]\]")
RAISED = re.compile(r"^\w[\w.]*(Error|Exception|Interrupt|Exit)\b: .")
DEFINED = re.compile(r'^\s*File "([^"<]+)", line (\d+)', re.MULTILINE)


def reason_of(error: BaseException) -> str:
    """Return one line that says why an evaluation failed, without a password of the ledger."""
    if isinstance(error, SweepError):
        return "; ".join(_lines(redacted(_text(error)))) or "no message"
    return f"{type(error).__name__}: {telling_line(error)}{_place(error)}"


def telling_line(error: BaseException) -> str:
    """Return what an exception has to say, without the introductions of TensorFlow and Keras."""
    return _telling(_lines(redacted(_text(error)))) or "no message"


def _lines(text: str) -> list[str]:
    found = (WRAPPED.sub("", line.strip()).strip() for line in STYLE.sub("", text).splitlines())
    return [line for line in found if line]


def _telling(lines: list[str]) -> str:
    """Return the line that tells; by what the first one is."""
    first, rest = (lines or [""])[0], lines[1:]
    if first == "Graph execution error:":
        return f"{first} {_of_graph(rest)}"
    if first.startswith("Exception encountered when calling "):
        return f"{first.rstrip('.')}: {_of_layer(rest)}" if rest else first
    if first == "in user code:":
        raised = [n for n, line in enumerate(rest) if RAISED.match(line)]
        return _telling(_without_name(rest[raised[-1] :])) if raised else " ".join(rest[-1:])
    if first.endswith(":") and rest:  # it only leads to the next one
        return f"{first} {rest[0]}"
    return first


def _of_graph(lines: list[str]) -> str:
    """Return what an operation said, and which: it stands before the operation's name."""
    at = next((n for n, line in enumerate(lines) if NODE.search(line)), None)
    if at:
        node = NODE.search(lines[at])
        return f"{lines[at - 1]} (in {node[1] if node else '?'})"
    plain = (line for line in lines if not line.startswith(("Detected at", "<", "File ")))
    return next(plain, "no message")


def _of_layer(lines: list[str]) -> str:
    """Return what was raised in a layer's call, before the list of its arguments."""
    ends = (n for n, line in enumerate(lines) if line.startswith("Arguments received by"))
    said = lines[: next(ends, len(lines))]
    leads = [n for n, line in enumerate(said) if line.endswith("Error encountered:")]
    return _telling(said[leads[-1] + 1 :] if leads else said) or "no message"


def _without_name(lines: list[str]) -> list[str]:
    """Drop the exception's name: the reason begins with it."""
    return [lines[0].partition(": ")[2], *lines[1:]]


def _text(error: BaseException) -> str:
    try:
        said = str(error)
    except BaseException:  # noqa: BLE001 - a user's exception may do anything
        return "(a message that cannot be made)"
    return said.encode("utf-8", "backslashreplace").decode()


def _place(error: BaseException) -> str:
    """Return where in the user's own code it was raised, as `` (mine.py:12)``.

    A graph runs long after it was traced: its error names the lines that it is from.
    """
    frames = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    traced = DEFINED.findall(_text(error))
    own = [f for f in (*frames, *traced) if _is_own(f[0])]
    return f" ({Path(own[-1][0]).name}:{own[-1][1]})" if own else ""


def _is_own(file: str) -> bool:
    foreign = file.startswith(("<", *LIBRARIES)) or INSTALLED.intersection(Path(file).parts)
    return not foreign and file.endswith(".py")
