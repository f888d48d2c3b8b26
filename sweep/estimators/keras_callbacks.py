"""Keras callbacks around an epoch, wherever the epoch itself is run."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from inspect import signature
from typing import Any

from sweep.errors import ModelError

BATCH_HOOKS = (
    "on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end",
)  # fmt: skip


class KerasCallbacks:
    """Call Keras callbacks at each epoch, by Keras's own ``CallbackList``.

    Each is a copy: a callback holds the model and what it has gathered, and the estimator's
    parameter, which clones share, must not.

    Parameters
    ----------
    given : callback or sequence of callbacks
        ``keras.callbacks.Callback`` instances; or their names; or mappings with ``name`` and
        settings, as a study file has.

    Raises
    ------
    ModelError
        For a name that Keras does not have, settings that it refuses, a callback that cannot be
        copied.
    """

    def __init__(self, given: Any) -> None:
        single = isinstance(given, str | Mapping) or hasattr(given, "on_epoch_end")
        self.list = [_callback(item) for item in ([given] if single else given or ())]
        self._logs: dict[str, float] = {}
        if self.list:
            import keras

            self._callback_list = keras.callbacks.CallbackList(self.list)

    def __bool__(self) -> bool:
        return bool(self.list)

    @property
    def need_held_out_rows(self) -> bool:
        """Whether one of them monitors a value of held-out rows."""
        return any(str(getattr(c, "monitor", "")).startswith("val_") for c in self.list)

    @property
    def with_batch_hooks(self) -> list[Any]:
        """Those that must be called at each batch; not every backend can do that."""
        return [c for c in self.list if not all(_is_default(getattr(c, h)) for h in BATCH_HOOKS)]

    @property
    def batch_callbacks(self) -> Any:
        """What to call at each batch; None if no callback needs it."""
        return self._callback_list if self.with_batch_hooks else None

    def without_model(self) -> list[Any]:
        """Return the callbacks with what they have gathered, without the model."""
        for callback in self.list:
            callback._model = None
        return self.list

    def begin(self, model: Any, epochs: int, steps: int) -> None:
        """Call ``on_train_begin``, with the number of epochs and of batches in each."""
        model.stop_training = False
        self._callback_list.set_params({"epochs": epochs, "steps": steps, "verbose": 0})
        self._callback_list.set_model(model)
        self._callback_list.on_train_begin()

    def epoch_begin(self, model: Any, epoch: int) -> None:
        """Call ``on_epoch_begin``; ``epoch`` counts from 1 here, from 0 in Keras."""
        self._callback_list.set_model(model)
        self._callback_list.on_epoch_begin(epoch - 1)

    def epoch_end(self, model: Any, epoch: int, logs: Mapping[str, float]) -> bool:
        """Call ``on_epoch_end``, as :meth:`epoch_begin` does; return whether to stop."""
        self._logs = dict(logs)
        self._callback_list.set_model(model)
        self._callback_list.on_epoch_end(epoch - 1, self._logs)
        return bool(model.stop_training)

    def test_begin(self, model: Any) -> None:
        """Call ``on_test_begin``, before held-out rows are predicted."""
        self._callback_list.set_model(model)
        self._callback_list.on_test_begin()

    def test_end(self, model: Any, logs: Mapping[str, float]) -> None:
        """Call ``on_test_end`` with loss and metrics of the held-out rows."""
        self._callback_list.set_model(model)
        self._callback_list.on_test_end(dict(logs))

    def end(self, model: Any) -> None:
        """Call ``on_train_end`` with the last epoch's values."""
        self._callback_list.set_model(model)
        self._callback_list.on_train_end(self._logs)


def _is_default(method: Any) -> bool:
    """Return whether a method of a callback is Keras's default, which does nothing."""
    return bool(getattr(method, "_is_default", False))


def _copy_of(callback: Any) -> Any:
    bare = copy.copy(callback)
    bare._model = None  # it may hold the model of an earlier fit
    try:
        return copy.deepcopy(bare)
    except Exception as error:  # a user's object may raise anything
        kind = type(callback).__name__
        raise ModelError(
            f"callbacks: {kind} cannot be copied ({error}), and each fit works on a copy of its "
            f'own; open files and the like in on_train_begin, or give {{"name": "{kind}", ...}}'
        ) from error


def _callback(item: Any) -> Any:
    import keras

    if isinstance(item, keras.callbacks.Callback):
        return _copy_of(item)
    if not isinstance(item, str | Mapping):
        raise ModelError(
            f"callbacks: must be Keras callbacks, their names or mappings, got "
            f"{type(item).__name__}; those of scikit-learn are set by set_callbacks(...)"
        )
    settings = {"name": item} if isinstance(item, str) else dict(item)
    name = settings.pop("name", None)
    kind = getattr(keras.callbacks, str(name), None)
    if not (isinstance(kind, type) and issubclass(kind, keras.callbacks.Callback)):
        raise ModelError(f"callbacks: Keras has no callback named {name!r}")
    known = [word for word in signature(kind).parameters if word != "kwargs"]
    if unknown := [word for word in settings if word not in known]:
        takes = ", ".join(known)
        raise ModelError(f"callbacks: {name} has no {unknown[0]!r}; it takes: {takes}")
    try:
        return kind(**settings)
    except (TypeError, ValueError) as error:
        raise ModelError(f"callbacks: {name} does not take these settings: {error}") from error
