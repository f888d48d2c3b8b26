"""A cell that is broken off counts as that, whatever its libraries make of the exception."""

import signal
import subprocess
import sys

import pytest

from sweep.workers.resource_limits import TrialTimeoutError, time_limit

WORKER = """
import signal
from sweep.workers.control import Control, StopWork

def convert():
    try:
        signal.raise_signal(signal.SIGTERM)
    except BaseException as error:  # as TensorFlow does while it asks an object for its type
        raise TypeError("Failed to convert elements to Tensor") from error

def swallow():
    try:
        signal.raise_signal(signal.SIGTERM)
    except BaseException:
        pass

control = Control()
control.first_order()
for work in (convert, swallow):
    control.stopping = False
    try:
        with control.interruptible():
            work()
        control.tell("whole")
    except BaseException as error:
        control.tell(type(error).__name__)
control.stopping = False
try:
    with control.interruptible():
        raise TypeError("of the cell's own")
except TypeError as error:
    control.tell("own")
"""


def test_a_cell_that_was_broken_off_is_neither_failed_nor_whole():
    """Now and then a stop within a first fit was recorded as a failure, and never tried again."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        worker.stdin.write("a job\n")
        worker.stdin.flush()
        said = [worker.stdout.readline() for _ in range(3)]
        worker.kill()
    assert said == [f'{{"event": "{word}"}}\n' for word in ("StopWork", "StopWork", "own")]


@pytest.mark.parametrize("made", [TypeError, None], ids=["another error", "swallowed"])
def test_a_cell_over_its_time_says_so(made):
    """Whatever is made of the exception that breaks it off."""
    recorded = []

    def cell():
        with time_limit(60, recorded.append):
            try:
                signal.raise_signal(signal.SIGALRM)
            except TrialTimeoutError as error:
                if made:
                    raise made("Failed to convert elements to Tensor") from error

    with pytest.raises(TrialTimeoutError, match="trial_timeout = 60 s"):
        cell()
    with time_limit(60, recorded.append):
        pass
    assert recorded == []
