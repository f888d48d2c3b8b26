"""``.npz`` files that are small on disk and large in memory: refused by their headers."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from sweep.datasets import load_dataset
from sweep.errors import DataError
from sweep.support import npz_archives
from sweep.support.npz_archives import GB, ArchiveError, free_memory, read_arrays

TEXT = "{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}, }}"


def member(shape, descr="<f8", order=False, body=b"", version=1, padding=0):
    """The bytes of an array whose header says what is given."""
    text = TEXT.format(descr=descr, order=order, shape=shape).encode() + b" " * padding + b"\n"
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + body


def large(path, rows, shape=(28, 28, 1), descr="<f8"):
    """Write a dataset whose training rows are all zero, as numpy would, without holding it."""
    size = rows * int(np.prod(shape)) * np.dtype(descr).itemsize
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open("x_train.npy", "w", force_zip64=True) as stream:
            stream.write(member((rows, *shape), descr))
            for _ in range(size // 2**24):
                stream.write(bytes(2**24))
            stream.write(bytes(size % 2**24))
        labels = {
            "y_train": np.arange(rows) % 2,
            "x_test": np.zeros((4, *shape)),
            "y_test": [0, 1] * 2,
        }
        for name, values in labels.items():
            held = io.BytesIO()
            np.save(held, np.asarray(values))
            file.writestr(f"{name}.npy", held.getvalue())
    return path


def written(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def refusal(path):
    with pytest.raises(ArchiveError) as caught:
        read_arrays(path)
    return str(caught.value)


def peak_of(path):
    """Return status, what is said, and the most memory in MB of a process that reads a dataset."""
    code = (
        "import re, sys; from pathlib import Path; from sweep.datasets import load_dataset\n"
        "from sweep.support import npz_archives; npz_archives.free_memory = lambda: 2**28\n"
        "try:\n    load_dataset(sys.argv[1])\nexcept Exception as error:\n    print(error)\n"
        # Of this program alone: ru_maxrss begins with what the parent held when it forked.
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    *said, peak = done.stdout.splitlines()
    return "\n".join(said), int(peak)


def test_a_large_array_in_a_small_file_is_refused_before_it_is_read(tmp_path):
    """0.5 GB of zeros in 3 MB, where 0.25 GB are free: the process stays under 0.3 GB."""
    path = large(tmp_path / "zeros.npz", 2**26 // 784)
    said, peak = peak_of(path)
    assert path.stat().st_size < 3e6
    assert "at most half of the memory that is free, 0.125 of 0.25 GB, and need 0.501 GB" in said
    assert "x_train: float64 of shape (85598, 28, 28, 1)" in said
    assert peak < 300


def test_what_shapes_show_is_refused_before_it_is_read(tmp_path, monkeypatch):
    """Five axes, too many channels, other lengths: no array has been read by then."""
    monkeypatch.setattr(npz_archives, "_array", None)
    for shape, rule in (((4, 4, 4, 4), "shape"), ((4, 4, 9), "channels")):
        with pytest.raises(DataError, match=rule):
            load_dataset(str(large(tmp_path / "a.npz", 10, shape)))
    x, y = member((3, 4), body=bytes(96)), member((5,), body=bytes(40))
    written(tmp_path / "b.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    with pytest.raises(DataError, match="as many rows, got 3 and 5"):
        load_dataset(str(tmp_path / "b.npz"))


@pytest.mark.parametrize("order", [False, True])
def test_arrays_are_numpy_s(order, tmp_path):
    """Rows, columns first, text, no axis at all: what was saved is what is read."""
    saved = {
        "a": np.asarray(np.arange(12.0).reshape(3, 4), order="F" if order else "C"),
        "b": np.array(["one", "three"]),
        "c": np.array(7),
        "d": np.empty((0, 3)),
    }
    np.savez(tmp_path / "a.npz", **saved)
    names, found = read_arrays(tmp_path / "a.npz")
    assert names == list(saved)
    for name, values in saved.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (member((10**9, 10**9), body=b"x"), "must be as long as its header says"),
        (member((2**62, 4), body=b"x"), "must be as long as its header says"),
        (member((10**9,), order=True, body=bytes(8)), "must be as long as its header says"),
        (member((2,), body=bytes(80)), "must be as long as its header says"),
        (member((1,), "<U500000000", body=bytes(8)), "must be as long as its header says"),
        (member((-1,), body=b""), "must have a shape of numbers from 0"),
        (member((1,), "|O", body=b"x"), "holds Python objects, which are never unpickled"),
        (member((1,), [("a", "|O")], body=b"x"), "holds Python objects"),
        (member((1,), body=bytes(8), version=2, padding=2**24), "must have a header of at most"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "must have a header of at most"),
        (b"\x93NUMPY", "is no array"),
        (b"hello" * 10**6, "is no array"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_headers_that_lie(content, rule, tmp_path):
    """Sizes, orders, objects, lengths: refused with the array's name and the rule."""
    said = refusal(written(tmp_path / "a.npz", x_train=content))
    assert said.startswith("x_train ")
    assert rule in said


def test_a_table_of_contents_that_lies(tmp_path):
    """A member said to be as large as its header, and that is not, is no whole file."""
    path = written(tmp_path / "a.npz", x_train=member((10**6,), body=bytes(800)))
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02") + 24
    header = len(member((10**6,)))
    content[place : place + 4] = (8 * 10**6 + header).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"must be a whole \.npz file"):
        load_dataset(str(path))
    with pytest.raises((EOFError, ValueError, zipfile.BadZipFile)):
        read_arrays(path)


def test_thousands_of_members(tmp_path):
    """They are counted before they are listed, and a message names the first of some."""
    with zipfile.ZipFile(tmp_path / "many.npz", "w") as file:
        for number in range(10_001):
            file.writestr(f"{number}.npy", b"")
    assert "at most 10000 arrays" in refusal(tmp_path / "many.npz")
    some = {f"a{number}": member((0,)) for number in range(30)}
    with pytest.raises(DataError, match=r"there are: a0, .*a19, 10 more$"):
        load_dataset(str(written(tmp_path / "some.npz", **some)))


def test_other_compressions_are_refused(tmp_path):
    """LZMA takes as much memory as the file says."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as file:
        file.writestr("x_train.npy", member((1,), body=bytes(8)))
    assert "compressed otherwise" in refusal(tmp_path / "a.npz")


def test_free_memory_is_within_the_limits():
    """What is free is less than the machine has, and than the process may take."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))\n"
        "from sweep.support.npz_archives import free_memory; print(free_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) <= 4 * GB
    assert 0 < free_memory() < 2**50
