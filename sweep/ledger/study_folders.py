"""Folders of studies; a file in each names its owner, so that no study deletes another's folder."""

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
"""Bytes read at most; an owner file has about 200."""


@dataclass(frozen=True)
class Owner:
    """The study that a folder belongs to.

    Attributes
    ----------
    ledger : str
        Identifier of the ledger; empty for a study of an older version.
    place : str
        Where that ledger is: a copy of a ledger file does not own the files of the original.
    study, uid : str
        The study's name and identifier.
    """

    ledger: str
    place: str
    study: str
    uid: str


def ledger_id(ledger: Studies) -> str:
    """Return the ledger's identifier, which its studies share; a new one for the first study."""
    known = (header.get("ledger") for _, header in ledger.headers() if isinstance(header, dict))
    return next((str(each) for each in known if each), uuid4().hex)


def place_of(url: str) -> str:
    """Return where a ledger is: its file, relative to the artifacts' folder, or its database."""
    from sqlalchemy.engine import make_url

    path = sqlite_path(url)
    if path is None:
        return f"database {make_url(url).database}"
    return f"file {os.path.relpath(path.resolve(), artifacts_root(url).resolve())}"


def owner(ledger: Studies, name: str) -> Owner:
    """Return the owner that the study writes into its folder."""
    header = ledger.header(name)
    uid = str(header.get("uid", ""))
    return Owner(str(header.get("ledger", "")), place_of(ledger.url), name, uid)


def study_folder(ledger: Studies, name: str) -> Path:
    """Return the folder with a study's weights and pictures.

    Raises
    ------
    LedgerError
        If the study's uid cannot be used as a folder's name.
    """
    return artifacts_folder(ledger.url, name, ledger.header(name).get("uid", ""))


def own_folder(ledger: Studies, name: str) -> Path:
    """Return the folder of a study for writing; create it, with its owner file, if it is missing.

    A folder that cannot be created raises no error here: writing into it will.
    """
    folder, ours = study_folder(ledger, name), owner(ledger, name)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if ours.uid and not any(folder.iterdir()):
            (folder / OWNER).write_text(json.dumps(asdict(ours), indent=1), encoding="utf-8")
    return folder


def owner_of(folder: Path) -> Owner | None:
    """Return the owner named in a folder; None without a valid owner file of this folder."""
    with suppress(OSError, ValueError, TypeError, RecursionError):
        with (folder / OWNER).open("rb") as file:
            owner = Owner(**json.loads(file.read(LARGEST)))
        if owner.uid == folder.name:  # not a copy of another folder
            return owner
    return None
