"""Uploaded datasets: received piece by piece, checked, put in place as a whole or not at all.

They lie in one folder (see :func:`sweep.service.handing_in.uploads_folder`), each under its name:
an ``.npz`` file, or a folder of class folders, or of pictures with a table of labels. Its hidden
folder ``.uploads`` holds what is still on its way (``parts``) and who uploaded what (``about``).
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import threading
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from anyio.to_thread import run_sync

from sweep.datasets import DATASETS
from sweep.service.dataset_reader import read_in_new_process
from sweep.service.handing_in import HIDDEN, uploads_folder
from sweep.service.problems import RefusedError
from sweep.service.tokens import now
from sweep.service.unpacking import unpack
from sweep.service.zip_entries import UploadError, dataset_of, open_zip, too_large
from sweep.storage.locations import mapped_folder
from sweep.support.disk_space import size_of
from sweep.support.file_names import LENGTH, TAKEN
from sweep.support.file_writing import write_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from sweep.service.dataset_reader import Reading
    from sweep.service.settings import Limits, Settings

PARTS, ABOUT = "parts", "about"
RECEIVED = ".received"
NPZ, ZIP = ".npz", ".zip"
PIECE = 1024 * 1024
OLD_SECONDS = 24 * 3600
"""A part of an upload that is so old is removed: the server was killed."""
RESERVE = 512 * 1024 * 1024
"""Bytes that stay free on the disk: the ledger may be on it."""
PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]*")

_placing = threading.Lock()


@dataclass(frozen=True)
class About:
    """What is kept about an upload.

    Attributes
    ----------
    owner, uploaded_at : str
        Who, and when (ISO time).
    bytes, files : int
        Size on the disk, and number of files.
    left_out : sequence of str
        Files of the zip that are no pictures.
    facts : mapping
        See :class:`sweep.service.dataset_reader.Reading`.
    """

    owner: str = ""
    uploaded_at: str = ""
    bytes: int = 0
    files: int = 0
    left_out: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def checked_name(name: str) -> str:
    """Return the name under which studies find an upload; ``.zip`` at its end is dropped.

    Raises
    ------
    RefusedError
        422 for any but small letters, digits, ``-`` and ``_``, and ``.npz`` for arrays.
    """
    name = name.removesuffix(ZIP)
    stem = name.removesuffix(NPZ)
    if not PLAIN.fullmatch(stem) or len(stem) > LENGTH or stem in TAKEN:
        raise RefusedError(
            422,
            f"The name of a dataset must be 1 to {LENGTH} small letters, digits, - and _, with "
            f".npz at its end for a file of arrays; got {name[:80]!r}.",
        )
    if name in DATASETS:
        raise RefusedError(422, f"{name} is a built-in dataset; give yours another name.")
    return name


def name_from_file(filename: str) -> str:
    """Return a name for a file that was chosen in a browser."""
    name = filename.replace("\\", "/").rpartition("/")[2].lower().removesuffix(ZIP)
    stem, ending = name.removesuffix(NPZ), NPZ if name.endswith(NPZ) else ""
    return re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:LENGTH] + ending


def check_free(settings: Settings, name: str) -> None:
    """Refuse a name that is taken: nobody replaces a dataset on which studies ran.

    Raises
    ------
    RefusedError
        409.
    """
    if os.path.lexists(uploads_folder(settings) / name):
        raise RefusedError(409, f"A dataset named {name} is there; give yours another name.")


def check_room(folder: Path, size: int) -> None:
    """Refuse what would fill the disk.

    Raises
    ------
    RefusedError
        507.
    """
    if shutil.disk_usage(folder).free - size < RESERVE:
        raise RefusedError(507, "The server has no room left for this upload; tell its owner.")


@asynccontextmanager
async def work_folder(settings: Settings) -> AsyncIterator[Path]:
    """Yield a new folder for one upload; it is removed whatever happens."""
    parts = uploads_folder(settings) / HIDDEN / PARTS
    work = parts / secrets.token_hex(8)
    try:
        await run_sync(_begin, parts, work)
        yield work
    except OSError as error:
        raise RefusedError(507, f"The server cannot keep the upload: {error.strerror}.") from error
    finally:
        with anyio.CancelScope(shield=True):
            await run_sync(partial(shutil.rmtree, work, ignore_errors=True))


def _begin(parts: Path, work: Path) -> None:
    with suppress(FileNotFoundError):
        for each in parts.iterdir():
            if time.time() - each.stat().st_mtime > OLD_SECONDS:
                shutil.rmtree(each, ignore_errors=True)
    work.mkdir(parents=True)


class Receiver:
    """Write what arrives of an upload to the disk, without holding up other requests.

    Parameters
    ----------
    work : Path
        See :func:`work_folder`.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        self._file = (work / RECEIVED).open("xb")
        self._held = bytearray()

    async def take(self, piece: bytes) -> None:
        """Take a piece."""
        self._held += piece
        if len(self._held) >= PIECE:
            await self._flush()

    async def end(self) -> None:
        """Write the rest."""
        await self._flush()
        await run_sync(os.fsync, self._file.fileno())

    def close(self) -> None:
        """Close the file, whole or not."""
        self._file.close()

    async def _flush(self) -> None:
        held, self._held = self._held, bytearray()
        await run_sync(self._write, held)

    def _write(self, data: bytearray) -> None:
        check_room(self._work, len(data))
        self._file.write(data)
        self._file.flush()


def store(settings: Settings, work: Path, name: str, owner: str) -> About:
    """Check what was received and put it in its place.

    Parameters
    ----------
    settings : Settings
        What this server allows.
    work : Path
        The folder that holds what was received.
    name : str
        The dataset's name; see :func:`checked_name`.
    owner : str
        Who uploads it.

    Raises
    ------
    RefusedError
        422 for what is no dataset, with all problems; 409 where the name is taken.
    """
    check_free(settings, name)
    try:
        files, left_out = _prepared(work, name, settings.limits)
        reading = _read(name, work, mapped_folder(settings.storage))
    except UploadError as error:
        raise _refused(error) from error
    size = size_of(work / name)
    about = About(owner, now(), size, files, left_out, reading.facts)
    _place(settings, work, name, about, reading)
    return about


def read_about(settings: Settings, name: str) -> About:
    """Return what is kept about an upload; nothing where somebody put it there by hand."""
    with suppress(OSError, ValueError, TypeError):
        return About(**json.loads(_about(settings, name).read_text("utf-8")))
    return About()


def read_albums(settings: Settings, name: str) -> list[Mapping[str, Any]] | None:
    """Return the pictures that are kept of an upload; None where there are none."""
    with suppress(OSError, ValueError):
        found: list[Mapping[str, Any]] = json.loads(_albums(settings, name).read_text("utf-8"))
        return found
    return None


def remove(settings: Settings, name: str) -> None:
    """Delete an upload: it is gone at once, its files a moment later."""
    folder = uploads_folder(settings)
    gone = folder / HIDDEN / PARTS / secrets.token_hex(8)
    gone.mkdir(parents=True)
    with _placing:
        (folder / name).rename(gone / name)
        _about(settings, name).unlink(missing_ok=True)
        _albums(settings, name).unlink(missing_ok=True)
    shutil.rmtree(gone, ignore_errors=True)


def _prepared(work: Path, name: str, limits: Limits) -> tuple[int, Sequence[str]]:
    """Give what was received the dataset's name, unpacked where it is a zip of pictures."""
    received, target = work / RECEIVED, work / name
    if not name.endswith(NPZ):
        found = unpack(received, target, limits, partial(check_room, work))
        received.unlink()
        return found
    remedy = "save the arrays with numpy.savez again, and upload all of the file"
    with open_zip(received, limits, remedy) as archive:
        if sum(each.file_size for each in archive.infolist()) > limits.unpacked:
            raise UploadError(too_large(limits))
    received.rename(target)
    return 1, ()


def _read(name: str, work: Path, mapped: Path) -> Reading:
    """Read the dataset as a study would; all that is wrong with it is refused."""
    found = read_in_new_process(dataset_of(work / name), work, None, mapped)
    if not isinstance(found, str):
        return found
    first, *more = found.splitlines()
    raise UploadError(*([each.strip() for each in more] or [first]))


def _place(settings: Settings, work: Path, name: str, about: About, reading: Reading) -> None:
    """Put a dataset in its place, where no other is; what is kept about it comes first."""
    with _placing:
        check_free(settings, name)
        try:
            write_file(_albums(settings, name), json.dumps(reading.albums))
            write_file(_about(settings, name), json.dumps(asdict(about)))
            (work / name).rename(uploads_folder(settings) / name)
        except BaseException:
            _about(settings, name).unlink(missing_ok=True)
            _albums(settings, name).unlink(missing_ok=True)
            raise


def _about(settings: Settings, name: str) -> Path:
    return uploads_folder(settings) / HIDDEN / ABOUT / f"{name}.json"


def _albums(settings: Settings, name: str) -> Path:
    return uploads_folder(settings) / HIDDEN / ABOUT / f"{name}.pictures.json"


def _refused(error: UploadError) -> RefusedError:
    problems = [{"path": "", "line": None, "message": each} for each in error.problems]
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return RefusedError(422, f"The dataset has {count}.", problems)
