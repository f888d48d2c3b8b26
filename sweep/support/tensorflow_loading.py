"""Load TensorFlow without its start messages on standard error."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
import traceback
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import SetupError
from sweep.support.keras_configuration import load_keras

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

NOISE = re.compile(
    rb"[IW]\d{4} \d\d:|WARNING: All log messages before absl|\d{4}-\d\d-\d\d .*: [IW] "
    rb"|To enable the following instructions|E\d{4} .*failed call to cuInit"
)


_loading, _loaded = threading.Lock(), threading.Event()
_loader: int | None = None
"""The thread that loads TensorFlow now."""


def load_tensorflow() -> None:
    """Load TensorFlow and Keras and list the devices, without start messages; once per process.

    No thread waits for a lock of ours: other threads wait in Python's own import locks, which
    detect deadlocks.

    Raises
    ------
    SetupError
        If it cannot be loaded, if its own import calls this, or if Keras is loaded with settings
        that our fits cannot use.
    """
    if not _loaded.is_set():
        _load()
    load_keras()


def _load() -> None:
    global _loader  # noqa: PLW0603 - one per process
    if _loader == threading.get_ident():
        raise SetupError(_own_import())
    first = _loading.acquire(blocking=False)
    try:
        if first:
            _loader = threading.get_ident()
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with without_noise() if first else nullcontext():
            _import()
    finally:
        if first:
            _loader = None
            _loading.release()


def _import() -> None:
    if any(_is_half_loaded(name) for name in ("tensorflow", "keras")):
        raise SetupError(_own_import())
    try:
        load_keras()
        import tensorflow as tf
    except SetupError:
        raise
    except Exception as error:
        raise SetupError(_broken(error)) from error
    tf.config.list_physical_devices()
    tf.get_logger().addFilter(_not_about_our_traces)
    _loaded.set()


def _is_half_loaded(name: str) -> bool:
    """Return whether this thread is loading a module now; if another thread is, wait for it."""
    if name not in sys.modules:
        return False
    # import_module waits for another thread, and returns a half-loaded module to its own
    return bool(getattr(import_module(name).__spec__, "_initializing", False))


def _own_import() -> str:
    """Return the message for a file that is run by TensorFlow's import and asks for TensorFlow."""
    own = str(Path(__file__).parent)
    files = [f.filename for f in traceback.extract_stack() if f.name == "<module>"]
    named = next((name for name in reversed(files) if not name.startswith((own, "<"))), "a file")
    return (
        f"TensorFlow is only being loaded, and its loading runs {named}, which asks for it again; "
        "rename the file: a library has that name"
    )


def _broken(error: Exception) -> str:
    """Return the message for a failed import, with its place: often a file named like a library."""
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<")
    ]
    line = (str(error).strip().splitlines() or ["no message"])[0]
    return (
        f"TensorFlow cannot be loaded here: {type(error).__name__}: {line} "
        f"({frames[-1].filename}, line {frames[-1].lineno}); if that file is yours, rename it or "
        "take its folder out of PYTHONPATH, else install sweep and its libraries anew"
    )


def _not_about_our_traces(record: logging.LogRecord) -> bool:
    """Return False for warnings about retracing: each architecture is traced once, on purpose."""
    text = record.getMessage()
    return not ("tf.function retracing" in text and "<locals>" in text)


@contextmanager
def without_noise() -> Iterator[None]:
    """Collect standard error inside; at the end print it without TensorFlow's information lines.

    Native code writes these lines before any setting of ours takes effect, so the file descriptor
    itself is redirected.
    """
    try:
        original = os.dup(2)
    except OSError:  # standard error is closed: nothing to filter
        yield
        return
    _flush()
    with tempfile.TemporaryFile() as buffer:
        os.dup2(buffer.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(original, 2)
            os.close(original)
            buffer.seek(0)
            with suppress(OSError):  # its reader has gone, or its disk is full
                os.write(2, b"".join(line for line in buffer if not NOISE.match(line)))


def _flush() -> None:
    if sys.stderr is not None:  # None if it was closed before the process started
        sys.stderr.flush()
