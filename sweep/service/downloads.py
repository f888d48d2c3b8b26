"""``/api/v1``: whole studies as files: a ledger of one study, its pictures and weights, an export.

``sweep --server`` and ``sweep.connect`` read what they download with the code that reads a local
ledger.
"""

from __future__ import annotations

import os
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from sweep.ledger.ledger import Ledger
from sweep.ledger.study_copy import copy_study
from sweep.ledger.study_folders import study_folder
from sweep.report.comparison import checked_baseline
from sweep.service.access import Services, StudyName, name_at, role
from sweep.service.api import as_json
from sweep.service.app import Service
from sweep.service.child_process import run_child
from sweep.service.problems import RefusedError
from sweep.service.settings import Settings
from sweep.service.states import queued
from sweep.study.answers.comparison import comparison, plain_comparison
from sweep.study.answers.opening import find_study
from sweep.support.file_names import slug
from sweep.support.redaction import redacted

router = APIRouter(prefix="/api/v1", tags=["read"], dependencies=[role("read")])
PIECE = 256 * 1024
EXPORT_SECONDS = 600
BUSY_SECONDS = 60
FILES = (".npz",)
"""Endings of a study's files that readers need: pictures, the winner's weights."""
WINNER, NEVER = "winner.", ".joblib"
"""What the names of the winner's files begin with; a pickle is not sent: it would run code."""
_exporting = threading.Semaphore(1)
"""An export loads TensorFlow in a process of its own; one at a time is enough."""


@router.get("/studies/{key}/ledger")
def ledger(service: Services, name: StudyName) -> Response:
    """Return an SQLite ledger that holds this study and its outer folds alone."""
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        path = Path(folder) / "ledger.db"
        with closing(Ledger(service.settings.storage, reading=True)) as source:
            copy_study(source, name, path)
        return _sent(path.open("rb"), f"{slug(name)}.db", "application/vnd.sqlite3")


@router.get("/studies/{key}/files")
def files(service: Services, name: StudyName) -> Response:
    """Return the files of a study, zipped: pictures, and the weights of its winner."""
    folder = study_folder(service.reader, name)
    return _zipped(_own_files(folder), f"{slug(name)}-files.zip")


@router.get("/studies/{key}/export")
def export(service: Services, name: StudyName) -> Response:
    """Return what `sweep export` writes, zipped; it takes some seconds."""
    _check_winner(service, name)
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        target = Path(folder) / "export"
        _export(service.settings, name, target)
        return _zipped(sorted(target.iterdir()), f"{slug(name)}-export.zip")


@router.get("/compare")
def compare(
    service: Services, key: Annotated[list[str], Query()], baseline: str | None = None
) -> Response:
    """Compare studies, as `sweep compare --format json` does; all named by their addresses."""
    names = [name_at(service, each) for each in key]
    place = checked_baseline(names, None if baseline is None else name_at(service, baseline))
    found = (find_study(service.settings.storage, name).record for name in names)
    records = [queued(service, record) for record in found]
    return as_json(plain_comparison(comparison(records, records[place])))


def _own_files(folder: Path) -> list[Path]:
    """Return the files in a study's folder that readers need; a link may lead elsewhere."""
    if not folder.is_dir():
        return []
    found = [each for each in sorted(folder.iterdir()) if each.suffix != NEVER]
    found = [each for each in found if each.suffix in FILES or each.name.startswith(WINNER)]
    return [each for each in found if each.is_file() and not each.is_symlink()]


def _check_winner(service: Service, name: str) -> None:
    """Refuse an export that cannot be, before a process is started for it."""
    found = find_study(service.settings.storage, name)
    if found.record.winner is None:
        why = found.why_no_winner()
        raise RefusedError(422, f"study {name!r} has no refitted winner: {why}")
    if not any(study_folder(service.reader, name).glob(f"{WINNER}*")):
        raise RefusedError(
            422,
            f"the weights of the winner of study {name!r} are not on the server: they lie where "
            "it was refitted; let SWEEP_ARTIFACTS name a folder that all machines see",
        )


def _export(settings: Settings, name: str, target: Path) -> None:
    """Export a study's winner in a process of its own: this one loads no TensorFlow."""
    allow = [word for module in settings.allow for word in ("--allow", module)]
    done = run_child(
        ["-m", "sweep", "export", "-o", str(target), *allow, "--", name], _exporting,
        patience=BUSY_SECONDS, seconds=EXPORT_SECONDS, env=_environment(settings),
        busy="Another export is being written; ask again in a moment.",
        late=f"The export took more than {EXPORT_SECONDS} seconds.",
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip() or "the export failed"
        raise RefusedError(422, redacted(said.removeprefix("error: ")))


def _environment(settings: Settings) -> dict[str, str]:
    """Return the environment of `sweep export`: the ledger's address may hold a password."""
    known = {key: value for key, value in os.environ.items() if key != "SWEEP_SERVER"}
    return {**known, "SWEEP_STORAGE": settings.storage}


def _zipped(paths: list[Path], name: str) -> Response:
    file = tempfile.TemporaryFile(prefix="sweep-")  # noqa: SIM115 - sent after this has returned
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # they are packed themselves
        for path in paths:
            archive.write(path, path.name)
    file.seek(0)
    return _sent(file, name, "application/zip")


def _sent(file: Any, name: str, kind: str) -> Response:
    """Send an open file and close it; its name may be gone already."""
    size = os.fstat(file.fileno()).st_size
    headers = {
        "content-length": str(size), "content-disposition": f'attachment; filename="{name}"',
    }  # fmt: skip
    return StreamingResponse(_pieces(file), headers=headers, media_type=kind)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
