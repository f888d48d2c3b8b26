"""Random numbers that a model draws: set for each epoch, whoever else has drawn before.

Keras's generators hold their state in variables, which are set. What a person's own code draws from
TensorFlow's, NumPy's or Python's global generators has no such state in a graph: TensorFlow keeps
it inside the kernel, from call to call and across the fits that share the graph, and what Python
draws is drawn when the graph is made. So such a model runs without a graph, batch by batch, under
seeds that are set before each epoch.
"""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

KERAS_STATE, TENSORFLOW_STATE = "seed_generator_state", "StateVar"
"""Names of the variables that hold the state of a generator of Keras's and of TensorFlow's."""

SEEDING = threading.RLock()
"""Held by whoever has seeded the global generators, until they are as they were."""


class Draws:
    """All that one model draws from.

    Parameters
    ----------
    model : keras.Model
        Built.

    Attributes
    ----------
    outside : bool
        Whether the global generators are seeded too, which no graph may run under.
    foreign : list of variables
        States of generators that it draws from and does not hold.
    """

    def __init__(self, model: Any) -> None:
        import keras

        self.outside = False
        self.foreign: list[Any] = []
        self._model, self._generator = model, keras.random.SeedGenerator(0)

    @property
    def states(self) -> list[Any]:
        """The variables that are set: the model's own generators, that of the thread, others."""
        own = [v for v in self._model.variables if v.name == KERAS_STATE]
        return [*own, self._generator.state, *self.foreign]

    @contextmanager
    def at(self, seed: int, epoch: int) -> Iterator[None]:
        """Draw inside what belongs to an epoch of a seed, whoever has drawn before."""
        held = global_seeds(seed, epoch) if self.outside else nullcontext()
        with held, drawing_from(self._generator):
            for place, variable in enumerate(self.states):
                value = [seed + 7919 * (place + 1), epoch << 20, 0][: variable.shape[0]]
                variable.assign(np.array(value))
            yield

    def examine(self, trace: Callable[[], Any]) -> tuple[Any, str]:
        """Trace something of the model, and see what it draws.

        Returns
        -------
        (graph, str)
            The second names what it draws from that has no state in a graph; empty for nothing.
        """
        with watched_draws() as drawn, drawing_from(self._generator):
            graph = trace().graph
        self.foreign = _foreign_states(graph, [*self._model.variables, self._generator.state])
        return graph, ", ".join(filter(None, [_drawing_op(graph), *drawn]))


def _drawing_op(graph: Any) -> str | None:
    """Return an operation of a graph whose random state lies outside of all variables.

    TensorFlow's stateful random operations have two seeds; code of Python's, which may draw
    anything, has a token.
    """
    from tensorflow.python.framework import op_def_registry

    said = graph.as_graph_def()
    bodies = [said.node, *(function.node_def for function in said.library.function)]
    for node in (node for body in bodies for node in body):
        about = op_def_registry.get(node.op)
        names = {each.name for each in about.attr} if about is not None else set()
        undropped = "dropout" in names and node.attr["dropout"].f == 0  # a recurrent layer's
        if "token" in names or (about and about.is_stateful and "seed2" in names and not undropped):
            return str(node.op)
    return None


def _foreign_states(graph: Any, known: Sequence[Any]) -> list[Any]:
    """Return the states of generators in a graph that are not among some known variables."""
    own = {id(getattr(each, "_value", each)) for each in known}
    names = (KERAS_STATE, TENSORFLOW_STATE)
    found = [v for v in graph.variables if any(name in v.name for name in names)]
    return [v for v in found if id(v) not in own]


@contextmanager
def drawing_from(generator: Any) -> Iterator[None]:
    """Have this thread's layers without a seed draw from a generator of Keras's."""
    from keras.src.backend.common import global_state
    from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR

    before = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, generator)
    try:
        yield
    finally:
        global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, before)


@contextmanager
def global_seeds(seed: int, epoch: int = 0) -> Iterator[None]:
    """Seed the global generators inside, one thread at a time; the caller's own draws go on.

    TensorFlow does not tell where its own global generator stands, so that begins anew.
    """
    import tensorflow as tf

    mixed = int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0])
    with SEEDING:
        before = random.getstate(), np.random.get_state()  # noqa: NPY002 - the caller's, kept
        random.seed(mixed)
        np.random.seed(mixed)  # noqa: NPY002
        tf.random.set_seed(mixed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002


@contextmanager
def watched_draws() -> Iterator[list[str]]:
    """Fix the global generators inside; tell afterwards which of them Python has drawn from."""
    drawn: list[str] = []
    with global_seeds(0):
        before = random.getstate(), _numpy_state()
        yield drawn
        if random.getstate() != before[0]:
            drawn.append("Python's random")
        if _numpy_state() != before[1]:
            drawn.append("numpy.random")


def _numpy_state() -> tuple[Any, ...]:
    state: tuple[Any, ...] = np.random.get_state(legacy=True)  # type: ignore[assignment] # noqa: NPY002
    return (state[0], state[1].tobytes(), *state[2:])
