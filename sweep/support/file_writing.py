"""Write files that the user names: atomically, and without changing their kind.

A link is followed: its target is replaced, the link stays. A pipe or a device is written to and
never replaced.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from sweep.support.file_names import expanded

FIXED = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS)
"""Errors for a file that cannot be replaced: the folder is read-only, the file belongs to another
user, or it is a mount point."""
NO_FSYNC = (errno.EINVAL, errno.ENOTSUP)
"""Errors of ``fsync`` on a pipe or a device."""
OPENED = Path("/proc/self/fd")


def write_file(path: str | os.PathLike[str], text: str | bytes) -> Path:
    """Write a file or replace an existing one; create its folder if it is missing.

    An existing file's permission bits and owner are kept. If it may be written but not replaced,
    because its folder is read-only for this user, its content is overwritten.

    Parameters
    ----------
    path : path-like
        The file.
    text : str or bytes
        The content; text is written as UTF-8.

    Returns
    -------
    Path
        The file, as named by the caller.

    Raises
    ------
    OSError
        If it cannot be written; the error has the file's name.
    """
    target = expanded(path)
    real(target).parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(target, text.encode() if isinstance(text, str) else text)
    except OSError as error:
        raise _named(target, error) from error
    return target


def make_file(path: str | os.PathLike[str], text: str) -> Path:
    """Write a new file; create its folder if it is missing.

    Raises
    ------
    FileExistsError
        If the name exists, also as a broken link.
    OSError
        If it cannot be written; the error has the file's name.
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
        raise _named(target, error) from error
    return target


def is_replaced(path: str | os.PathLike[str]) -> bool:
    """Return whether :func:`write_file` replaces the file: an ordinary one, or none yet."""
    target = expanded(path)
    return not target.exists() or _is_ordinary(target)


def take_place(part: Path, target: Path) -> None:
    """Replace ``target`` by the finished file ``part``, with the owner and bits of ``target``.

    Both are in the same folder; ``target`` is not a link.
    """
    with part.open("rb") as file:
        _copy_owner(file.fileno(), target)
    part.replace(target)


def real(path: Path) -> Path:
    """Return a path with all links followed, whether the file exists or not."""
    return Path(os.path.realpath(path))


def _write(target: Path, data: bytes) -> None:
    exists = target.exists()
    if not exists or _is_ordinary(target):
        try:
            return _replace(real(target), data)
        except OSError as error:
            if not exists or error.errno not in FIXED:
                raise
    opened = os.open(target, os.O_WRONLY | os.O_TRUNC)
    try:
        _fill(opened, data)
    finally:
        os.close(opened)
    return None


def _is_ordinary(target: Path) -> bool:
    """Return whether it is a writable regular file with a name of its own."""
    found = real(target)  # a name in /proc/self/fd may belong to a file without a name
    mode = target.stat().st_mode
    named = found.exists() and found.samefile(target)
    return stat.S_ISREG(mode) and named and os.access(target, os.W_OK)


def _replace(target: Path, data: bytes) -> None:
    part = target.with_name(f".{os.urandom(8).hex()}.part")
    opened, nameless = _begin(part)
    try:
        _fill(opened, data)
        _copy_owner(opened, target)
        if nameless:  # src_dir_fd, with any value, makes os.link follow the link in /proc
            os.link(OPENED / str(opened), part, src_dir_fd=opened)
        part.replace(target)
    finally:
        os.close(opened)
        part.unlink(missing_ok=True)


def _begin(part: Path) -> tuple[int, bool]:
    """Open a new file, without a name where the system can: a kill then leaves no file behind."""
    if OPENED.is_dir():
        with suppress(OSError):  # not supported by the file system, or the next line fails too
            return os.open(part.parent, os.O_TMPFILE | os.O_WRONLY, 0o666), True
    return os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), False


def _copy_owner(opened: int, other: Path) -> None:
    """Give an open file the owner and the permission bits of another file, if that exists."""
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
        if error.errno not in NO_FSYNC:
            raise


def _named(target: Path, error: OSError) -> OSError:
    return OSError(error.errno, error.strerror or str(error), os.fspath(target))
