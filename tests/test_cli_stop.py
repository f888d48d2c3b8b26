"""What ``sweep stop`` says where nothing is left but the refit."""

import pytest

from sweep.cli.stop import _left
from sweep.study.answers.actions import Stop

BY = "process 7 on vm refits its winner, since 20:50"
REFIT = f"study 'x': {BY}"


@pytest.mark.parametrize(
    ("refit", "at_server", "said"),
    [
        (None, False, "no cell waits or runs; nothing to stop"),
        (None, True, "no cell waits or runs; nothing to stop"),
        (
            REFIT, False, f"only the refit of the winner is left: {BY}; end that there, by Ctrl-C",
        ),
        (
            REFIT, True,
            "only the refit of the winner is left; it ends by itself",
        ),
    ],
)  # fmt: skip
def test_what_is_left(refit, at_server, said):
    """At a server nobody can end it by Ctrl-C; the study is named once."""
    assert _left(Stop("x", requested=False, running=0, refit=refit), at_server=at_server) == said
