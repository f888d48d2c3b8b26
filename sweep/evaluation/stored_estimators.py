"""Keep a fitted scikit-learn object in files: by skops where that can, else as a pickle.

A skops file holds plain data and names of types: only types of known libraries, and of modules
that the user allows, are made of it. A pickle may run anything when it is loaded, so it is loaded
only for who says so. A Keras model inside is kept in Keras's own format.
"""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ResultError
from sweep.evaluation.keras_models_inside import keras_model_inside
from sweep.support.keras_configuration import no_progress_bars
from sweep.support.module_permission import allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

LIBRARIES = ("keras", "numpy", "scikeras", "scipy", "sklearn", "sweep")
"""Libraries whose classes a skops file may name."""

SKOPS, PICKLE, KERAS, FACTS = ".skops", ".joblib", ".model.keras", ".stored.json"
NOT_INSTALLED = 'skops is not installed; pip install ".[skops]" in a checkout of sweep'


@dataclass(frozen=True)
class Stored:
    """How an object was kept.

    Attributes
    ----------
    kind : str
        ``"skops"``, ``"pickle"``, or ``"nothing"`` where neither could.
    why : str
        Why skops could not, or neither; empty where it could.
    code : str
        Identity of the user's code then.
    """

    kind: str
    why: str = ""
    code: str = ""


def store(
    value: Any,
    base: Path,
    *,
    agrees: Callable[[Any], bool],
    allow: Collection[str] = (),
    code: str = "",
    pickle: bool = True,
) -> Stored:
    """Write a fitted object; what is written is loaded again and must agree.

    Parameters
    ----------
    value : object
        An estimator, or a list of named steps.
    base : Path
        The files' path without their ends.
    agrees : callable
        ``agrees(loaded) -> bool``: whether what is loaded does as the original does.
    allow : collection of str
        Modules of the user whose types may be named.
    code : str
        Identity of the user's code.
    pickle : bool
        Whether to write a pickle where skops cannot.

    Raises
    ------
    ResultError
        If skops cannot and no pickle is wanted; the message has the reason.
    """
    base.parent.mkdir(parents=True, exist_ok=True)
    why = store_by_skops(value, base, agrees, allow)
    if why and not pickle:
        raise ResultError(why)
    kind = "skops"
    if why:
        remove(base)
        refused = _by_pickle(value, base)
        kind, why = ("nothing", f"{why}; as a pickle: {refused}") if refused else ("pickle", why)
    stored = Stored(kind, why, code)
    _file(base, FACTS).write_text(json.dumps(vars(stored)) + "\n", encoding="utf-8")
    return stored


def read_stored(base: Path) -> Stored:
    """Return how an object was kept.

    Raises
    ------
    ResultError
        If nothing is there.
    """
    try:
        return Stored(**json.loads(_file(base, FACTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ResultError(
            f"{_file(base, FACTS)}: cannot be read ({error}): another machine has refitted it, or "
            "the file was removed; copy its folder from that machine, or have all machines name "
            "one folder in SWEEP_ARTIFACTS before the study is run"
        ) from error


def load_stored(base: Path, allow: Collection[str] = (), *, trust: bool = False) -> Any:
    """Return what :func:`store` wrote.

    Parameters
    ----------
    base : Path
        The files' path without their ends.
    allow : collection of str
        Modules of the user whose types may be made.
    trust : bool
        Whether a pickle may be loaded.

    Raises
    ------
    ResultError
        If it cannot be loaded, or is a pickle that nobody trusts.
    """
    stored = read_stored(base)
    if stored.kind == "skops":
        return from_skops(base, allow)
    if stored.kind == "nothing":
        raise ResultError(
            f"{base}: the fitted estimator could not be kept: {stored.why}; functions and classes "
            "in it must stand at the top of a module"
        )
    if not trust:
        raise ResultError(
            f"{_file(base, PICKLE)}: is a pickle, which runs code when it is loaded, for skops "
            f"could not keep it: {stored.why}; if you trust the file, say trust=True, and to sweep "
            "export --pickle"
        )
    return from_pickle(base)


def from_pickle(base: Path) -> Any:
    """Return what a pickle holds; it may run anything.

    Raises
    ------
    ResultError
        If it is missing, or cannot be loaded.
    """
    import joblib

    try:
        return joblib.load(_file(base, PICKLE))
    except Exception as error:  # a pickle may raise anything
        why = f"{type(error).__name__}: {error}"
        raise ResultError(f"{_file(base, PICKLE)}: cannot be loaded: {why}") from error


def store_pickle(value: Any, base: Path, agrees: Callable[[Any], bool]) -> Path:
    """Write a pickle; what is loaded again must agree.

    Raises
    ------
    ResultError
        If it cannot be written, or does not agree.
    """
    if why := _by_pickle(value, base):
        raise ResultError(f"the fitted estimator cannot be pickled: {why}")
    if not agrees(from_pickle(base)):
        raise ResultError("the pickle that is loaded again predicts something else")
    return _file(base, PICKLE)


def remove(base: Path) -> None:
    """Delete the files of an object."""
    for end in (SKOPS, PICKLE, KERAS, FACTS):
        _file(base, end).unlink(missing_ok=True)


def same_predictions(one: Any, other: Any, rows: Any) -> bool:
    """Return whether two fitted estimators, or two lists of steps, give the same for some rows."""
    with no_progress_bars():
        mine, others = (_outcome(each, rows) for each in (one, other))
    return bool(np.allclose(mine, others, rtol=0, atol=1e-6, equal_nan=True))


def _outcome(fitted: Any, rows: Any) -> Any:
    if isinstance(fitted, list):
        for _, step in fitted:
            rows = step.transform(rows)
        return rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
    for method in ("predict_proba", "decision_function"):
        if hasattr(fitted, method):
            return np.asarray(getattr(fitted, method)(rows))
    return np.searchsorted(fitted.classes_, fitted.predict(rows))


def store_by_skops(
    value: Any, base: Path, agrees: Callable[[Any], bool], allow: Collection[str]
) -> str:
    """Write by skops; return why it cannot, empty if it can."""
    if find_spec("skops") is None:
        return NOT_INSTALLED
    import skops.io

    try:
        bare, model = _without_keras_model(value)
        if holder := keras_model_inside(bare):
            return f"a Keras model stands inside {holder}, where skops cannot keep it"
        skops.io.dump(bare, _file(base, SKOPS))
        if model is not None:
            model.save(_file(base, KERAS))
        if agrees(from_skops(base, allow)):
            return ""
    except Exception as error:  # noqa: BLE001 - an estimator of the user's may raise anything
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return "what is loaded again predicts something else"


def _by_pickle(value: Any, base: Path) -> str:
    """Write a pickle; return why that cannot be, empty if it can."""
    import joblib

    try:
        joblib.dump(value, _file(base, PICKLE))
    except Exception as error:  # noqa: BLE001 - an estimator of the user's may raise anything
        _file(base, PICKLE).unlink(missing_ok=True)
        return f"{type(error).__name__}: {error}"
    return ""


def from_skops(base: Path, allow: Collection[str]) -> Any:
    """Return what :func:`store_by_skops` wrote.

    Raises
    ------
    ResultError
        If skops is not installed, the file is damaged, or names types that are not allowed.
    """
    if find_spec("skops") is None:
        raise ResultError(f"{_file(base, SKOPS)}: {NOT_INSTALLED}")
    import skops.io

    path = _file(base, SKOPS)
    try:
        named = skops.io.get_untrusted_types(file=path)
        unknown = [each for each in named if not _known(each, allow)]
        found = None if unknown else skops.io.load(path, trusted=named)
    except Exception as error:  # on a damaged file skops raises anything
        raise ResultError(f"{path}: skops cannot load it ({error})") from error
    if unknown:
        raise ResultError(
            f"{path}: holds types of modules that are not allowed: {', '.join(unknown)}; allow "
            "the module if you trust it"
        )
    if _file(base, KERAS).exists():
        _set_keras_model(found, _file(base, KERAS))
    return found


def _known(name: str, allow: Collection[str]) -> bool:
    """Return whether a type may be made: a class of a known library, or of an allowed module.

    Functions of libraries are left out: as the function of a step they would be called.
    """
    module, _, own = name.rpartition(".")
    if allowed(module, allow):
        return True
    if module.partition(".")[0] not in LIBRARIES:
        return False
    with suppress(ImportError):
        return isinstance(getattr(import_module(module), own, None), type)
    return False


def _without_keras_model(value: Any) -> tuple[Any, Any]:
    """Return a copy without the Keras model of its last step, and that model; None for none."""
    last = _last_of(value)
    model = vars(last).get("model_") if hasattr(last, "__dict__") else None
    if model is None or not hasattr(model, "get_weights"):
        return value, None
    bare = copy.copy(last)
    for name in ("model_", "history_"):
        bare.__dict__.pop(name, None)
    if hasattr(getattr(bare, "model", None), "get_weights"):  # the network that was copied
        bare.model = None
    if last is value:
        return bare, model
    whole = copy.copy(value)
    whole.steps = [*value.steps[:-1], (value.steps[-1][0], bare)]
    return whole, model


def _set_keras_model(value: Any, path: Path) -> None:
    import keras

    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    _last_of(value).model_ = model


def _last_of(value: Any) -> Any:
    with suppress(AttributeError, IndexError, TypeError):
        return value.steps[-1][1]
    return value


def _file(base: Path, end: str) -> Path:
    return base.with_name(base.name + end)
