"""Which models the fast fit can take: those whose every method that it goes around is Keras's own.

The fast fit calls the model, ``compute_loss``, ``Optimizer.scale_loss`` and
``Optimizer.apply_gradients`` as Keras's training step does; so layers, losses, regularizers,
constraints, initializers and schedules of a person's own do in it what they do in Keras. It goes
around the rest of Keras's trainer, around all metrics, and, by kernels that do a whole step, around
what is inside the optimizer.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError
from sweep.training.backend import UnsupportedModelError
from sweep.training.overrides import is_keras_class, is_keras_code, own_methods

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLED = frozenset({
    "compile", "compile_from_config", "get_compile_config", "compute_loss", "_compute_loss",
    "_aggregate_additional_loss", "loss",
})  # fmt: skip
"""Methods of the trainer that both ways of fitting call as Keras does."""

UNUSED = frozenset({
    "evaluate", "make_test_function", "test_on_batch", "test_step",
    "predict_on_batch", "stateless_compute_loss", "train_on_batch",
})  # fmt: skip
"""Methods that neither Keras's fit nor its predict calls; scores are scikit-learn's."""

LOSS = ("_compute_loss", "compute_loss")
PREDICTING = ("make_predict_function", "predict", "predict_step")

NAMED_BY_SHAPE = ("acc", "accuracy")
"""Metrics that Keras chooses among its own."""


def check_fast(model: Any) -> None:
    """Refuse a compiled model of which the fast fit would leave something out.

    Raises
    ------
    UnsupportedModelError
        Naming class and method.
    """
    for reason in chain(_of_model(model), _of_optimizer(model), _of_metrics(model)):
        raise UnsupportedModelError(reason)


def check_draws(drawn: str) -> None:
    """Refuse a model that draws from what has no state in a graph.

    Raises
    ------
    UnsupportedModelError
        Naming what it draws from, and what to write instead.
    """
    if drawn:
        raise UnsupportedModelError(
            f"it may draw random numbers that no seed of a fit reaches in a graph ({drawn}), and "
            "runs without one; give keras.random's functions a keras.random.SeedGenerator instead"
        )


def check_fit(model: Any) -> None:
    """Refuse a model with a ``fit`` of its own: sweep runs the epochs itself.

    Raises
    ------
    ModelError
        Naming the class and what to write instead.
    """
    for name in own_methods(model, ["fit"]):
        raise ModelError(
            f"model.factory: {name} is a method of your own, and sweep, which runs the epochs "
            "itself, would not call it; put what it does into train_step or into callbacks"
        )
    if predicts_itself(model) and not getattr(model, "compiled", False):
        name = next(own_methods(model, PREDICTING))
        raise ModelError(
            f"model.factory: {name} is a method of your own, so that what the model trains on "
            "cannot be told from what it predicts; compile the model in the factory"
        )


def predicts_itself(model: Any) -> bool:
    """Return whether a model's predictions are more than its output."""
    return any(own_methods(model, PREDICTING)) or _is_own(model, "predict_function")


def iterates_itself(model: Any) -> bool:
    """Return whether a function of a person's own takes the batches."""
    return any(own_methods(model, ["make_train_function"])) or _is_own(model, "train_function")


def has_own_step(model: Any) -> bool:
    """Return whether a compiled model's step may hold more than weights and optimizer tell."""
    return any(chain(_of_trainer(model), _of_optimizer(model), _of_metrics(model)))


def may_draw(model: Any) -> bool:
    """Return whether code of a person's own stands in a step, beside layers and losses."""
    return has_own_step(model) or any(own_methods(model, LOSS))


def _of_model(model: Any) -> Iterator[str]:
    yield from _of_trainer(model)
    if getattr(model, "run_eagerly", False):
        yield "it is compiled with run_eagerly=True"
    import keras

    dropouts = (each for each in model._flatten_layers() if type(each) is keras.layers.Dropout)
    for layer in dropouts:
        yield from _said(own_methods(layer, ["call"]))


def _of_trainer(model: Any) -> Iterator[str]:
    import keras
    from keras.src.trainers.trainer import Trainer

    kinds = [k for k in keras.Model.__mro__ if issubclass(k, Trainer) and k is not keras.Model]
    names = {n for k in kinds for n, v in vars(k).items() if callable(v) or isinstance(v, property)}
    dunder = {name for name in names if name.startswith("__")}
    yield from _said(own_methods(model, names - dunder - CALLED - UNUSED))
    for name in ("train_function", "predict_function"):
        if _is_own(model, name):
            yield f"{type(model).__name__} has a {name} of its own"


def _of_optimizer(model: Any) -> Iterator[str]:
    for optimizer in _optimizers(getattr(model, "optimizer", None)):
        yield from _said(own_methods(optimizer))


def _of_metrics(model: Any) -> Iterator[str]:
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
            yield from _said(own_methods(found))
            found = getattr(found, "_fn", None)
        if found is not None and not _is_keras(found):
            yield f"the metric {getattr(found, '__name__', found)} is not Keras's own"


def _optimizers(optimizer: Any) -> Iterator[Any]:
    """Yield an optimizer and those that it holds, as that which scales the loss does."""
    import keras

    if isinstance(optimizer, keras.optimizers.Optimizer):
        yield optimizer
        held = vars(optimizer).values()
        inner = chain.from_iterable(v if isinstance(v, list | tuple) else [v] for v in held)
        for each in inner:
            yield from _optimizers(each)


def _said(methods: Iterator[str]) -> Iterator[str]:
    for method in methods:
        owner, _, name = method.rpartition(".")
        yield f"{owner} has its own {name}"


def _is_own(model: Any, name: str) -> bool:
    held = getattr(model, name, None)
    return held is not None and not _is_keras(held)


def _is_keras(found: Any) -> bool:
    return is_keras_class(found) if isinstance(found, type) else is_keras_code(found)
