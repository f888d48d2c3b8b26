"""Unpack a zip of pictures: every byte is counted, every file is looked at as a picture."""

from __future__ import annotations

import warnings
import zlib
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from sweep.service.zip_entries import TABLE, UploadError, entries, open_zip, too_large

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sweep.service.settings import Limits

PIECE = 1024 * 1024
MOST_PIXELS = 64_000_000
"""Pixels of a picture: more than cameras have, less than a few bytes can unpack to."""
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
MOST_BAD = 20
"""Files that are no pictures, until the rest is not looked at."""


def unpack(
    source: Path, target: Path, limits: Limits, check_room: Callable[[int], None]
) -> tuple[int, Sequence[str]]:
    """Unpack the pictures of a zip, and its table of labels, into a new folder.

    Parameters
    ----------
    source : Path
        The zip.
    target : Path
        The folder; it must not be there.
    limits : Limits
        Most bytes and files.
    check_room : callable
        Refuses a number of bytes for which the disk has no room.

    Returns
    -------
    int
        Number of pictures.
    sequence of str
        Names of the files that were left out, for they are no pictures by their names.

    Raises
    ------
    UploadError
        If a name, a size or a file is not as it must be.
    """
    with open_zip(source, limits) as archive:
        found = entries(archive, limits)
        table = [] if found.table is None else [found.table]
        check_room(sum(m.file_size for m in (*table, *(member for member, _ in found.pictures))))
        target.mkdir()
        left, bad = limits.unpacked, []
        for member in table:
            left -= _write(archive, member, target / TABLE, left, limits)
        for member, parts in found.pictures:
            path = target.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            left -= _write(archive, member, path, left, limits)
            if why := _not_a_picture(path):
                bad.append(f"{member.filename}: {why}")
            if len(bad) >= MOST_BAD:
                break
    if bad:
        raise UploadError(*bad)
    return len(found.pictures), found.left_out


def _write(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, left: int, limits: Limits
) -> int:
    """Write one file; return its bytes, which may be others than the zip says."""
    size = 0
    try:
        with path.open("xb") as file, archive.open(member) as stream:
            while piece := stream.read(PIECE):
                size += len(piece)
                if size > left:
                    raise UploadError(too_large(limits))
                file.write(piece)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        if isinstance(error, UploadError):
            raise
        raise UploadError(
            f"{member.filename}: is damaged in the zip ({error}); pack it again"
        ) from error
    return size


def _not_a_picture(path: Path) -> str:
    """Return why a file is no picture by its first bytes; nothing is decoded."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=FORMATS) as picture:
                width, height = picture.size
        except Image.DecompressionBombError:
            return f"a picture may have {MOST_PIXELS:,} pixels"
        except Exception:  # noqa: BLE001 - on damaged files readers raise anything
            return f"cannot be read as a picture ({path.stat().st_size:,} bytes)"
    if width * height > MOST_PIXELS:
        return f"a picture may have {MOST_PIXELS:,} pixels; this one says {width} x {height}"
    return ""
