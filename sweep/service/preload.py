"""Load the libraries that the first study needs while nobody waits; keep the data of the last."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

from sweep.datasets.last_file import last_file

LIBRARIES = (
    "sqlalchemy.orm", "optuna.samplers", "optuna.storages", "pandas", "scipy.stats",
    "sklearn.datasets", "sklearn.metrics", "sklearn.model_selection",
    "sweep.study.submit", "sweep.study.answers.best", "sweep.study.answers.leaderboard",
    "sweep.report.page", "matplotlib.figure",
)  # fmt: skip


def load_libraries() -> None:
    """Import what checking, handing in and reading a study take; no TensorFlow."""
    last_file.enable()
    for name in LIBRARIES:
        with suppress(ImportError):  # who needs it says so
            import_module(name)
