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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping


def fingerprint(model: Any, input_shape: tuple[int, ...]) -> Hashable:
    """Return what two models share if and only if one may train in the other's place.

    Parameters
    ----------
    model : keras.Model
        Built; compiled or not. The rate of its optimizer does not count: each fit sets its own.
    input_shape : tuple of int
        Shape of one row.
    """
    said = _description(model)
    known = _digest(said, [_facts(weight) for weight in model.weights])
    if _has_own_optimizer(model) or _has_own_loss(model):
        return known, Unique()  # what they do is in no graph
    if said is not None and not any(_is_own(each) for each in _parts(said)) and not _adapts(model):
        return known
    return known, _graph_digest(model, input_shape) or Unique()


class Unique:
    """Tells a model from all others: what it holds cannot be compared, so it is never shared."""


def comparable(identity: Hashable) -> bool:
    """Return whether a model's state is its weights alone, as far as its graph tells."""
    return not isinstance(_parted(identity)[1], Unique)


def matches(one: Hashable, other: Hashable) -> bool:
    """Return whether two fingerprints may be of one model, as far as they can be compared."""
    pairs = zip(_parted(one), _parted(other), strict=True)
    return all(a == b or (isinstance(a, Unique) and isinstance(b, Unique)) for a, b in pairs)


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


def _graph_digest(model: Any, input_shape: tuple[int, ...]) -> str | None:
    """Trace the forward pass (and the loss of a compiled model) and digest the graph.

    None where the graph holds variables that Keras does not know of: their values are no weights,
    and no fit could take them over.
    """
    import tensorflow as tf

    compiled = getattr(model, "compiled", False)

    def forward(x: Any, y: Any) -> Any:
        output = model(x, training=True)
        losses = [output, model(x, training=False), *model.losses]
        if compiled:
            losses.append(model._compute_loss(x=x, y=y, y_pred=output, training=True))
        return losses

    from sweep.training.outputs import output_units, takes_one_hot

    units = output_units(model, input_shape)
    one_hot = compiled and (units == (1,) or takes_one_hot(model.loss))
    labels = tf.TensorSpec((None, *units)) if one_hot else tf.TensorSpec((None,), tf.int64)
    traced = tf.function(forward, autograph=False).get_concrete_function(
        tf.TensorSpec((None, *input_shape)), labels
    )
    held = [t for t, _ in traced.graph.captures if t.dtype not in (tf.resource, tf.variant)]
    values = [t.numpy().tobytes() for t in held]
    of_keras = (v._value if hasattr(v, "_value") else v for v in model.variables)
    known = {id(getattr(v, "handle", v)) for v in of_keras}
    if any(t.dtype == tf.resource and id(t) not in known for t, _ in traced.graph.captures):
        return None
    return _digest(*_nodes(traced.graph.as_graph_def()), *values)


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
    if name in ("_gradient_op_type", "shared_name", "container", "debug_name"):
        return name
    return name, value.SerializeToString(deterministic=True)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
