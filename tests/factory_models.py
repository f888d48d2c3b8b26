"""Digits, small networks and factories that the tests of factories share."""

import keras

from sweep import KerasClassifier, load_dataset

DIGITS = load_dataset("digits", train_rows=200, test_rows=80)
X, Y, TEST = DIGITS.x_train, DIGITS.y_train, DIGITS.x_test
WORDS = {"epochs": 3, "random_state": 1, "scaling": "unit"}
LAYERS = keras.layers
LOSS = "sparse_categorical_crossentropy"


def network(units=10, end="softmax", hidden="relu", width=16):
    """Return a small network."""
    parts = [keras.Input((8, 8)), LAYERS.Flatten(), LAYERS.Dense(width, hidden)]
    return keras.Sequential([*parts, LAYERS.Dense(units, end)])


def compiled(input_shape, n_classes, optimizer="sgd", learning_rate=None):
    """Compile as tutorials do."""
    model = network()
    made = keras.optimizers.get(optimizer)
    if learning_rate is not None:
        made.learning_rate = learning_rate
    model.compile(made, loss=LOSS, metrics=["accuracy"])
    return model


def proba(factory, **changes):
    """Fit, and return probabilities."""
    return KerasClassifier(factory, **{**WORDS, **changes}).fit(X, Y).predict_proba(TEST)


LTWO = keras.regularizers.L2
CONFIG = {"hidden": "relu", "l2": 0.0}


def configured(input_shape, n_classes, width=16):
    """Build what a global says."""
    hidden = LAYERS.Dense(width, CONFIG["hidden"], kernel_regularizer=LTWO(CONFIG["l2"]))
    parts = [LAYERS.Flatten(), hidden, LAYERS.Dense(n_classes, "softmax")]
    return keras.Sequential([keras.Input(input_shape), *parts])
