"""TensorFlow, without its greetings on standard error."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

NOISE = re.compile(
    rb"[IW]\d{4} \d\d:|WARNING: All log messages before absl|\d{4}-\d\d-\d\d .*: [IW] "
    rb"|To enable the following instructions|E\d{4} .*failed call to cuInit"
)


_loading, _loaded = threading.Lock(), threading.Event()


def load_tensorflow() -> None:
    """Load TensorFlow and let it look for devices, its greetings held back; once a process."""
    with _loading:
        _load()


def _load() -> None:
    if _loaded.is_set():
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with without_noise():
        import tensorflow as tf

        tf.config.list_physical_devices()
    tf.get_logger().addFilter(_not_about_our_traces)
    _loaded.set()


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
