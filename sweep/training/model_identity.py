"""The identity of a model that a user's factory has built: what was built, not who built it.

A factory may build another model the next time: a global, a default or an attribute of the object
it is bound to may have changed. So a compiled model is used again only for a model with the same
whole description: its configuration and, if it contains the user's code (a layer, a loss, a
``Lambda``), the graph that this code traces to.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.training.output_meaning import single_loss
from sweep.training.overrides import has_patched_method
from sweep.training.random_state import RandomSources
from sweep.training.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence


@dataclass(frozen=True)
class ModelInspection:
    """What is found out about a model before its first fit.

    Attributes
    ----------
    identity : hashable
        Equal for models of which one may train in the other's place.
    unseeded : str
        Sources of random numbers that no seed reaches inside a graph; empty if there are none.
    foreign_generators : bool
        Whether it uses generators that it does not hold.
    """

    identity: Hashable
    unseeded: str = ""
    foreign_generators: bool = False


def inspect_model(model: Any, input_shape: tuple[int, ...]) -> ModelInspection:
    """Find the identity of a model and the random generators that it uses.

    Parameters
    ----------
    model : keras.Model
        Built; compiled or not. The rate of its optimizer does not count: each fit sets its own.
    input_shape : tuple of int
        Shape of one row.
    """
    description = _description(model)
    known = _digest(description, [_facts(weight) for weight in model.weights])
    # The graph that is traced below contains neither an optimizer nor such a loss.
    hidden = _has_user_optimizer(model) or _has_user_loss(model)
    if getattr(model, "run_eagerly", False):
        return ModelInspection((known, Unique()), "run_eagerly=True")
    keras_alone = description is not None and not any(map(_is_user_code, _mappings(description)))
    if keras_alone and not _adapts(model) and not _has_patched_parts(model):
        return ModelInspection((known, Unique()) if hidden else known)
    random_sources = RandomSources(model)
    graph, unseeded = random_sources.trace(lambda: traced(model, input_shape))
    digest = None if hidden else _graph_digest(graph, [*model.variables, *random_sources.states])
    foreign = bool(random_sources.foreign_states)
    return ModelInspection((known, digest or Unique()), unseeded, foreign)


def start_digest(identity: Hashable, rate: float | None, weights: Sequence[Any]) -> str:
    """Return a digest of what a fit begins with: the compiled model and its initial weights.

    Parameters
    ----------
    identity : hashable
        Of the model: its configuration and how it is compiled.
    rate : float or None
        The learning rate that it is compiled with, which is no part of the identity.
    weights : sequence of ndarray
        Its initial weights.
    """
    found = hashlib.blake2b(f"{_description_and_graph(identity)[0]} {rate}".encode(), digest_size=8)
    for each in weights:
        found.update(f"{each.shape} {each.dtype}".encode())
        found.update(np.ascontiguousarray(each).tobytes())
    return found.hexdigest()


class Unique:
    """Equal to nothing else: marks a model whose parts cannot be compared, so it is not shared."""


def comparable(identity: Hashable) -> bool:
    """Return whether a model's state is only its weights, as far as its graph shows."""
    return not isinstance(_description_and_graph(identity)[1], Unique)


def matches(one: Hashable, other: Hashable) -> bool:
    """Return whether two identities may be those of the same model."""
    pairs = zip(_description_and_graph(one), _description_and_graph(other), strict=True)
    return all(a == b or (isinstance(a, Unique) and isinstance(b, Unique)) for a, b in pairs)


def described_alike(one: Hashable, other: Hashable) -> bool:
    """Return whether Keras describes two models alike, whatever their graphs are."""
    return bool(_description_and_graph(one)[0] == _description_and_graph(other)[0])


def _description_and_graph(identity: Hashable) -> tuple[Any, ...]:
    return identity if isinstance(identity, tuple) and len(identity) == 2 else (identity, None)


def _description(model: Any) -> Any:
    """Return Keras's serialized model, its names replaced by their order; None if it has none."""
    import keras

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = keras.saving.serialize_keras_object(model)
        found = json.loads(json.dumps(found, default=repr))
    except Exception:  # noqa: BLE001 - a user's code may raise anything; its graph is compared then
        return None
    named = (each.get("name") for each in _mappings(found))
    # Keras numbers its names: a model that is built again would get others.
    names = dict.fromkeys(name for name in named if isinstance(name, str))
    return _renamed(_without_rate(found), {name: f"name {n}" for n, name in enumerate(names)})


def _without_rate(description: Any) -> Any:
    compiled = description.get("compile_config") or {}
    optimizer = compiled.get("optimizer")
    settings = optimizer.get("config", {}) if isinstance(optimizer, dict) else {}
    if isinstance(settings.get("learning_rate"), int | float):
        del settings["learning_rate"]
    return description


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all mappings of a nested value, outer ones first."""
    if isinstance(value, dict):
        yield value
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in values:
        yield from _mappings(each)


def _is_user_code(description: Mapping[str, Any]) -> bool:
    kind, module = description.get("class_name"), description.get("module")
    if kind in ("Lambda", "__lambda__", "function"):
        return True
    if module is None:  # Keras writes None for a class of a notebook or a script
        return "module" in description
    return isinstance(module, str) and module.partition(".")[0] not in ("keras", "builtins")


def _has_user_optimizer(model: Any) -> bool:
    optimizer = getattr(model, "optimizer", None)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = getattr(inner, "_learning_rate", None)
    if getattr(inner, "_exclude_from_weight_decay_pattern", None):
        return True
    owners = [type(inner).__module__, type(rate).__module__] if inner is not None else []
    constraints = [getattr(w, "constraint", None) for w in model.trainable_weights]
    owners += [type(each).__module__ for each in constraints if each is not None]
    return any(owner.partition(".")[0] not in ("keras", "builtins") for owner in owners)


def _adapts(model: Any) -> bool:
    """Return whether a layer learns from rows by ``adapt``: no configuration shows the result."""
    return any(hasattr(layer, "adapt") for layer in model._flatten_layers())


def _has_patched_parts(model: Any) -> bool:
    """Return whether a method was set on the object of a layer, a loss or a regularizer."""
    loss = getattr(model, "_compile_loss", None)
    layers = model._flatten_layers()
    parts = [each for layer in layers for each in (layer, *vars(layer).values())]
    return any(
        has_patched_method(each)
        for each in (*parts, single_loss(getattr(loss, "_user_loss", None)))
    )


def _facts(weight: Any) -> tuple[Any, ...]:
    """Return settings of a weight itself: they may be changed after its layer was made."""
    kinds = [getattr(weight, name, None) for name in ("regularizer", "constraint")]
    ours = [kind for kind in kinds if type(kind).__module__.partition(".")[0] == "keras"]
    set_ = [(type(kind).__name__, sorted(map(repr, vars(kind).items()))) for kind in ours]
    return tuple(weight.shape), bool(weight.trainable), set_


def _has_user_loss(model: Any) -> bool:
    """Return whether a model that is not compiled has its own ``compute_loss``."""
    import keras

    own = type(model).compute_loss is not keras.Model.compute_loss
    return own and not getattr(model, "compiled", False)


def _graph_digest(graph: Any, known: Sequence[Any]) -> str | None:
    """Return a digest of a graph.

    None if it holds unknown variables: they are no weights, so a fit could not load its own values
    into them.
    """
    import tensorflow as tf

    constants = [t for t, _ in graph.captures if t.dtype not in (tf.resource, tf.variant)]
    values = [t.numpy().tobytes() for t in constants]
    plain = (v._value if hasattr(v, "_value") else v for v in known)
    handles = {id(getattr(v, "handle", v)) for v in plain}
    if any(t.dtype == tf.resource and id(t) not in handles for t, _ in graph.captures):
        return None
    return _digest(*_nodes(graph.as_graph_def()), *values)


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph, their names replaced by places: TensorFlow numbers names."""
    functions = {f.signature.name: f"function {n}" for n, f in enumerate(graph.library.function)}
    bodies = [graph.node, *(function.node_def for function in graph.library.function)]
    for body in bodies:
        places = {node.name: str(n) for n, node in enumerate(body)}
        for node in body:
            inputs = [_placed(each, places) for each in node.input]
            yield (
                node.op,
                inputs,
                [_setting(name, node.attr[name], functions) for name in sorted(node.attr)],
            )


def _placed(name: str, places: Mapping[str, str]) -> str:
    control, plain = name.startswith("^"), name.lstrip("^")
    head, _, tail = plain.partition(":")
    return f"{'^' if control else ''}{places.get(head, head)}:{tail}"


def _setting(name: str, value: Any, functions: Mapping[str, str]) -> Any:
    if value.HasField("func"):
        return name, functions.get(value.func.name, value.func.name)
    if name in ("_gradient_op_type", "shared_name", "container", "debug_name", "token"):
        return name  # their values are counters; a model with a token is never shared anyway
    return name, value.SerializeToString(deterministic=True)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
