"""Which names ``[model]`` and ``[space]`` may hold, and what the training ones may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from sweep.spec.number_types import is_count, is_number
from sweep.spec.problems import did_you_mean
from sweep.support.code_references import is_reference

ParametersOf: TypeAlias = Callable[[str], Mapping[str, Any] | None]
"""From a factory's name to its estimator's parameters and their defaults; None: not known."""

TRAINING: Mapping[str, Any] = MappingProxyType(
    {
        "epochs": 10,
        "batch_size": 32,
        "optimizer": "adam",
        "learning_rate": None,
        "learning_rate_decay": 0.0,
        "momentum": None,
        "nesterov": None,
        "weight_decay": None,
        "label_smoothing": 0.0,
        "class_weight": None,
        "early_stopping": False,
        "validation_fraction": 0.1,
        "n_iter_no_change": 5,
        "callbacks": None,
        "scaling": "unit",
        "image_shape": None,
        "precision": "float32",
        "jit_compile": "auto",
        "fast": True,
    }
)
"""Parameters that every estimator has, with their defaults in a study."""

CALLBACKS = (
    "BackupAndRestore",
    "CSVLogger",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
)
"""Keras's callbacks, told without loading Keras."""

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
"""What layers may compute in; weights are always float32."""

OUTWARD = (
    "BackupAndRestore",
    "CSVLogger",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "RemoteMonitor",
    "TensorBoard",
)
"""Those that write or delete files where their settings say, or send to an address."""

OPTIMIZERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sgd": ("momentum", "nesterov"),
        "adam": (),
        "adamw": (),
        "rmsprop": ("momentum",),
        "adagrad": (),
        "adadelta": (),
        "adamax": (),
        "nadam": (),
        "ftrl": (),
        "lion": (),
    }
)
"""Keras's optimizers in one spelling, and what each takes beyond learning rate and weight decay."""

OF_THE_COMPILATION = (
    "optimizer",
    "learning_rate",
    "learning_rate_decay",
    "momentum",
    "nesterov",
    "weight_decay",
    "label_smoothing",
)
"""Parameters of the optimizer and the loss: a factory of one's own may take them as its own."""


def estimator_parameters(factory: str) -> Mapping[str, Any] | None:
    """Name the parameters of a built-in model's estimator, with their defaults.

    Parameters
    ----------
    factory : str
        A model's name.

    Returns
    -------
    mapping or None
        None where the factory is the person's own, or there is none of that name.
    """
    if factory not in factory_names():
        return None
    from sweep.models.registry import factory_parameters

    return {**TRAINING, **factory_parameters(factory)}


def factory_names() -> list[str]:
    """List the built-in models, sorted."""
    from sweep.models.registry import FACTORIES

    return sorted(FACTORIES)


def refusal(factory: str, name: str, value: Any) -> str | None:
    """Say why a built-in model refuses a value of one of its parameters; None when it does not."""
    from sweep.errors import ModelError
    from sweep.models.registry import FACTORIES, factory_parameters

    if name not in factory_parameters(factory):
        return None
    try:
        FACTORIES[factory]((64, 64, 1), 10, **{name: value})
    except ModelError as error:
        return str(error).removeprefix(f"model.{name}: ")
    return None


def is_own(factory: str) -> bool:
    """Whether a factory is the person's own code, not a built-in model."""
    return ":" in factory and is_reference(factory)


def value_problem(name: str, value: Any) -> str | None:
    """Say what is wrong with a training parameter's value; None when nothing is."""
    rule, holds = _RULES.get(name, ("", lambda _: True))
    if not holds(value):
        return f"must be {rule}"
    return _unknown_callback(value) if name == "callbacks" else None


def outward_callback(name: str, value: Any) -> str | None:
    """Say why a study file may not hold a callback that acts outside the fit; else None.

    A file that names no code needs nobody's permission, so it must do no harm:
    ``BackupAndRestore`` deletes the folder that it is given.
    """
    if name != "callbacks" or not isinstance(value, list | tuple):
        return None
    named = [each.get("name") if isinstance(each, Mapping) else each for each in value]
    found = next((each for each in named if each in OUTWARD), None)
    if found is None:
        return None
    return (
        f"{found} writes files or sends what it sees, which a study file may not ask for; leave "
        "it out, or pass it to the estimator in a program of your own"
    )


def _among(names: tuple[str, ...]) -> tuple[str, Callable[[Any], bool]]:
    return f"one of: {', '.join(names)}", lambda v: isinstance(v, str) and v in names


def _callback(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, Mapping) and "name" in value)


def _unknown_callback(values: Sequence[Any]) -> str | None:
    """Name the first callback that Keras does not have."""
    for value in values:
        name = value["name"] if isinstance(value, Mapping) else value
        if name not in CALLBACKS:
            return f'Keras has no callback named "{name}"{did_you_mean(str(name), CALLBACKS)}'
    return None


_BOOLEAN = ("true or false", lambda v: isinstance(v, bool))
_NOT_NEGATIVE = ("a number from 0", lambda v: is_number(v) and v >= 0)

_RULES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "epochs": ("a whole number from 1", is_count),
    "batch_size": ("a whole number from 1", is_count),
    "optimizer": (
        f"one of: {', '.join(OPTIMIZERS)}",
        lambda v: isinstance(v, str) and v.lower() in OPTIMIZERS,  # as Keras spells them too
    ),
    "learning_rate": ("a number above 0", lambda v: is_number(v) and v > 0),
    "learning_rate_decay": _NOT_NEGATIVE,
    "momentum": ("a number from 0 to below 1", lambda v: is_number(v) and 0 <= v < 1),
    "nesterov": _BOOLEAN,
    "weight_decay": _NOT_NEGATIVE,
    "label_smoothing": ("a number from 0 to below 1", lambda v: is_number(v) and 0 <= v < 1),
    "class_weight": (
        'a table of weights by label, each a finite number above 0, or "balanced"',
        lambda v: (
            all(is_number(each) and each > 0 for each in v.values())
            if isinstance(v, Mapping)
            else v == "balanced"
        ),
    ),
    "early_stopping": _BOOLEAN,
    "validation_fraction": ("a number between 0 and 1", lambda v: is_number(v) and 0 < v < 1),
    "n_iter_no_change": ("a whole number from 1", is_count),
    "callbacks": (
        'a list of Keras callbacks ("TerminateOnNaN", or { name = "ReduceLROnPlateau", ... })',
        lambda v: isinstance(v, list | tuple) and all(map(_callback, v)),
    ),
    "image_shape": (
        "[height, width] or [height, width, channels]",
        lambda v: isinstance(v, list | tuple) and len(v) in (2, 3) and all(map(is_count, v)),
    ),
    "precision": _among(PRECISIONS),
    "jit_compile": ('"auto", true or false', lambda v: v == "auto" or isinstance(v, bool)),
    "fast": _BOOLEAN,
    "scaling": _among(("none", "unit", "standardize")),
}
