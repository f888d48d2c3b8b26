"""What to say of a parameter that a built-in model does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

from sweep.spec.keras_words import keras_word
from sweep.spec.problems import did_you_mean

MEANT = {
    "activation_function": ("activation",),
    "alpha": ("l2",),
    "dropout": ("dropout_rate", "dense_dropout_rate"),
    "hidden_layer_sizes": ("hidden_size", "dense_width"),
    "hidden_units": ("hidden_size", "dense_width"),
    "init": ("kernel_initializer",),
    "init_mode": ("kernel_initializer",),
    "kernel_constraint": ("max_norm",),
    "kernel_regularizer": ("l2",),
    "lr": ("learning_rate",),
    "n_layers": ("hidden_layers", "blocks"),
    "n_neurons": ("hidden_size", "dense_width"),
    "n_units": ("hidden_size", "dense_width"),
    "neurons": ("hidden_size", "dense_width"),
    "nb_epoch": ("epochs",),
    "num_layers": ("hidden_layers", "blocks"),
    "units": ("hidden_size", "dense_width"),
    "weight_constraint": ("max_norm",),
}
"""Words of tutorials and other libraries, and what models call it here: the first they have."""


def unknown_parameter(name: str, model: str, known: Collection[str]) -> str:
    """Say that a built-in model lacks a parameter, which one is meant, and who may have it.

    Parameters
    ----------
    name : str
        The parameter.
    model : str
        The model.
    known : collection of str
        The parameters that it has.
    """
    ours = next((each for each in MEANT.get(name, ()) if each in known), None)
    if ours is None and (word := keras_word(name, known)):
        return word
    hint = did_you_mean(name, known) if ours is None else f", did you mean {ours}?"
    own = name if name.isidentifier() else "..."
    return (
        f'unknown parameter of model "{model}"{hint} (a factory of your own may have it: '
        f'factory = "mine:build", and in mine.py def build(input_shape, n_classes, {own}))'
    )
