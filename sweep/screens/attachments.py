"""Files of a study that a tool keeps beside its runs: report, study file, the winner's model."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweep.study.result import StudyResult

REPORT, STUDY_FILE, MODEL = "report.html", "study.toml", "model"


@contextmanager
def attached(result: StudyResult | None) -> Iterator[Path | None]:
    """Write a study's files into a folder that is there for a while; None for no study.

    The model is left out where no winner is refitted.
    """
    if result is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        home = Path(folder)
        (home / STUDY_FILE).write_text(result.record.source, encoding="utf-8")
        if result.record.winner is not None:
            from sweep.support.tensorflow_loading import load_tensorflow

            load_tensorflow()
            result.export(home / MODEL)
        result.report(home / REPORT)
        yield home
