"""Which models the fast fit can train: no method that it bypasses may be the user's.

The fast fit calls the model, ``compute_loss``, ``Optimizer.scale_loss`` and
``Optimizer.apply_gradients`` as Keras's training step does. So a user's layers, losses,
regularizers, constraints, initializers and schedules do what they do in Keras. It bypasses the
rest of Keras's trainer, all metrics and, by kernels that do a whole step, the inside of the
optimizer.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError
from sweep.training.backend import UnsupportedModelError
from sweep.training.overrides import is_keras_class, is_keras_code, user_methods

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLED = frozenset({
    "compile", "compile_from_config", "get_compile_config", "compute_loss", "_compute_loss",
    "_aggregate_additional_loss", "loss",
})  # fmt: skip
"""Methods of the trainer that the fast fit calls as Keras does."""

UNUSED = frozenset({
    "evaluate", "make_test_function", "test_on_batch", "test_step",
    "predict_on_batch", "stateless_compute_loss", "train_on_batch",
})  # fmt: skip
"""Methods that neither Keras's fit nor its predict calls; scikit-learn scores the model."""

LOSS = ("_compute_loss", "compute_loss")
PREDICTING = ("make_predict_function", "predict", "predict_step")

NAMED_BY_SHAPE = ("acc", "accuracy")
"""Names for which Keras picks one of its metrics by the shape of the output."""


def check_fast(model: Any) -> None:
    """Refuse a compiled model if the fast fit would bypass a user's method.

    Raises
    ------
    UnsupportedModelError
        Naming class and method.
    """
    for reason in chain(
        _reasons_in_model(model), _reasons_in_optimizer(model), _reasons_in_metrics(model)
    ):
        raise UnsupportedModelError(reason)


def check_seeded(unseeded: str) -> None:
    """Refuse a model that draws random numbers which no seed reaches inside a graph.

    Raises
    ------
    UnsupportedModelError
        Naming their source, and what to write instead.
    """
    if unseeded:
        raise UnsupportedModelError(
            f"it may draw random numbers that no seed of a fit reaches in a graph ({unseeded}), "
            "and runs without one; give keras.random's functions a keras.random.SeedGenerator "
            "instead"
        )


def check_fit(model: Any) -> None:
    """Refuse a model with its own ``fit``: sweep runs the epochs and would not call it.

    Raises
    ------
    ModelError
        Naming the class and what to write instead.
    """
    for name in user_methods(model, ["fit"]):
        raise ModelError(
            f"model.factory: {name} is a method of your own, and sweep, which runs the epochs "
            "itself, would not call it; put what it does into train_step or into callbacks"
        )
    if predicts_itself(model) and not getattr(model, "compiled", False):
        name = next(user_methods(model, PREDICTING))
        raise ModelError(
            f"model.factory: {name} is a method of your own, so that what the model trains on "
            "cannot be told from what it predicts; compile the model in the factory"
        )


def predicts_itself(model: Any) -> bool:
    """Return whether a model's predictions are more than its output."""
    return any(user_methods(model, PREDICTING)) or _is_user_code(model, "predict_function")


def has_user_train_function(model: Any) -> bool:
    """Return whether a user's function, not Keras's, reads the batches."""
    return any(user_methods(model, ["make_train_function"])) or _is_user_code(
        model, "train_function"
    )


def has_user_step(model: Any) -> bool:
    """Return whether a compiled model's step may have state beyond weights and optimizer."""
    return any(
        chain(_reasons_in_trainer(model), _reasons_in_optimizer(model), _reasons_in_metrics(model))
    )


def may_draw_in_step(model: Any) -> bool:
    """Return whether a training step runs user code that is in no layer."""
    return has_user_step(model) or any(user_methods(model, LOSS))


def _reasons_in_model(model: Any) -> Iterator[str]:
    yield from _reasons_in_trainer(model)
    if getattr(model, "run_eagerly", False):
        yield "it is compiled with run_eagerly=True"
    import keras

    dropouts = (each for each in model._flatten_layers() if type(each) is keras.layers.Dropout)
    for layer in dropouts:
        yield from _as_reasons(user_methods(layer, ["call"]))


def _reasons_in_trainer(model: Any) -> Iterator[str]:
    import keras
    from keras.src.trainers.trainer import Trainer

    kinds = [k for k in keras.Model.__mro__ if issubclass(k, Trainer) and k is not keras.Model]
    names = {n for k in kinds for n, v in vars(k).items() if callable(v) or isinstance(v, property)}
    dunder = {name for name in names if name.startswith("__")}
    yield from _as_reasons(user_methods(model, names - dunder - CALLED - UNUSED))
    for name in ("train_function", "predict_function"):
        if _is_user_code(model, name):
            yield f"{type(model).__name__} has a {name} of its own"


def _reasons_in_optimizer(model: Any) -> Iterator[str]:
    for optimizer in _optimizers(getattr(model, "optimizer", None)):
        yield from _as_reasons(user_methods(optimizer))


def _reasons_in_metrics(model: Any) -> Iterator[str]:
    import keras

    for layer in model._flatten_layers():
        if layer._metrics:
            yield f"{type(layer).__name__} keeps a metric, which is set back before each epoch"
    compiled = getattr(model, "_compile_metrics", None)
    if compiled is None:
        return
    given = [compiled._user_metrics, compiled._user_weighted_metrics]
    for metric in keras.tree.flatten(given):
        if metric is None or str(metric).lower() in NAMED_BY_SHAPE:
            continue
        found = keras.metrics.get(metric) if isinstance(metric, str) else metric
        if isinstance(found, keras.metrics.Metric):
            yield from _as_reasons(user_methods(found))
            found = getattr(found, "_fn", None)
        if found is not None and not _is_keras(found):
            yield f"the metric {getattr(found, '__name__', found)} is not Keras's own"


def _optimizers(optimizer: Any) -> Iterator[Any]:
    """Yield an optimizer and those inside it: one that scales the loss wraps another."""
    import keras

    if isinstance(optimizer, keras.optimizers.Optimizer):
        yield optimizer
        values = vars(optimizer).values()
        inner = chain.from_iterable(v if isinstance(v, list | tuple) else [v] for v in values)
        for each in inner:
            yield from _optimizers(each)


def _as_reasons(methods: Iterator[str]) -> Iterator[str]:
    for method in methods:
        owner, _, name = method.rpartition(".")
        yield f"{owner} has its own {name}"


def _is_user_code(model: Any, name: str) -> bool:
    value = getattr(model, name, None)
    return value is not None and not _is_keras(value)


def _is_keras(value: Any) -> bool:
    return is_keras_class(value) if isinstance(value, type) else is_keras_code(value)
