"""The exceptions of sweep: one base, and beside it the fitting builtin.

::

    SweepError
    ├── StudyFileError (ValueError)      a study file does not say what it must
    ├── ImportFileError (ValueError)     another tool's results cannot be imported as they are
    ├── SearchSpaceError (ValueError)    a space given in Python does not say what it must
    ├── ReferenceError_ (ImportError)    "module:function" cannot be or may not be loaded
    │   └── StudyReferenceError          a study file names it (a StudyFileError too)
    ├── DataError (ValueError)           a dataset is missing, broken, or does not fit
    ├── ModelError (ValueError)          a model cannot be built as asked
    │   ├── ModelMisfitError             a model is built for other rows or classes than the data's
    │   └── NoModelError                 a factory returns something else than a model
    ├── DivergedError (ArithmeticError)  a fit whose weights or predictions are no finite numbers
    ├── LedgerError (RuntimeError)       the ledger cannot be opened, read or written
    │   ├── StudyNotFoundError (KeyError)
    │   └── StudyChangedError            same name, another question
    ├── ResultError (ValueError)         a table, pivot or report cannot be made as asked
    ├── DashboardError (OSError)         the dashboard cannot be served as asked
    ├── ServiceError (ValueError)        the service cannot start, or do, as asked
    ├── DeviceError (ValueError)         a GPU that is asked for cannot be used
    ├── ClusterError (OSError)           a cluster cannot be used as asked, or is gone
    ├── SetupError (RuntimeError)        Keras or TensorFlow cannot be used as it is loaded here
    └── InterruptedRunError              a run was stopped by a signal

Every message says the rule, the value it got, and the remedy. The command line prints the
message alone and exits with ``exit_status``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class SweepError(Exception):
    """Base of every error that sweep raises on purpose."""

    exit_status = 2


class StudyFileError(SweepError, ValueError):
    """A study file with problems: all of them, each with its place.

    Parameters
    ----------
    source : str
        The file (or ``"study"``) that holds the problems.
    problems : list of str
        One line each: place, rule, value, remedy.
    places : sequence of (str, int or None, str), optional
        The same problems in parts: the key, its line in the file, the rest of the message.
    """

    def __init__(
        self, source: str, problems: list[str], places: Sequence[tuple[str, int | None, str]] = ()
    ) -> None:
        self.source = source
        self.problems = problems
        self.places = tuple(places) or tuple(("", None, each) for each in problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {p}" for p in problems)]))


class ImportFileError(SweepError, ValueError):
    """Another tool's results that cannot be imported, with everything that is wrong in them.

    Parameters
    ----------
    source : str
        The file, folder or database.
    problems : list of str
        One line each: row, column, rule, value, remedy.
    """

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {p}" for p in problems)]))


class SearchSpaceError(SweepError, ValueError):
    """A search space given in Python, with everything that is wrong in it.

    Parameters
    ----------
    problems : list of str
        One line each: place, rule, value, remedy.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class ReferenceError_(SweepError, ImportError):  # noqa: N801, N818 - ReferenceError is a builtin
    """A ``"module:function"`` string that cannot, or may not, be loaded.

    Attributes
    ----------
    reference : str
        The string; empty where it is not known.
    """

    reference = ""


class StudyReferenceError(StudyFileError, ReferenceError_):
    """A study file names code that cannot, or may not, be loaded; with its line."""


class DataError(SweepError, ValueError):
    """A dataset that is missing, broken, or does not fit what is asked of it."""


class ModelError(SweepError, ValueError):
    """A model that cannot be built as asked; names the layer."""


class ModelMisfitError(ModelError):
    """A model is built for other rows, or another number of classes, than the data have."""


class NoModelError(ModelError):
    """A factory returns something else than a model."""


class DivergedError(SweepError, ArithmeticError):
    """A fit whose weights or predictions are no finite numbers: it predicts nothing."""


class LedgerError(SweepError, RuntimeError):
    """The ledger cannot be opened, read or written."""


class LedgerAwayError(LedgerError):
    """The ledger cannot be read or written for now: locked, on a full disk, its server away."""


class StudyNotFoundError(LedgerError, KeyError):
    """No study of that name in the ledger."""

    def __str__(self) -> str:
        return str(self.args[0])


class StudyChangedError(LedgerError):
    """The study file under a known name asks another question than the ledger holds."""


class DataChangedError(StudyChangedError):
    """A study ran on other data than there are here.

    Parameters
    ----------
    difference : str
        Which study, and both fingerprints.
    remedy : str
        What to do about it, here.
    """

    def __init__(self, difference: str, remedy: str = "") -> None:
        self.difference = difference
        super().__init__(f"{difference}; {remedy}" if remedy else difference)


class ResultError(SweepError, ValueError):
    """A table, pivot or report that cannot be made as asked."""


class DashboardError(SweepError, OSError):
    """The dashboard cannot be served as asked: an extra, a setting or a port is missing."""


class ServiceError(SweepError, ValueError):
    """The service cannot start as asked, or a server refuses what it is asked."""


class DeviceError(SweepError, ValueError):
    """A GPU that is asked for is not there, or cannot be used."""


class ClusterError(SweepError, OSError):
    """A cluster cannot be used as asked, or its scheduler is gone; what is done is kept."""


class SetupError(SweepError, RuntimeError):
    """Keras or TensorFlow cannot be used in this process as it is loaded, or being loaded."""


class InterruptedRunError(SweepError):
    """A run stopped by a signal; what was finished is in the ledger."""

    exit_status = 130


class SettingWarning(UserWarning):
    """A setting from outside that is left aside, so that results do not depend on it."""


class NotRepeatableWarning(UserWarning):
    """A model that two fits under one seed may train differently."""
