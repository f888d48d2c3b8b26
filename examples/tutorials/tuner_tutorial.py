"""The model of KerasTuner's getting started, each ``hp.Int("units", ...)`` a parameter, on digits.

The ranges stand in keras_tuner.toml: sweep run keras_tuner.toml --allow tuner_tutorial
"""

import keras
from keras import layers


def build_model(
    num_layers=1, units_0=32, units_1=32, units_2=32, activation="relu", dropout=False, lr=1e-3
):
    """Build up to three hidden layers, each with a width of its own."""
    model = keras.Sequential()
    model.add(keras.Input((8, 8)))
    model.add(layers.Flatten())
    for units in (units_0, units_1, units_2)[:num_layers]:
        model.add(layers.Dense(units, activation=activation))
    if dropout:
        model.add(layers.Dropout(rate=0.25))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=lr),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
