"""TensorFlow, without its greetings on standard error."""

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
"""The thread that loads it."""


def load_tensorflow() -> None:
    """Load TensorFlow and Keras, and look for devices, greetings held back; once a process.

    Nobody waits for a lock of ours: threads that come meanwhile wait where Python's own imports
    do, which know a deadlock when they see one.

    Raises
    ------
    SetupError
        If it cannot be loaded, or is being loaded by what calls this, or Keras is loaded with
        settings of no use here.
    """
    if not _loaded.is_set():
        _load()
    load_keras()


def _load() -> None:
    global _loader  # noqa: PLW0603 - one a process
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
    """Return whether this thread is about to load a module; for another that is, wait."""
    if name not in sys.modules:
        return False
    return bool(getattr(import_module(name).__spec__, "_initializing", False))


def _own_import() -> str:
    """Say whose file runs while TensorFlow is being loaded: the innermost one."""
    own = str(Path(__file__).parent)
    files = [f.filename for f in traceback.extract_stack() if f.name == "<module>"]
    named = next((name for name in reversed(files) if not name.startswith((own, "<"))), "a file")
    return (
        f"TensorFlow is only being loaded, and its loading runs {named}, which asks for it again; "
        "rename the file: a library has that name"
    )


def _broken(error: Exception) -> str:
    """Say what its loading ended in, and where: often another file of a library's name."""
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
    """Drop the advice against tracing anew: each architecture is traced once, on purpose."""
    text = record.getMessage()
    return not ("tf.function retracing" in text and "<locals>" in text)


@contextmanager
def without_noise() -> Iterator[None]:
    """Hold back standard error, then let through what is not TensorFlow's information.

    The lines come from native code, before any setting of ours reaches it, so the file
    descriptor itself is turned aside.
    """
    try:
        kept = os.dup(2)
    except OSError:  # it is closed: there is nothing to hold back
        yield
        return
    _flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            with suppress(OSError):  # nobody reads it, or its disk is full
                os.write(2, b"".join(line for line in held if not NOISE.match(line)))


def _flush() -> None:
    if sys.stderr is not None:  # closed before the process began
        sys.stderr.flush()
