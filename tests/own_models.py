"""A person's own module, as a study file may name it: models that work, fail, and misbehave."""

import os
import time
from pathlib import Path

from sweep.models import mlp


def plain(input_shape, n_classes, width=8):
    """Return a small model."""
    return mlp(input_shape, n_classes, hidden_size=width)


def fails(input_shape, n_classes, width=8):
    """Raise for one width."""
    if width == 13:
        raise ValueError("thirteen is not a width\nand a second line")
    return mlp(input_shape, n_classes, hidden_size=width)


def leaves(input_shape, n_classes, width=8):
    """Leave the interpreter for one width."""
    if width == 13:
        raise SystemExit(3)
    return mlp(input_shape, n_classes, hidden_size=width)


def deadly(input_shape, n_classes, width=8):
    """End the process for one width."""
    if width == 13:
        os._exit(41)
    return mlp(input_shape, n_classes, hidden_size=width)


def slow(input_shape, n_classes, width=8):
    """Take long to build for one width."""
    if width == 13:
        time.sleep(60)
    return mlp(input_shape, n_classes, hidden_size=width)


def dataset():
    """Return the first digits in Keras's form."""
    from sweep import load_dataset

    data = load_dataset("digits", train_rows=120, test_rows=60)
    return (data.x_train, data.y_train), (data.x_test, data.y_test)


def stubborn(input_shape, n_classes, width=8):
    """Take no notice of a time limit, for one width."""
    while width == 13:
        try:
            time.sleep(60)
        except Exception:  # noqa: BLE001, S112 - what code may do
            continue
    return mlp(input_shape, n_classes, hidden_size=width)


def greedy(input_shape, n_classes, width=8):
    """Need 14 GB for one width."""
    return mlp(input_shape, n_classes, hidden_size=[60_000] * 2 if width == 13 else width)


def seen(input_shape, n_classes, width=8):
    """Write down which GPU this process sees, wait for the other; end the process once, for 13."""
    device, grows = (
        os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH")
    )
    if book := os.environ.get("DEVICES_SEEN"):
        with Path(book).open("a") as lines:
            lines.write(f"{os.getpid()} {device} {grows}\n")
    if book and device in ("0", "1"):  # a worker, not the run
        _wait_for(2, Path(book))
        deaths = Path(book).with_name("deaths")
        if width == 13 and not deaths.exists():
            deaths.touch()
            os._exit(41)
        _wait_for(2 + deaths.exists(), Path(book))
    return mlp(input_shape, n_classes, hidden_size=width)


def _wait_for(workers, book):
    end = time.monotonic() + 60
    while len({line for line in book.read_text().splitlines() if " None " not in line}) < workers:
        if time.monotonic() > end:
            raise TimeoutError(f"fewer than {workers} workers")
        time.sleep(0.02)
