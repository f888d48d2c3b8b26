"""What tells the models of people's own factories apart: what was built, not who built it.

A factory is a function that may build another model tomorrow: a global, a default, an attribute of
the object it is bound to may have changed. So a compiled model is used again only for a model
whose whole description is the same: its configuration, and where code of one's own is in it (a
layer, a loss, a ``Lambda``), the graph which that code traces to.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.training.output_meaning import single_loss
from sweep.training.overrides import own_on_instance
from sweep.training.random_state import Draws
from sweep.training.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Look:
    """What looking at a model has told.

    Attributes
    ----------
    identity : hashable
        Equal for models of which one may train in the other's place.
    drawn : str
        What its code draws from without a seed that can be set in a graph; empty for nothing.
    foreign : bool
        Whether it draws from generators that it does not hold.
    """

    identity: Hashable
    drawn: str = ""
    foreign: bool = False


def look(model: Any, input_shape: tuple[int, ...]) -> Look:
    """Look at a model: what tells it from others, and what it draws.

    Parameters
    ----------
    model : keras.Model
        Built; compiled or not. The rate of its optimizer does not count: each fit sets its own.
    input_shape : tuple of int
        Shape of one row.
    """
    said = _description(model)
    known = _digest(said, [_facts(weight) for weight in model.weights])
    hidden = _has_own_optimizer(model) or _has_own_loss(model)  # what they do is in no graph
    if getattr(model, "run_eagerly", False):
        return Look((known, Unique()), "run_eagerly=True")
    keras_alone = said is not None and not any(_is_own(each) for each in _parts(said))
    if keras_alone and not _adapts(model) and not _is_touched(model):
        return Look((known, Unique()) if hidden else known)
    draws = Draws(model)
    graph, drawn = draws.examine(lambda: traced(model, input_shape))
    digest = None if hidden else _graph_digest(graph, [*model.variables, *draws.states])
    return Look((known, digest or Unique()), drawn, bool(draws.foreign))


class Unique:
    """Tells a model from all others: what it holds cannot be compared, so it is never shared."""


def comparable(identity: Hashable) -> bool:
    """Return whether a model's state is its weights alone, as far as its graph tells."""
    return not isinstance(_parted(identity)[1], Unique)


def matches(one: Hashable, other: Hashable) -> bool:
    """Return whether two identities may be of one model, as far as they can be compared."""
    pairs = zip(_parted(one), _parted(other), strict=True)
    return all(a == b or (isinstance(a, Unique) and isinstance(b, Unique)) for a, b in pairs)


def described_alike(one: Hashable, other: Hashable) -> bool:
    """Return whether two models have one description by Keras, whatever their graphs are."""
    return bool(_parted(one)[0] == _parted(other)[0])


def _parted(identity: Hashable) -> tuple[Any, ...]:
    return identity if isinstance(identity, tuple) and len(identity) == 2 else (identity, None)


def _description(model: Any) -> Any:
    """Return Keras's own description, named by order; None where there is none."""
    import keras

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = keras.saving.serialize_keras_object(model)
        said = json.loads(json.dumps(said, default=repr))
    except Exception:  # noqa: BLE001 - code of one's own may fail in any way; its graph tells then
        return None
    named = (part.get("name") for part in _parts(said))
    names = dict.fromkeys(name for name in named if isinstance(name, str))  # they carry counters
    return _renamed(_without_rate(said), {name: f"name {n}" for n, name in enumerate(names)})


def _without_rate(said: Any) -> Any:
    compiled = said.get("compile_config") or {}
    optimizer = compiled.get("optimizer")
    settings = optimizer.get("config", {}) if isinstance(optimizer, dict) else {}
    if isinstance(settings.get("learning_rate"), int | float):
        del settings["learning_rate"]
    return said


def _renamed(said: Any, names: Mapping[str, str]) -> Any:
    if isinstance(said, dict):
        return {key: _renamed(value, names) for key, value in said.items()}
    if isinstance(said, list):
        return [_renamed(value, names) for value in said]
    return names.get(said, said) if isinstance(said, str) else said


def _parts(said: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(said, dict):
        yield said
    values = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    for value in values:
        yield from _parts(value)


def _is_own(part: Mapping[str, Any]) -> bool:
    kind, module = part.get("class_name"), part.get("module")
    if kind in ("Lambda", "__lambda__", "function"):
        return True
    if module is None:  # Keras says so of what stands in a notebook or a script
        return "module" in part
    return isinstance(module, str) and module.partition(".")[0] not in ("keras", "builtins")


def _has_own_optimizer(model: Any) -> bool:
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
    """Return whether a layer has learnt from rows by ``adapt``, which no configuration tells."""
    return any(hasattr(layer, "adapt") for layer in model._flatten_layers())


def _is_touched(model: Any) -> bool:
    """Return whether a method was set on a layer, a loss or a regularizer itself."""
    loss = getattr(model, "_compile_loss", None)
    layers = model._flatten_layers()
    parts = [each for layer in layers for each in (layer, *vars(layer).values())]
    return any(
        own_on_instance(each) for each in (*parts, single_loss(getattr(loss, "_user_loss", None)))
    )


def _facts(weight: Any) -> tuple[Any, ...]:
    """Return what is set on a weight itself, perhaps after its layer was made."""
    kinds = [getattr(weight, name, None) for name in ("regularizer", "constraint")]
    ours = [kind for kind in kinds if type(kind).__module__.partition(".")[0] == "keras"]
    set_ = [(type(kind).__name__, sorted(map(repr, vars(kind).items()))) for kind in ours]
    return tuple(weight.shape), bool(weight.trainable), set_


def _has_own_loss(model: Any) -> bool:
    """Return whether a model that is not compiled computes its loss itself."""
    import keras

    own = type(model).compute_loss is not keras.Model.compute_loss
    return own and not getattr(model, "compiled", False)


def _graph_digest(graph: Any, known: Sequence[Any]) -> str | None:
    """Digest a graph.

    None where it holds variables that are not known: their values are no weights, and no fit could
    take them over.
    """
    import tensorflow as tf

    held = [t for t, _ in graph.captures if t.dtype not in (tf.resource, tf.variant)]
    values = [t.numpy().tobytes() for t in held]
    plain = (v._value if hasattr(v, "_value") else v for v in known)
    handles = {id(getattr(v, "handle", v)) for v in plain}
    if any(t.dtype == tf.resource and id(t) not in handles for t, _ in graph.captures):
        return None
    return _digest(*_nodes(graph.as_graph_def()), *values)


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph with names replaced by places: names carry counters."""
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
        return name  # each is a counter; code with a token never trains in another's place
    return name, value.SerializeToString(deterministic=True)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
