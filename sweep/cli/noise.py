"""TensorFlow's greetings on standard error: not for people who asked for a plan."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NOISE = re.compile(
    rb"[IW]\d{4} \d\d:|WARNING: All log messages before absl|\d{4}-\d\d-\d\d .*: [IW] "
)


@contextmanager
def without_noise() -> Iterator[None]:
    """Hold back standard error, then let through what is not TensorFlow's information.

    The lines come from native code, before any setting of ours reaches it, so the file
    descriptor itself is turned aside.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not NOISE.match(line)))
