"""Uploads that tests hand in: arrays, zips of class folders, and zips as no honest tool packs."""

from __future__ import annotations

import io
import stat
import zipfile

import numpy as np
from dataset_files import arrays
from PIL import Image

from sweep.datasets.image_files import Pictures


def npz(**changed):
    """Return the bytes of an ``.npz`` file with arrays, some replaced; None leaves one out."""
    held = io.BytesIO()
    content = {k: v for k, v in (arrays() | changed).items() if v is not None}
    np.savez(held, **content)
    return held.getvalue()


def png(shade=0, size=(6, 5)):
    """Return the bytes of a grey picture."""
    held = io.BytesIO()
    Image.new("L", size, shade).save(held, "PNG")
    return held.getvalue()


def packed(*entries, compression=zipfile.ZIP_DEFLATED):
    """Return a zip of (name or ZipInfo, bytes)."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return held.getvalue()


def classes(folder="", rows=3):
    """Return the entries of two class folders."""
    return [
        (f"{folder}{name}/{row}.png", png(shade + row))
        for name, shade in (("cat", 20), ("dog", 120))
        for row in range(rows)
    ]


def labelled(folder="", rows=6, *more):
    """Return the entries of pictures with a table of labels beside them, and more lines of it."""
    lines = [f"all/{row}.png,{'cat' if row % 2 else 'dog'}" for row in range(rows)]
    table = "\n".join(["path,label", *lines, *more])
    pictures = [(f"{folder}all/{row}.png", png(20 * row)) for row in range(rows)]
    return [*pictures, (f"{folder}labels.csv", table.encode())]


def link(name, target):
    """Return an entry that is a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def without_name(content):
    """Return a zip with one more entry, whose name is empty."""
    held = io.BytesIO(content)
    with zipfile.ZipFile(held, "a") as archive, archive.open(zipfile.ZipInfo(""), "w") as entry:
        entry.write(b"x")
    return held.getvalue()


def encrypted(content):
    """Return a zip with the flag of a password in every header."""
    data = bytearray(content)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(mark)
        while start >= 0:
            data[start + place] |= 1
            start = data.find(mark, start + 4)
    return bytes(data)


def renamed(content, old, new):
    """Return a zip with another name of the same length, which no writer of zips would write."""
    assert len(old) == len(new)
    assert old in content
    return content.replace(old, new)


def read_with_pillow(paths, size, channels, resize):
    """Read pictures without TensorFlow; for tests of what is around the reading."""
    assert resize == "squash"
    mode = "L" if channels == 1 else "RGB"
    found = [Image.open(path).convert(mode) for path in paths]
    pixels = [np.asarray(each.resize(size[::-1])).reshape(*size, channels) for each in found]
    return Pictures(np.stack(pixels), np.array([each.size[::-1] for each in found], np.int64))
