"""The three standard streams as every command has them, whatever the shell gave.

What goes wrong on standard output is said once, in one line; a reader that is gone ends the
command without a word. Messages that standard error does not take are dropped: they are no
reason to lose a run.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from typing import Any, TextIO

from sweep.errors import SweepError

UNREAD = 128 + signal.SIGPIPE
"""Exit status where the reader of standard output is gone, as of a process that SIGPIPE ends."""


class OutputError(Exception):
    """Standard output takes no more: its disk is full, or nobody reads it any longer.

    Parameters
    ----------
    error : OSError
        What the system says.
    """

    def __init__(self, error: OSError) -> None:
        self.is_unread = error.errno == errno.EPIPE
        self.exit_status = UNREAD if self.is_unread else SweepError.exit_status
        super().__init__(f"standard output cannot be written: {error.strerror}")


class _Output(io.FileIO):
    """Standard output; what comes after a failure is dropped, as nobody will see it."""

    failed = False

    def write(self, data: Any, /) -> Any:
        if not self.failed:
            try:
                return super().write(data)
            except OSError as error:
                self.failed = True
                raise OutputError(error) from error
        return memoryview(data).nbytes


class _Messages(io.FileIO):
    """Standard error; what it does not take is dropped."""

    def write(self, data: Any, /) -> Any:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def open_streams() -> None:
    """Have the three standard streams open: the next file would take the number of a closed one.

    What TensorFlow or a person's code then writes to standard error would land in that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: just this one
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Output(1, "w", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_Messages(2, "w", closefd=False), sys.stderr)


def _text(raw: io.FileIO, like: TextIO | None) -> io.TextIOWrapper:
    """Return a stream of text over ``raw``; a character that its encoding lacks is a ``?``."""
    encoding = None if like is None else like.encoding
    lines = like is None or bool(like.line_buffering)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, "replace", line_buffering=lines)
