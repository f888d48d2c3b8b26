"""The network and the space of ../cifar10.toml as one would write them by hand."""

import os
from pathlib import Path

import keras
import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

HELD_OUT = 0.1


def rows(seed):
    """Return the rows to train on and those held out, standardized: the same as ours."""
    with np.load(Path(os.environ["SWEEP_DATA_HOME"]) / "cifar10.npz") as data:
        x, y = data["x_train"], data["y_train"].ravel()
    splitter = StratifiedShuffleSplit(1, test_size=HELD_OUT, random_state=seed)
    train, test = next(splitter.split(np.zeros(len(y)), y))
    mean, deviation = x[train].mean(), x[train].std()
    x = ((x - mean) / deviation).astype("float32")
    return (x[train], y[train]), (x[test], y[test])


def build(draw):
    """Build the network; ``draw`` is asked for each value, by Optuna or by KerasTuner."""
    layers = [
        keras.Input((32, 32, 3)),
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomTranslation(0.1, 0.1),
    ]
    filters, kernel = draw.log_int("filters", 8, 20), draw.choice("kernel_size", [3, 5])
    convolutions = draw.choice("convolutions", [1, 2])
    activation = draw.choice("activation", ["relu", "elu", "silu"])
    norm = draw.choice("batch_norm", ["none", "before", "after"])
    dropout = draw.float("conv_dropout_rate", 0.0, 0.4)
    for _ in range(3):
        for _ in range(convolutions):
            layers += convolution(filters, kernel, activation, norm)
        layers += [keras.layers.MaxPooling2D(2, padding="same"), keras.layers.Dropout(dropout)]
    layers += [
        keras.layers.Flatten(),
        keras.layers.Dense(draw.log_int("dense_width", 32, 256), activation=activation),
        keras.layers.Dropout(draw.float("dense_dropout_rate", 0.0, 0.6)),
        keras.layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer(draw), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def convolution(filters, kernel, activation, norm):
    """Return a convolution with batch normalization before or after its activation, or none."""
    conv = keras.layers.Conv2D(filters, kernel, padding="same")
    act, batch_norm = keras.layers.Activation(activation), keras.layers.BatchNormalization()
    return {
        "none": [conv, act], "before": [conv, batch_norm, act], "after": [conv, act, batch_norm],
    }[norm]  # fmt: skip


def optimizer(draw):
    """Return the optimizer."""
    name = draw.choice("optimizer", ["sgd", "adam", "rmsprop"])
    rate = draw.log_float("learning_rate", 3e-4, 3e-2)
    if name == "sgd":
        return keras.optimizers.SGD(rate, momentum=draw.float("momentum", 0.5, 0.95))
    return {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}[name](rate)
