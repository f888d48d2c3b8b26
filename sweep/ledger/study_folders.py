"""Folders of studies, and the file in each that says whose it is: nobody removes another's."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from sweep.storage.locations import artifacts_folder, artifacts_root, sqlite_path

if TYPE_CHECKING:
    from pathlib import Path

    from sweep.ledger.studies import Studies

OWNER = "owner.json"
LARGEST = 10_000
"""Bytes; an owner file has about two hundred."""


@dataclass(frozen=True)
class Owner:
    """The study that a folder belongs to.

    Attributes
    ----------
    ledger : str
        What the studies of one ledger share; empty for a study of an older version.
    place : str
        Where that ledger is: a copy of a ledger in a file does not own what the original wrote.
    study, uid : str
        The study.
    """

    ledger: str
    place: str
    study: str
    uid: str


def ledger_id(ledger: Studies) -> str:
    """Return what tells this ledger's studies from those of others: new for the first study."""
    held = (header.get("ledger") for _, header in ledger.headers() if isinstance(header, dict))
    return next((str(each) for each in held if each), uuid4().hex)


def place_of(url: str) -> str:
    """Return where a ledger is: its file, as seen from the folder of artifacts, or its database."""
    from sqlalchemy.engine import make_url

    path = sqlite_path(url)
    if path is None:
        return f"database {make_url(url).database}"
    return f"file {os.path.relpath(path.resolve(), artifacts_root(url).resolve())}"


def owner(ledger: Studies, name: str) -> Owner:
    """Return what the folder of a study says if the study has made it."""
    header = ledger.header(name)
    uid = str(header.get("uid", ""))
    return Owner(str(header.get("ledger", "")), place_of(ledger.url), name, uid)


def study_folder(ledger: Studies, name: str) -> Path:
    """Return the folder with a study's weights and pictures.

    Raises
    ------
    LedgerError
        If the ledger holds no uid that may name a folder.
    """
    return artifacts_folder(ledger.url, name, ledger.header(name).get("uid", ""))


def own_folder(ledger: Studies, name: str) -> Path:
    """Return the folder of a study to write into; a new one says whose it is.

    One that cannot be made is told of by whoever writes into it.
    """
    folder, ours = study_folder(ledger, name), owner(ledger, name)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if ours.uid and not any(folder.iterdir()):
            (folder / OWNER).write_text(json.dumps(asdict(ours), indent=1), encoding="utf-8")
    return folder


def owner_of(folder: Path) -> Owner | None:
    """Return what a folder says of its study; None where it says nothing, or something else."""
    with suppress(OSError, ValueError, TypeError, RecursionError):
        with (folder / OWNER).open("rb") as file:
            said = Owner(**json.loads(file.read(LARGEST)))
        if said.uid == folder.name:  # not a copy of another folder
            return said
    return None
