"""How a model factory is called: what sweep passes to it, and which parameters are its own.

The one rule, for study files and for :class:`sweep.KerasClassifier`:

- ``input_shape``, ``n_classes`` and SciKeras's ``meta`` and ``compile_kwargs`` are passed by name
  to a factory that names them, and not at all to one that does not.
- A factory whose first two parameters are the shape and the number of classes under other names
  (``shape, classes``) gets both by position.
- Every other parameter is the factory's own: it gets what the study or the estimator says.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError

if TYPE_CHECKING:
    import numpy as np

Factory = Callable[..., Any]
"""Returns layer descriptions or a ``keras.Model``."""

SHAPE, CLASSES, META, COMPILE = "input_shape", "n_classes", "meta", "compile_kwargs"

PASSED: Mapping[str, str] = {
    SHAPE: "the shape of one row of the data",
    CLASSES: "the number of classes of the data",
    META: "what SciKeras tells a factory of the data",
    COMPILE: "what SciKeras has a factory compile with",
}
"""What sweep passes by name."""

REQUIRED = inspect.Parameter.empty
"""The default of a parameter without one."""

_VARIADIC = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
_SHAPES, _CLASSES = ("s", "dims"), ("c", "k", "n", "n_out", "n_outputs", "num_outputs", "outputs")
_NOT_CLASSES = ("class_weight", "class_weights")


@dataclass(frozen=True)
class Signature:
    """How one factory is called.

    Attributes
    ----------
    own : mapping of str to value
        Its own parameters with their defaults, in order; ``REQUIRED`` for one without.
    passed : frozenset of str
        Those of :data:`PASSED` that it names.
    first : tuple of str
        Names of the first two parameters where they get shape and number of classes by position;
        else empty.
    takes_any : bool
        Whether it has ``**parameters``.
    """

    own: Mapping[str, Any]
    passed: frozenset[str]
    first: tuple[str, ...] = ()
    takes_any: bool = False


@dataclass(frozen=True)
class Facts:
    """What a factory may be told of a fit.

    Attributes
    ----------
    input_shape : tuple of int
        Shape of one row.
    n_classes : int
        Classes.
    meta : mapping, optional
        As :func:`make_meta` returns it; by default of one row.
    compile_kwargs : callable, optional
        Returns a new optimizer, a loss and metrics by the names of ``Model.compile``.
    """

    input_shape: tuple[int, ...]
    n_classes: int
    meta: Mapping[str, Any] | None = None
    compile_kwargs: Callable[[], dict[str, Any]] | None = None

    def named(self, names: frozenset[str]) -> dict[str, Any]:
        """Return those of some names, each made for one call."""
        makers = {
            SHAPE: lambda: self.input_shape,
            CLASSES: lambda: self.n_classes,
            META: lambda: dict(self.meta or make_meta((1, *self.input_shape), self.n_classes)),
            COMPILE: self.compile_kwargs or (lambda: compile_defaults("adam", self.n_classes)),
        }
        return {name: maker() for name, maker in makers.items() if name in names}


def read_signature(factory: Factory) -> Signature:
    """Return how a factory is called.

    Raises
    ------
    ModelError
        If Python cannot tell its parameters.
    """
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"model.factory: the parameters of {name_of(factory)} cannot be told; write a function "
            "around it that names them"
        ) from error
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    by_position = _shape_and_classes(parameters[:2])
    rest = parameters[2:] if by_position else parameters
    named = [p for p in rest if p.kind not in _VARIADIC]
    return Signature(
        own={p.name: p.default for p in named if p.name not in PASSED},
        passed=frozenset(p.name for p in named if p.name in PASSED),
        first=tuple(p.name for p in parameters[:2]) if by_position else (),
        takes_any=takes_any,
    )


def call_factory(factory: Factory, facts: Facts, params: Mapping[str, Any]) -> Any:
    """Call a factory with what it names and with its own parameters.

    Parameters
    ----------
    factory : callable
        The factory.
    facts : Facts
        What sweep passes, where it is named.
    params : mapping of str to value
        Its own parameters that are set.
    """
    signature = read_signature(factory)
    first = (facts.input_shape, facts.n_classes) if signature.first else ()
    return factory(*first, **facts.named(signature.passed), **params)


def make_meta(
    x_shape: Sequence[int],
    n_classes: int,
    classes: np.ndarray | None = None,
    x_dtype: Any = "float32",
) -> dict[str, Any]:
    """Return what SciKeras's ``meta`` holds for a classifier.

    Parameters
    ----------
    x_shape : sequence of int
        Shape of all rows of the fit, as the model gets them.
    n_classes : int
        Classes.
    classes : ndarray, optional
        The labels, sorted; by default their numbers.
    x_dtype : dtype
        Of the rows as they were given.
    """
    import numpy as np

    labels = np.arange(n_classes) if classes is None else classes
    return {
        "classes_": labels,
        "n_classes_": n_classes,
        "n_outputs_": 1,
        "n_outputs_expected_": 1,
        "target_type_": "binary" if n_classes <= 2 else "multiclass",
        "y_dtype_": labels.dtype,
        "y_ndim_": 1,
        "X_dtype_": np.dtype(x_dtype),
        "X_shape_": tuple(x_shape),
        "n_features_in_": int(x_shape[1]) if len(x_shape) > 1 else 1,
    }


def compile_defaults(optimizer: Any, n_classes: int) -> dict[str, Any]:
    """Return what SciKeras's ``compile_kwargs`` holds, around an optimizer."""
    binary = n_classes <= 2
    loss = "binary_crossentropy" if binary else "sparse_categorical_crossentropy"
    return {"optimizer": optimizer, "loss": loss, "metrics": ["accuracy"], "run_eagerly": False}


def name_of(factory: Any) -> str:
    """Return a factory's name for a message."""
    return factory if isinstance(factory, str) else getattr(factory, "__name__", repr(factory))


def remedy(factory: Factory) -> str:
    """Return what to write so that a model fits the data."""
    signature = read_signature(factory)
    if signature.first or {SHAPE, CLASSES} <= signature.passed:
        shape, classes = signature.first or (SHAPE, CLASSES)
        return f"build it with the {shape} and {classes} that the factory is given"
    own = "".join(f", {name}" for name in signature.own)
    return (
        f"name {SHAPE} and {CLASSES} in the factory's signature and build it with them: "
        f"def {name_of(factory)}({SHAPE}, {CLASSES}{own})"
    )


def _shape_and_classes(first: Sequence[inspect.Parameter]) -> bool:
    """Return whether the first parameters are a shape and a number of classes by position."""
    if first and first[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return True
    if len(first) < 2 or any(p.kind is p.KEYWORD_ONLY for p in first):
        return False
    shape, classes = (p.name.lower() for p in first)
    is_shape = ("shape" in shape and "class" not in shape) or shape in _SHAPES
    is_classes = "class" in classes and "shape" not in classes and classes not in _NOT_CLASSES
    if first[1].kind is inspect.Parameter.VAR_POSITIONAL:
        return is_shape
    return is_shape and (is_classes or (classes in _CLASSES and first[1].default is REQUIRED))
