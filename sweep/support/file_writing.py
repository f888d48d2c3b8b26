"""Files that a person names: each appears whole or not at all, and stays the kind of file it was.

A link is followed: the file that it points at is replaced, the link stays. What is no ordinary
file, a pipe or a device, is written into and never replaced.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from sweep.support.file_names import expanded

FIXED = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS)
"""A file cannot be replaced: its folder is closed, it is another person's, or a mount point."""
DISKLESS = (errno.EINVAL, errno.ENOTSUP)
"""A pipe or a device has no disk that one could wait for."""
OPENED = Path("/proc/self/fd")


def write_file(path: str | os.PathLike[str], text: str) -> Path:
    """Write a file in place of what is there; its folder is made where it is missing.

    Permission bits and owner of a file that is there are kept. Where it may be written but not
    replaced, for its folder is closed to this user, it is written into.

    Parameters
    ----------
    path : path-like
        The file.
    text : str
        What it shall hold, in UTF-8.

    Returns
    -------
    Path
        The file, as it was named.

    Raises
    ------
    OSError
        Naming the file, where it cannot be written.
    """
    target = expanded(path)
    real(target).parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(target, text.encode())
    except OSError as error:
        raise _of(target, error) from error
    return target


def make_file(path: str | os.PathLike[str], text: str) -> Path:
    """Write a file that is not there yet; its folder is made where it is missing.

    Raises
    ------
    FileExistsError
        If something is there, be it a link to nothing.
    OSError
        Naming the file, where it cannot be written.
    """
    target = expanded(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:
            try:
                _fill(file.fileno(), text.encode())
            except BaseException:
                target.unlink()
                raise
    except OSError as error:
        raise _of(target, error) from error
    return target


def is_replaced(path: str | os.PathLike[str]) -> bool:
    """Return whether writing replaces what is there: it is an ordinary file, or nothing yet."""
    target = expanded(path)
    return not target.exists() or _is_ordinary(target)


def take_place(part: Path, target: Path) -> None:
    """Put a file that is whole in the place of another, with the other's owner and bits.

    Both lie in one folder; ``target`` is no link.
    """
    with part.open("rb") as held:
        _become(held.fileno(), target)
    part.replace(target)


def real(path: Path) -> Path:
    """Return the file that a path stands for, links followed, be it there or not."""
    return Path(os.path.realpath(path))


def _write(target: Path, data: bytes) -> None:
    there = target.exists()
    if not there or _is_ordinary(target):
        try:
            return _replace(real(target), data)
        except OSError as error:
            if not there or error.errno not in FIXED:
                raise
    opened = os.open(target, os.O_WRONLY | os.O_TRUNC)
    try:
        _fill(opened, data)
    finally:
        os.close(opened)
    return None


def _is_ordinary(target: Path) -> bool:
    """Return whether it is a file that may be written and has a name that can be given anew."""
    found = real(target)  # an open file's name in /proc may stand for none
    mode = target.stat().st_mode
    named = found.exists() and found.samefile(target)
    return stat.S_ISREG(mode) and named and os.access(target, os.W_OK)


def _replace(target: Path, data: bytes) -> None:
    part = target.with_name(f".{os.urandom(8).hex()}.part")
    opened, nameless = _begin(part)
    try:
        _fill(opened, data)
        _become(opened, target)
        if nameless:  # any number here has the link to the open file followed
            os.link(OPENED / str(opened), part, src_dir_fd=opened)
        part.replace(target)
    finally:
        os.close(opened)
        part.unlink(missing_ok=True)


def _begin(part: Path) -> tuple[int, bool]:
    """Open a new file: where the system can without a name, so that a kill leaves none behind."""
    if OPENED.is_dir():
        with suppress(OSError):  # this file system knows no such files, or the next line tells why
            return os.open(part.parent, os.O_TMPFILE | os.O_WRONLY, 0o666), True
    return os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), False


def _become(opened: int, other: Path) -> None:
    """Give an open file the owner and the permission bits of another, where that one is there."""
    with suppress(FileNotFoundError):
        wanted, now = other.stat(), os.fstat(opened)
        if (wanted.st_uid, wanted.st_gid) != (now.st_uid, now.st_gid):
            os.fchown(opened, wanted.st_uid, wanted.st_gid)
        os.fchmod(opened, stat.S_IMODE(wanted.st_mode))


def _fill(opened: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(opened, left) :]
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in DISKLESS:
            raise


def _of(target: Path, error: OSError) -> OSError:
    return OSError(error.errno, error.strerror or str(error), os.fspath(target))
