"""What Python is made to do, seen by an audit hook: for tests of what must never be done.

A process of its own is watched by ``python watched.py FOLDER OUTPUT...``: the folder's files are
hostile, and only the outputs may be written. Command lines come as JSON on standard input.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager

STARTS = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_watches = []


@contextmanager
def watching(folder="\0", outputs=None):
    """Yield the list of what is done meanwhile that hostile files must not bring about.

    ``folder`` holds code that must not be run; without ``outputs`` any file may be written.
    """
    if not _watches:
        sys.addaudithook(lambda event, args: [watch(event, args) for watch in _watches[-1:]])
        _watches.append(lambda *_: None)
    found = []
    _watches.append(lambda event, args: found.extend(_wrong(event, args, str(folder), outputs)))
    try:
        yield found
    finally:
        _watches.pop()


def _wrong(event, args, folder, outputs):
    if event == "pickle.find_class" or event in STARTS:
        yield f"{event} {args[:2]}"
    elif event == "exec" and args[0].co_filename.startswith(folder):
        yield f"exec {args[0].co_filename}"
    elif event == "import" and str(args[1]).startswith(folder):
        yield f"import {args[1]}"
    elif event == "open" and outputs is not None and args[2] & WRITING:
        place = os.path.realpath(str(args[0]))
        if not any(place.startswith(allowed) for allowed in (*outputs, "/dev/null")):
            yield f"open {place}"


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, canary):
        self.canary = str(canary)

    def __reduce__(self):
        return os.system, (f"touch '{self.canary}'",)


def main():
    """Run command lines; print each one's status, output, and what was seen, as JSON."""
    from click.testing import CliRunner

    from sweep.cli.main import cli

    folder, *outputs = sys.argv[1:]
    said = []
    for words in json.load(sys.stdin):
        with watching(folder, outputs) as found:
            done = CliRunner().invoke(cli, words, prog_name="sweep")
        said.append({"status": done.exit_code, "output": done.output, "found": found})
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
