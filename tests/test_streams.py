"""A command, or a notebook's process, that was started without its standard streams."""

import os
import subprocess
import sys

import pytest
from commands import ROOT

OPENED = """
from sweep.cli.streams import open_streams
open_streams()
import os, sys
print("lost", file=sys.stderr)
assert [os.fstat(n) and each is not None
        for n, each in enumerate((sys.stdin, sys.stdout, sys.stderr))] == [True] * 3
os._exit(open(sys.argv[1], "w").fileno())
"""
HELD_BACK = """
import os
from sweep.support.tensorflow_loading import without_noise
with without_noise():
    inside = True
os._exit(7 if inside else 1)
"""


def python(code, closed, *words):
    """Run Python with some streams closed; return its status."""
    line = f'exec "$@" {closed}'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["sh", "-c", line, "sh", sys.executable, "-c", code, *map(str, words)],
        env=environment, check=False, timeout=60,
    ).returncode  # fmt: skip


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_of_ours_takes_the_number_of_a_closed_stream(tmp_path, closed):
    """What others write to standard error does not land in it; printing is no error."""
    assert python(OPENED, closed, tmp_path / "file") >= 3


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_error_is_nothing_to_hold_back(closed):
    """TensorFlow is loaded all the same."""
    assert python(HELD_BACK, closed) == 7
