"""Keras callbacks around an epoch, wherever the epoch itself is run."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCH_HOOKS = (
    "on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end",
)  # fmt: skip


class KerasCallbacks:
    """Keras callbacks that are told of each epoch.

    Parameters
    ----------
    given : sequence of keras.callbacks.Callback, str or mapping
        Callbacks; or their names; or mappings with ``name`` and settings, as a study file has.
    epochs : int
        Epochs of the fit.

    Raises
    ------
    ModelError
        For a name that Keras does not have, or settings that it refuses.
    """

    def __init__(self, given: Sequence[Any] | None, epochs: int) -> None:
        if isinstance(given, str):
            raise ModelError(f"callbacks: must be a list, got {given!r}; write [{given!r}]")
        self.list = [_callback(item) for item in given or ()]
        for callback in self.list:
            callback.set_params({"epochs": epochs, "steps": None, "verbose": 0})

    def __bool__(self) -> bool:
        return bool(self.list)

    @property
    def watch_held_out(self) -> bool:
        """Whether one of them monitors a value that only held-out rows give."""
        return any(str(getattr(c, "monitor", "")).startswith("val_") for c in self.list)

    @property
    def by_batch(self) -> list[Any]:
        """Those that want to hear of batches, which only Keras's own fit tells them."""
        if not self.list:
            return []
        import keras

        base = keras.callbacks.Callback
        return [
            callback
            for callback in self.list
            if any(getattr(type(callback), h) is not getattr(base, h) for h in BATCH_HOOKS)
        ]

    def begin(self, model: Any) -> None:
        """Tell them that training begins."""
        model.stop_training = False
        for callback in self.list:
            callback.set_model(model)
            callback.on_train_begin()

    def epoch_begin(self, model: Any, epoch: int) -> None:
        """Tell them that an epoch, counted from 1, begins."""
        for callback in self.list:
            callback.set_model(model)
            callback.on_epoch_begin(epoch - 1)

    def epoch(self, model: Any, epoch: int, logs: Mapping[str, float]) -> bool:
        """Tell them that an epoch, counted from 1, has ended; return whether to stop."""
        for callback in self.list:
            callback.set_model(model)
            callback.on_epoch_end(epoch - 1, dict(logs))
        return bool(model.stop_training)

    def end(self, model: Any) -> None:
        """Tell them that training has ended."""
        for callback in self.list:
            callback.set_model(model)
            callback.on_train_end()


def _callback(item: Any) -> Any:
    import keras

    if isinstance(item, keras.callbacks.Callback):
        return item
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
