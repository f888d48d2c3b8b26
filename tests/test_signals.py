"""Ctrl-C and SIGTERM are heard, wherever Python is when they come."""

import signal
import sys
import time
import weakref

import pytest

from sweep.cli.signals import Terminated, heard


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_that_a_callback_swallows_is_raised_a_moment_later(number, kind):
    """Python drops what a weak reference's callback raises; a worker went on waiting for ever."""
    before, held = sys.unraisablehook, []

    def swallowed():
        reference = weakref.ref(
            owned := type("Owned", (), {})(), lambda _: signal.raise_signal(number)
        )
        del owned
        held.append(reference())  # the callback has run, and here nothing was raised
        time.sleep(10)

    with pytest.raises(KeyboardInterrupt) as raised, heard():
        swallowed()
    assert raised.type is kind
    assert held == [None]
    assert sys.unraisablehook is before


def test_what_else_a_callback_raises_is_told_as_before(monkeypatch):
    """Only signals are taken from Python's own word on it."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: told.append(what.exc_type))
    reference = weakref.ref(owned := type("Owned", (), {})(), lambda _: 1 / 0)
    with heard():
        del owned
    assert reference() is None
    assert told == [ZeroDivisionError]
