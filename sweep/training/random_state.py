"""Random numbers of a model: set for each epoch, so that earlier draws do not matter.

Keras's generators hold their state in variables, which are set. A user's code may also draw from
the global generators of TensorFlow, NumPy or Python, which have no such state in a graph:
TensorFlow keeps it inside the kernel, across calls and across the fits that share the graph;
Python draws once, when the graph is traced. Such a model therefore runs without a graph, batch by
batch, under global seeds that are set before each epoch.
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
"""Names of the variables that hold the state of a Keras and of a TensorFlow generator."""

SEEDING_LOCK = threading.RLock()
"""Held while the global generators are seeded, until their former state is restored."""


class RandomSources:
    """The random generators that one model uses.

    Parameters
    ----------
    model : keras.Model
        Built.

    Attributes
    ----------
    use_global_seeds : bool
        Whether the global generators are seeded too. No graph may run then.
    foreign_states : list of variables
        States of generators that the model uses but does not hold.
    """

    def __init__(self, model: Any) -> None:
        import keras

        self.use_global_seeds = False
        self.foreign_states: list[Any] = []
        self._model, self._generator = model, keras.random.SeedGenerator(0)

    @property
    def states(self) -> list[Any]:
        """The variables that are set: generators of the model, of the thread, of others."""
        own = [v for v in self._model.variables if v.name == KERAS_STATE]
        return [*own, self._generator.state, *self.foreign_states]

    @contextmanager
    def seeded(self, seed: int, epoch: int, reached: Sequence[np.ndarray] = ()) -> Iterator[None]:
        """Inside, draw the numbers that belong to an epoch of a seed.

        ``reached`` are the states of the generators within the epoch, if it is not at its begin.
        """
        seeds = global_seeds(seed, epoch) if self.use_global_seeds else nullcontext()
        with seeds, use_generator(self._generator):
            for place, variable in enumerate(self.states):
                # A prime apart, so that no two generators of a model draw the same numbers.
                value = [seed + 7919 * (place + 1), epoch << 20, 0][: variable.shape[0]]
                variable.assign(np.array(value))
            for variable, state in zip(self.states if reached else (), reached, strict=True):
                variable.assign(state)
            yield

    def now(self) -> list[np.ndarray]:
        """Return the states of the generators."""
        return [np.asarray(variable.numpy()) for variable in self.states]

    def trace(self, make: Callable[[], Any]) -> tuple[Any, str]:
        """Trace a function of the model and find the generators that it uses.

        Parameters
        ----------
        make : callable
            Returns a concrete function.

        Returns
        -------
        (graph, str)
            The second names sources of random numbers without a state in a graph; empty if none.
        """
        with record_global_draws() as drawn, use_generator(self._generator):
            graph = make().graph
        self.foreign_states = _foreign_states(
            graph, [*self._model.variables, self._generator.state]
        )
        return graph, ", ".join(filter(None, [_unseeded_operation(graph), *drawn]))


def _unseeded_operation(graph: Any) -> str | None:
    """Return an operation of a graph whose random state is in no variable.

    TensorFlow's stateful random operations have two seeds. A call of Python code, which may draw
    anything, has a token.
    """
    from tensorflow.python.framework import op_def_registry

    definition = graph.as_graph_def()
    bodies = [definition.node, *(function.node_def for function in definition.library.function)]
    for node in (node for body in bodies for node in body):
        about = op_def_registry.get(node.op)
        names = {each.name for each in about.attr} if about is not None else set()
        # A recurrent layer's kernel has seeds although it draws nothing without dropout.
        undropped = "dropout" in names and node.attr["dropout"].f == 0
        if "token" in names or (about and about.is_stateful and "seed2" in names and not undropped):
            return str(node.op)
    return None


def _foreign_states(graph: Any, known: Sequence[Any]) -> list[Any]:
    """Return the states of generators in a graph that are not among the known variables."""
    own = {id(getattr(each, "_value", each)) for each in known}
    names = (KERAS_STATE, TENSORFLOW_STATE)
    found = [v for v in graph.variables if any(name in v.name for name in names)]
    return [v for v in found if id(v) not in own]


@contextmanager
def use_generator(generator: Any) -> Iterator[None]:
    """Inside, layers of this thread that have no seed draw from a Keras generator."""
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
    """Seed the global generators inside, one thread at a time; restore the caller's state.

    TensorFlow's global generator cannot be restored: its state cannot be read.
    """
    import tensorflow as tf

    mixed = int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0])
    with SEEDING_LOCK:
        before = random.getstate(), np.random.get_state()  # noqa: NPY002 - the caller's, restored below
        random.seed(mixed)
        np.random.seed(mixed)  # noqa: NPY002
        tf.random.set_seed(mixed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002


@contextmanager
def record_global_draws() -> Iterator[list[str]]:
    """Seed the global generators inside; afterwards the list names those that Python has used."""
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
