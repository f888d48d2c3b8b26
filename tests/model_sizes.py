"""Kinds, parameter counts and output shapes of layers, for the tests of models."""

from sweep.models import (
    describe,
)

IMAGE = (28, 28, 1)


COLOUR = (32, 32, 3)


def kinds(layers, input_shape=IMAGE):
    return [kind for _, kind, _, _ in describe(layers, input_shape)]


def parameters(layers, input_shape=IMAGE):
    return [count for *_, count in describe(layers, input_shape) if count]


def shapes(layers, input_shape=IMAGE):
    """Output shape of each layer that changes it."""
    texts = [shape for _, _, shape, _ in describe(layers, input_shape)]
    return [text for before, text in zip([None, *texts], texts, strict=False) if text != before]
