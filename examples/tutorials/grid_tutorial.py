"""The functions of the classic tutorial on grid searches with Keras, as it writes them, on digits.

One network for each step: twelve neurons on images of 8x8 pixels, ten classes. Nothing in here
knows of sweep. Each study file beside it names one of these functions:
sweep run optimizer.toml --allow grid_tutorial
"""

import keras
from keras.constraints import MaxNorm
from keras.layers import Dense, Dropout, Flatten
from keras.models import Sequential
from keras.optimizers import SGD


def create_model():
    """Compile with Adam; the study searches batch_size and epochs."""
    model = Sequential()
    model.add(keras.Input((8, 8)))
    model.add(Flatten())
    model.add(Dense(12, activation="relu"))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def create_model_optimizer(optimizer="adam"):
    """Take the optimizer by its name."""
    model = Sequential()
    model.add(keras.Input((8, 8)))
    model.add(Flatten())
    model.add(Dense(12, activation="relu"))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def create_model_momentum(learn_rate=0.01, momentum=0.0):
    """Take learning rate and momentum of SGD."""
    model = Sequential()
    model.add(keras.Input((8, 8)))
    model.add(Flatten())
    model.add(Dense(12, activation="relu"))
    model.add(Dense(10, activation="softmax"))
    optimizer = SGD(learning_rate=learn_rate, momentum=momentum)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def create_model_init(init_mode="uniform"):
    """Take the initializer of the weights."""
    model = Sequential()
    model.add(keras.Input((8, 8)))
    model.add(Flatten())
    model.add(Dense(12, kernel_initializer=init_mode, activation="relu"))
    model.add(Dense(10, kernel_initializer=init_mode, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def create_model_activation(activation="relu"):
    """Take the activation of the hidden layer."""
    model = Sequential()
    model.add(keras.Input((8, 8)))
    model.add(Flatten())
    model.add(Dense(12, kernel_initializer="uniform", activation=activation))
    model.add(Dense(10, kernel_initializer="uniform", activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def create_model_dropout(dropout_rate=0.0, weight_constraint=0):
    """Take the dropout rate and the largest norm of the weights."""
    model = Sequential()
    model.add(keras.Input((8, 8)))
    model.add(Flatten())
    constraint = MaxNorm(weight_constraint)
    model.add(Dense(12, activation="linear", kernel_constraint=constraint))
    model.add(Dropout(dropout_rate))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def create_model_neurons(neurons=1):
    """Take the width of the hidden layer."""
    model = Sequential()
    model.add(keras.Input((8, 8)))
    model.add(Flatten())
    model.add(Dense(neurons, activation="linear", kernel_constraint=MaxNorm(4)))
    model.add(Dropout(0.2))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model
