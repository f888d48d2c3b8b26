"""The job that a worker gets when it starts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

RECYCLE = 3
"""Exit status of a worker that wants another in its place."""


@dataclass(frozen=True)
class Job:
    """A worker's orders, one line of JSON on its standard input.

    Attributes
    ----------
    storage : str
        The ledger's address; on standard input, so that no process list shows a password.
    study : str
        The study's name.
    data_home : str or None
        Folder with ``mnist.npz`` and the like.
    allow : tuple of str
        Modules that the person allows.
    elsewhere : bool
        Whether another machine may load other data: they are compared with the study's.
    data : str
        Where the run shares the dataset with its workers; empty where each loads its own.
    log : str
        The file that the worker prints into from now on; empty for the one it was started with.
    code : str
        The user's own code as the run has found it: a worker that finds other code refuses.
    build : str
        A model to build once, and no cell to take:
        a :class:`sweep.evaluation.trial_build.TrialBuild` as text.
    """

    storage: str = field(repr=False)  # it may hold a password, and others log what they run
    study: str
    data_home: str | None = None
    allow: tuple[str, ...] = ()
    elsewhere: bool = False
    data: str = ""
    log: str = ""
    code: str = ""
    build: str = ""

    def line(self) -> str:
        """Return the job as one line."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Job:
        """Read what :meth:`line` wrote."""
        plain = json.loads(line)
        return cls(**{**plain, "allow": tuple(plain["allow"])})
