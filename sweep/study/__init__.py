"""What a command line, a notebook or a service calls: check, submit, run, open a study."""

from sweep.study.check import Check, check_study
from sweep.study.result import StudyResult, open_study
from sweep.study.run import run_study

__all__ = ["Check", "StudyResult", "check_study", "open_study", "run_study"]
