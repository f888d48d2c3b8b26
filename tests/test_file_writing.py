"""Files that a person names: whole or not at all, and each stays the kind of file it was."""

import os
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from commands import ROOT

from sweep.support.file_writing import make_file, write_file

FULL = (1, 7)
ROOT_ALONE = pytest.mark.skipif(os.geteuid() != 0, reason="makes devices, gives files away")


def bits(path):
    """Return the permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    """Return the names of all that is in a folder."""
    return [path.name for path in folder.iterdir()]


def device(path):
    """Make a device that is always full, as /dev/full is; skip where none may be made."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(*FULL))
        path.open("wb", buffering=0).close()
    except OSError:
        pytest.skip("no device can be made or opened here")
    return path


def test_a_missing_folder_is_made(tmp_path):
    """With the bits that the person's mask leaves, and nothing beside the file."""
    path = write_file(tmp_path / "a" / "b" / "page.html", "grün\n")
    (tmp_path / "plain").touch()
    assert path.read_bytes() == "grün\n".encode()
    assert bits(path) == bits(tmp_path / "plain")
    assert names(path.parent) == ["page.html"]


def test_bits_are_kept(tmp_path):
    """Of a file that was there, whatever the mask; it is another file, whole at once."""
    path = tmp_path / "page.html"
    path.write_text("old")
    path.chmod(0o640)
    with path.open() as reader:
        write_file(path, "new")
        assert (reader.read(), path.read_text(), bits(path)) == ("old", "new", 0o640)


@ROOT_ALONE
def test_the_owner_is_kept(tmp_path):
    """Root's report over another person's file stays that person's."""
    path = tmp_path / "page.html"
    path.write_text("old")
    os.chown(path, 12345, 23456)
    write_file(path, "new")
    found = path.stat()
    assert (path.read_text(), found.st_uid, found.st_gid) == ("new", 12345, 23456)


@ROOT_ALONE
def test_a_full_device_stays_a_device(tmp_path):
    """It is written into, which fails, and is never replaced."""
    path = device(tmp_path / "full")
    with pytest.raises(OSError, match="No space left") as told:
        write_file(path, "page")
    assert told.value.filename == str(path)
    assert stat.S_ISCHR(path.stat().st_mode)
    assert names(tmp_path) == ["full"]


def test_a_pipe_is_written_into(tmp_path):
    """Its reader gets the whole page, and the pipe stays one."""
    path, got = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: got.append(path.read_text()), daemon=True)
    reader.start()
    write_file(path, "page" * 50_000)
    reader.join(20)
    assert got == ["page" * 50_000]
    assert path.is_fifo()


def test_an_open_pipe_by_its_number(tmp_path):
    """``/dev/fd/N``, as a shell's >(command) has it, is no name to put a file at."""
    out, into = os.pipe()
    write_file(f"/dev/fd/{into}", "page")
    assert os.read(out, 99) == b"page"
    os.close(out)
    os.close(into)


def test_an_open_file_that_has_no_name(tmp_path):
    """A deleted file is written into; no file of the name that /proc shows is made."""
    with (tmp_path / "gone").open("w+") as file:
        (tmp_path / "gone").unlink()
        write_file(f"/dev/fd/{file.fileno()}", "page")
        assert file.read() == "page"
    assert names(tmp_path) == []


def test_a_link_is_followed(tmp_path):
    """The file that it points at is replaced, with its bits; the link stays."""
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "page.html", tmp_path / "link.html"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to("real/page.html")
    assert write_file(link, "new") == link
    assert (real.read_text(), bits(real), link.is_symlink()) == ("new", 0o600, True)
    assert names(tmp_path / "real") == ["page.html"]


def test_a_link_to_nothing_yet(tmp_path):
    """The file, and its folder, are made where the link points."""
    link = tmp_path / "link.html"
    link.symlink_to("later/page.html")
    write_file(link, "new")
    assert (tmp_path / "later" / "page.html").read_text() == "new"
    assert link.is_symlink()


@pytest.mark.parametrize("kind", ["folder", "link to a folder", "loop"])
def test_what_no_file_can_be(tmp_path, kind):
    """It is said with its name, and stays as it is."""
    path = tmp_path / "there"
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"link to a folder": ".", "loop": "there"}[kind])
    with pytest.raises(OSError, match=r"directory|symbolic links") as told:
        write_file(path, "page")
    assert told.value.filename == str(path)
    assert names(tmp_path) == ["there"]


WRITE = """
import os, sys
from sweep.support.file_writing import write_file
{before}
try:
    write_file(sys.argv[1], "x" * 100_000)
except OSError as error:
    print(error.strerror, error.filename)
"""
NOBODY = "os.setgroups([]), os.setgid(65534), os.setuid(65534)" if os.geteuid() == 0 else ""
SHORT = (
    "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))"
)
KILLED = "import signal; os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)"


def write(path, before):
    """Write a file in a process of its own, after something; return what it says."""
    return subprocess.run(
        [sys.executable, "-c", WRITE.format(before=before), path],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    ).stdout  # fmt: skip


@pytest.fixture
def open_folder():
    """A folder that everybody can reach: root's own temporary ones are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_file_in_a_closed_folder_is_written_into(open_folder):
    """Also where a link leads to it: it may be written, though not be replaced."""
    home = open_folder / "closed"
    home.mkdir()
    path, link = home / "page.html", open_folder / "link"
    path.write_text("old")
    path.chmod(0o666)
    link.symlink_to(path)
    home.chmod(0o555)
    assert write(link, NOBODY) == ""
    assert (path.read_text(), link.is_symlink()) == ("x" * 100_000, True)
    assert write(home / "other.html", NOBODY) == f"Permission denied {home / 'other.html'}\n"
    home.chmod(0o755)


def test_a_protected_file_is_left_alone(open_folder):
    """A file without the right to write is not replaced, though its folder would let it be."""
    path = open_folder / "page.html"
    path.write_text("old")
    path.chmod(0o444)
    open_folder.chmod(0o777)
    assert write(path, NOBODY) == f"Permission denied {path}\n"
    assert path.read_text() == "old"


@pytest.mark.parametrize("before", ["old", None])
def test_a_full_disk_leaves_what_was(tmp_path, before):
    """The file of before, or none; nothing unfinished beside it."""
    path = tmp_path / "page.html"
    if before:
        path.write_text(before)
    assert write(path, SHORT) == f"File too large {path}\n"
    assert (path.read_text() if path.exists() else None) == before
    assert names(tmp_path) == ([path.name] if before else [])


@pytest.mark.skipif(sys.platform != "linux", reason="files without a name are Linux's")
def test_a_kill_leaves_nothing(tmp_path):
    """A process that is killed while it writes takes the unfinished file with it."""
    try:
        os.close(os.open(tmp_path, os.O_TMPFILE | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system has no files without a name")
    (tmp_path / "page.html").write_text("old")
    write(tmp_path / "page.html", KILLED)
    assert names(tmp_path) == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "old"


def test_without_nameless_files(tmp_path, monkeypatch):
    """Where the system has none the file is whole all the same, and nothing stays beside it."""
    monkeypatch.setattr("sweep.support.file_writing.OPENED", Path("/nowhere"))
    assert write_file(tmp_path / "page.html", "page").read_text() == "page"
    assert names(tmp_path) == ["page.html"]


@pytest.mark.parametrize("there", ["file", "link"])
def test_a_new_file_takes_nobodys_place(tmp_path, there):
    """Neither a file's nor a link's to nothing."""
    path = tmp_path / "study.toml"
    path.write_text("mine") if there == "file" else path.symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        make_file(path, "new")
    assert not (tmp_path / "nowhere").exists()
    assert not path.exists() or path.read_text() == "mine"


def test_a_new_file_that_fails_is_not_there(tmp_path):
    """A full disk leaves no half of it."""
    code = WRITE.format(before=SHORT).replace("write_file", "make_file")
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "new"], check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert names(tmp_path) == []
