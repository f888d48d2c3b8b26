"""Load Keras with the TensorFlow backend and default settings, whatever the user has configured."""

from __future__ import annotations

import json
import os
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import SettingWarning, SetupError
from sweep.support.file_names import expanded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

OURS: dict[str, Any] = {
    "backend": "tensorflow",
    "image_data_format": "channels_last",
    "floatx": "float32",
    "epsilon": 1e-7,
}
"""Our values of the settings in ``keras.json`` that change the results of a fit."""

LIMITS = ("max_epochs", "max_steps_per_epoch")
"""Settings by which Keras ends a fit early, without a message."""

_started = _done = False
_warned: set[str] = set()


def load_keras() -> None:
    """Load Keras with our settings; warn once about ignored ones. It runs no TensorFlow code.

    Raises
    ------
    SetupError
        If the user's code has loaded Keras with settings that our fits cannot use.
    """
    global _started, _done  # noqa: PLW0603 - one Keras per process
    if "keras" in sys.modules and (_done or not _started):
        _check_loaded()
        return
    # No lock: a second thread does the same meanwhile, and waits in Python's import of Keras.
    _started = True
    settle(os.environ)
    import keras

    for name in ("image_data_format", "floatx", "epsilon"):
        getattr(keras.config, f"set_{name}")(OURS[name])
    _done = True


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Keep the bars that Keras prints to standard output away from what a program writes there."""
    keras = sys.modules.get("keras")
    if keras is None or not keras.config.is_interactive_logging_enabled():
        yield
        return
    keras.config.disable_interactive_logging()
    try:
        yield
    finally:
        keras.config.enable_interactive_logging()


def settle(environment: MutableMapping[str, str]) -> None:
    """Set the environment variables for our Keras; warn once about the settings it ignores."""
    text = "; ".join(_ignored(environment))
    if text and text not in _warned:
        _warned.add(text)
        warnings.warn(f"Keras runs here with {text}", SettingWarning, stacklevel=1)
    environment["KERAS_BACKEND"] = OURS["backend"]
    if environment.get("KERAS_HOME"):  # Keras does not expand ~ and would create a folder "~"
        environment["KERAS_HOME"] = str(keras_home(environment))
    for name in LIMITS:
        environment.pop(_variable(name), None)


def _ignored(environment: Mapping[str, str]) -> Iterator[str]:
    named = environment.get("KERAS_BACKEND")
    if named and named != OURS["backend"]:
        yield f"backend = {OURS['backend']}, not {named} (KERAS_BACKEND)"
    for name in LIMITS:
        if value := environment.get(_variable(name)):
            yield f"no {name}, not {value} ({_variable(name)})"
    path = keras_home(environment) / "keras.json"
    entries = _entries(path)
    for name, ours in OURS.items():
        if (value := entries.get(name, ours)) != ours and not (named and name == "backend"):
            yield f"{name} = {ours}, not {value} ({path})"


def _variable(name: str) -> str:
    return f"KERAS_{name.upper()}"


def keras_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Return Keras's folder, with ``keras.json`` and its downloads."""
    if named := environment.get("KERAS_HOME"):
        return expanded(named)
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises if there is none
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras"  # noqa: S108 - Keras's


def _entries(path: Path) -> dict[str, Any]:
    """Return the settings in ``keras.json``; empty if it cannot be read, as for Keras."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _check_loaded() -> None:
    """Refuse a Keras that the user's code has loaded with settings that our fits cannot use."""
    from keras import config

    problems = []
    if (backend := config.backend()) != OURS["backend"]:
        problems.append(
            f"the backend must be tensorflow, got {backend}: restart Python and set "
            'KERAS_BACKEND=tensorflow, or "backend": "tensorflow" in '
            f"{keras_home() / 'keras.json'}, before Keras is loaded"
        )
    for name in ("image_data_format", "floatx"):
        if (value := getattr(config, name)()) != OURS[name]:
            remedy = f'keras.config.set_{name}("{OURS[name]}")'
            problems.append(f"{name} must be {OURS[name]}, got {value}: call {remedy}")
    limits = {name: getattr(config, name)() for name in LIMITS}
    problems += [
        f"{name} must not be set, got {value}: call keras.config.set_{name}(None)"
        for name, value in limits.items()
        if value is not None
    ]
    if problems:
        raise SetupError("Keras cannot be used as it is loaded here: " + "; ".join(problems))
