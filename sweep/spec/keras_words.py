"""Words of Keras and SciKeras that sweep has no parameter for, and what to write instead."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_HELD_OUT = (
    "the search holds rows out itself ([search] cv or validation; GridSearchCV's cv); for early "
    "stopping say early_stopping and validation_fraction"
)
_SCORES = "the scores are the search's ([search] scoring; GridSearchCV's scoring)"
_WHOLE_EPOCH = "an epoch runs in one graph call as it is; leave it out"
_IN_THE_FACTORY = "compile the model in a factory of your own with it"

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "build_fn": "the function that builds the model is given as model: KerasClassifier(f), or "
        '[model] factory = "module:f"',
        "model": 'the function that builds the model is given as [model] factory = "module:f"',
        "verbose": "a fit prints nothing, and a run shows its progress; leave it out",
        "validation_data": _HELD_OUT,
        "validation_split": _HELD_OUT,
        "validation_freq": _HELD_OUT,
        "validation_steps": _HELD_OUT,
        "validation_batch_size": _HELD_OUT,
        "shuffle": "rows are shuffled before each epoch by the fit's seed; leave it out",
        "steps_per_execution": _WHOLE_EPOCH,
        "steps_per_epoch": "an epoch is all rows of the fit once; leave it out, or set epochs",
        "run_eagerly": _IN_THE_FACTORY,
        "initial_epoch": "a fit begins at epoch 1; warm_start=True goes on from an earlier one",
        "nb_epoch": "is called epochs",
        "nb_epochs": "is called epochs",
        "max_epochs": "is called epochs",
        "max_iter": "is called epochs",
        "lr": "is called learning_rate",
        "learning_rate_init": "is called learning_rate",
        "decay": "is called learning_rate_decay",
        "loss": "the loss follows from the model's output; for another one "
        f"{_IN_THE_FACTORY}, or name loss in the factory's signature",
        "metrics": f"{_SCORES}; for Keras's metrics {_IN_THE_FACTORY}",
        "weighted_metrics": _SCORES,
        "loss_weights": "a model has one output and one loss; leave it out",
        "sample_weight": "rows are weighted by fit(X, y, sample_weight), classes by class_weight",
        "clipnorm": _IN_THE_FACTORY,
        "clipvalue": _IN_THE_FACTORY,
        "input_dim": "a factory's parameter called input_shape is given the shape of a row",
        "num_classes": "a factory's parameter called n_classes is given the number of classes",
    }
)

ROUTES: Mapping[str, str] = MappingProxyType(
    {
        "model": "a parameter of the factory is written without model__",
        "optimizer": "a setting of the optimizer is written without optimizer__",
        "fit": "a setting of the fit is written without fit__",
        "compile": "a model is compiled in its factory; settings of the optimizer are written "
        "without compile__",
        "loss": f"for another loss {_IN_THE_FACTORY}",
        "metrics": f"for Keras's metrics {_IN_THE_FACTORY}",
        "predict": "predicting has no settings; leave it out",
        "callbacks": "callbacks are given as a list, callbacks, each with its settings",
    }
)
"""What SciKeras writes before two underscores."""


FOREIGN = "is a word of Keras or SciKeras"


def keras_word(name: str, known: Collection[str] = ()) -> str | None:
    """Return what to write instead of a word of Keras's or SciKeras's; None for any other.

    Parameters
    ----------
    name : str
        The word.
    known : collection of str
        Parameters that there are: one of them may be what was meant.
    """
    route, routed, rest = name.partition("__")
    if not routed:
        return f"{FOREIGN}: {WORDS[name]}" if name in WORDS else None
    if route not in ROUTES:
        return None
    written = f"{FOREIGN}: {ROUTES[route]}"
    if rest in known or rest not in WORDS:
        return f"{written}: {rest}" if rest in known else written
    return f"{written}; and {rest}: {WORDS[rest]}"
