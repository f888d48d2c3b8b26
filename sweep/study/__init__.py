"""What a command line, a notebook or a service calls: check, submit, run, open a study.

Nothing is loaded before it is asked for: the names of studies, which a shell completes, need none
of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.support.lazy_package import lazy_package

if TYPE_CHECKING:
    from sweep.study.check import Check, check_study
    from sweep.study.result import StudyResult, open_study
    from sweep.study.run import run_study

__all__ = ["Check", "StudyResult", "check_study", "open_study", "run_study"]

_HOMES = {
    "Check": "sweep.study.check",
    "StudyResult": "sweep.study.result",
    "check_study": "sweep.study.check",
    "open_study": "sweep.study.result",
    "run_study": "sweep.study.run",
}

__getattr__, __dir__ = lazy_package(globals(), _HOMES)
