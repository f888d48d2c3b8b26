"""Which Keras a process has: TensorFlow's, with its own defaults, whatever is set from outside."""

from __future__ import annotations

import json
import os
import sys
import warnings
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
"""Entries of ``keras.json`` that change what a fit computes."""

LIMITS = ("max_epochs", "max_steps_per_epoch")
"""Keras ends a fit early by these, without a word."""

_begun = _done = False
_said: set[str] = set()


def load_keras() -> None:
    """Load Keras with our settings; say once what is left aside. Nothing is run of TensorFlow's.

    Raises
    ------
    SetupError
        If a person has loaded it with settings that none of our fits can have.
    """
    global _begun, _done  # noqa: PLW0603 - one Keras a process
    if "keras" in sys.modules and (_done or not _begun):
        _check_loaded()
        return
    _begun = (
        True  # a thread that comes meanwhile does the same, and waits where Python's imports do
    )
    settle(os.environ)
    import keras

    for name in ("image_data_format", "floatx", "epsilon"):
        getattr(keras.config, f"set_{name}")(OURS[name])
    _done = True


def settle(environment: MutableMapping[str, str]) -> None:
    """Have a process with this environment load our Keras; say once what is left aside."""
    text = "; ".join(_left_aside(environment))
    if text and text not in _said:
        _said.add(text)
        warnings.warn(f"Keras runs here with {text}", SettingWarning, stacklevel=1)
    environment["KERAS_BACKEND"] = OURS["backend"]
    if environment.get("KERAS_HOME"):  # Keras would make a folder named ~
        environment["KERAS_HOME"] = str(keras_home(environment))
    for name in LIMITS:
        environment.pop(_variable(name), None)


def _left_aside(environment: Mapping[str, str]) -> Iterator[str]:
    named = environment.get("KERAS_BACKEND")
    if named and named != OURS["backend"]:
        yield f"backend = {OURS['backend']}, not {named} (KERAS_BACKEND)"
    for name in LIMITS:
        if value := environment.get(_variable(name)):
            yield f"no {name}, not {value} ({_variable(name)})"
    path = keras_home(environment) / "keras.json"
    held = _entries(path)
    for name, ours in OURS.items():
        if (value := held.get(name, ours)) != ours and not (named and name == "backend"):
            yield f"{name} = {ours}, not {value} ({path})"


def _variable(name: str) -> str:
    return f"KERAS_{name.upper()}"


def keras_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder where Keras looks for ``keras.json`` and keeps what it has downloaded."""
    if named := environment.get("KERAS_HOME"):
        return expanded(named)
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras"  # noqa: S108 - Keras's


def _entries(path: Path) -> dict[str, Any]:
    """Return what ``keras.json`` says; nothing where it cannot be read, as Keras takes it."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _check_loaded() -> None:
    """Refuse a Keras that a person has loaded with settings that none of our fits can have."""
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
