"""Whether the batches of a fit are compiled by XLA, and how: every shape is static then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable


def compiles(setting: bool | str, model: Any) -> bool:
    """Return whether XLA compiles a model's batches.

    Parameters
    ----------
    setting : {"auto", True, False}
        The estimator's ``jit_compile``. ``"auto"`` compiles where TensorFlow sees a GPU, if XLA has
        code for every layer: on a CPU XLA's convolutions are many times slower than oneDNN's.
    model : keras.Model
        The model.

    Raises
    ------
    ModelError
        If it must be compiled and XLA has no code for a layer.
    """
    from keras.src.trainers.trainer import model_supports_jit

    if setting is False:
        return False
    if setting == "auto":
        return _sees_gpu() and bool(model_supports_jit(model))
    if not model_supports_jit(model):
        without = [layer for layer in model._flatten_layers() if not layer.supports_jit]
        names = ", ".join(f"{layer.name} ({type(layer).__name__})" for layer in without)
        raise ModelError(
            f'jit_compile: XLA has no code for {names or "this machine"}; write "auto" or leave it '
            "out"
        )
    return True


def _sees_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def run_in_static_batches(steps_of: Callable[[int], Any]) -> Callable[..., Any]:
    """Return a function that runs batches of an epoch through graphs of static batch size.

    The last batch of an epoch is often smaller: it has a graph of its own, so that a batch is what
    it is without XLA. Filling it up with rows without weight would change what layers such as
    BatchNormalization compute from it.

    Parameters
    ----------
    steps_of : callable
        ``steps_of(size)`` returns the graph for batches of that size.

    Returns
    -------
    callable
        ``f(data, order, size, first, stop, totals, scaling)``: as
        :func:`sweep.training.graphs.make_steps` describes it.
    """

    def run(
        data: tuple[Any, ...], order: Any, size: int, first: int, stop: int, totals: Any,
        scaling: tuple[Any, Any],
    ) -> Any:  # fmt: skip
        whole, rest = min(stop, len(order) // size), len(order) % size
        if first < whole:
            totals = steps_of(size)(*data, order, first, whole, totals, *scaling)
        if stop > whole:
            totals = steps_of(rest)(*data, order[-rest:], 0, 1, totals, *scaling)
        return totals

    return run
