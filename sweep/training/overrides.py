"""Which methods of an object are Keras's, and which a user has put in their place.

A method is Keras's if the class that defines it is, and if its code (and that of each decorator)
is in a file of Keras or TensorFlow. So these are all a user's, whatever their names: a method of a
subclass, a function set on one object, and a function put into a class of Keras.
"""

from __future__ import annotations

import types
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DESCRIBING = frozenset({
    "__init__", "__new__", "__init_subclass__", "__repr__", "__str__", "__reduce__",
    "get_config", "from_config", "build_from_config", "save_own_variables", "load_own_variables",
})  # fmt: skip
"""Methods that create or describe an object: no training step calls them."""

_BUILT_IN = types.WrapperDescriptorType | types.MethodDescriptorType | types.BuiltinFunctionType


def user_methods(thing: Any, names: Iterable[str] | None = None) -> Iterator[str]:
    """Yield each method that Keras defines for such an object and a user has replaced.

    Parameters
    ----------
    thing : object
        An object of a Keras class or of a subclass.
    names : iterable of str, optional
        The methods to look at; by default all that Keras's classes define.

    Yields
    ------
    str
        ``"Class.method"``, with the class that defines it.
    """
    for name in sorted(keras_methods(type(thing)) if names is None else names):
        owner = _owner(thing, name)
        if owner is not None:
            yield f"{owner}.{name}"


def has_patched_method(thing: Any) -> bool:
    """Return whether a method was set on the object itself, which no configuration shows."""
    methods = keras_methods(type(thing))
    return any(_is_set(thing, name) for name in methods & _attributes(thing).keys())


@lru_cache(maxsize=8192)
def is_keras_code(method: Any) -> bool:
    """Return whether the code of a method, property or function is Keras's or TensorFlow's."""
    if isinstance(method, property):
        parts = (method.fget, method.fset, method.fdel)
        return all(is_keras_code(part) for part in parts if part is not None)
    method = getattr(method, "__func__", method)
    while method is not None:
        code = getattr(method, "__code__", None)
        if code is None:
            return isinstance(method, _BUILT_IN)
        if not code.co_filename.startswith(_libraries()):
            return False
        method = getattr(method, "__wrapped__", None)
    return True


def is_keras_class(kind: type) -> bool:
    """Return whether a class is of Keras, or of TensorFlow or Python, on which Keras builds."""
    return kind.__module__.partition(".")[0] in ("keras", "tensorflow", "builtins")


def keras_methods(kind: type) -> frozenset[str]:
    """Return the names of the methods and properties that Keras's classes define for a class."""
    ours = tuple(each for each in kind.__mro__ if is_keras_class(each) and each is not object)
    return _methods(ours) - DESCRIBING


@cache
def _methods(kinds: tuple[type, ...]) -> frozenset[str]:
    wanted = (types.FunctionType, property, classmethod, staticmethod)
    return frozenset(n for kind in kinds for n, v in vars(kind).items() if isinstance(v, wanted))


def _owner(thing: Any, name: str) -> str | None:
    """Return the class of the user's method; None if the method is Keras's."""
    if name in _attributes(thing) and _is_set(thing, name):
        return type(thing).__name__
    for kind in type(thing).__mro__:
        if name in vars(kind):
            keras = is_keras_class(kind) and is_keras_code(vars(kind)[name])
            return None if keras else kind.__name__
    return None


def _attributes(thing: Any) -> dict[str, Any]:
    return getattr(thing, "__dict__", {})


def _is_set(thing: Any, name: str) -> bool:
    """Return whether a user, not Keras or the fast fit, has set a method on an object."""
    method = vars(thing)[name]
    if not callable(method) or isinstance(getattr(type(thing), name, None), property):
        return False
    code = getattr(getattr(method, "__func__", method), "__code__", None)
    # sweep sets methods itself: dropout rates and fused optimizer steps, from files of this room.
    if code is not None and Path(code.co_filename).parent == Path(__file__).parent:
        return False
    return getattr(method, "__self__", thing) is not thing or not is_keras_code(method)


@cache
def _libraries() -> tuple[str, ...]:
    import keras
    import tensorflow as tf

    return tuple(f"{Path(str(each.__file__)).parent}/" for each in (keras, tf))
