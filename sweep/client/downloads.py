"""A study of a server in a temporary folder, where the code for local ledgers reads it."""

from __future__ import annotations

import shutil
import weakref
import zipfile
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import TYPE_CHECKING, Any, BinaryIO

from sweep.client.connection import EXPORT_SECONDS
from sweep.errors import ResultError, ServiceError
from sweep.storage.locations import artifacts_folder, keep_files_beside, sqlite_url
from sweep.support.file_names import expanded, slug
from sweep.support.file_writing import real

if TYPE_CHECKING:
    import os

    from sweep.client.connection import Connection

MOST_BYTES = 4 * 1024**3
"""Bytes that a zip of a server may unpack to."""


class StudyCopy:
    """The ledger of one study, downloaded; its folder lives as long as this object.

    Parameters
    ----------
    connection : Connection
        The server.
    name : str
        The study.

    Attributes
    ----------
    url : str
        Address of the ledger file.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection, self._name = connection, name
        folder = mkdtemp(prefix="sweep-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._has_files = False
        path = Path(folder) / "ledger.db"
        with path.open("wb") as file:
            connection.download(f"/studies/{slug(name)}/ledger", file)
        self.url = sqlite_url(path)
        keep_files_beside(self.url)

    def fetch_files(self, uid: str) -> None:
        """Download the study's pictures and its winner's weights, once."""
        if self._has_files:
            return
        folder = artifacts_folder(self.url, self._name, uid)
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile() as file:
            self._connection.download(f"/studies/{slug(self._name)}/files", file)
            unpack(file, folder)
        self._has_files = True


def download_export(connection: Connection, name: str, folder: str | os.PathLike[str]) -> Path:
    """Write what `sweep export` writes of a study of a server; return the folder.

    Raises
    ------
    ResultError
        If the folder is not empty.
    ServiceError
        If the server cannot export the study.
    """
    given = expanded(folder)
    target = real(given)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ResultError(f"{given}: must be a new or an empty folder; name another one")
    with TemporaryFile() as file:
        connection.download(f"/studies/{slug(name)}/export", file, EXPORT_SECONDS)
        target.mkdir(parents=True, exist_ok=True)
        unpack(file, target)
    return given


def unpack(file: BinaryIO | Any, folder: Path) -> None:
    """Unpack a zip of plain files into a folder.

    Raises
    ------
    ServiceError
        If it is none, or holds anything but plain files of bearable size.
    """
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            for entry in entries:
                _check_entry(entry.filename)
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise ServiceError("the server sent more than a study can have; nothing was kept")
            archive.extractall(folder, members=entries)
    except zipfile.BadZipFile as error:
        raise ServiceError(f"the server did not send what it should: {error}") from error


def _check_entry(name: str) -> None:
    """Refuse a name that leads out of the folder."""
    if name in ("", ".", "..") or any(each in name for each in "/\\\0:"):
        raise ServiceError(f"the server sent a file named {ascii(name)[:80]}; nothing was kept")
