"""The rule of a factory's parameters over a table: signatures, compiled or not, study or Python."""

import importlib

import pytest
from factory_models import X, Y

from sweep import KerasClassifier
from sweep.errors import ModelError
from sweep.evaluation.estimator import make_estimator
from sweep.evaluation.trial_build import TrialBuild, factory_problems
from sweep.spec import load_study

pytestmark = pytest.mark.tensorflow

MODULE = "factories_of_the_table"
HEAD = """
import keras


def finish(optimizer, shape=(8, 8), classes=10):
    model = keras.Sequential([
        keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(classes, "softmax")
    ])
    if optimizer is not None:
        model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    return model


def rated(optimizer, learning_rate):
    made = keras.optimizers.get(optimizer)
    made.learning_rate = learning_rate
    return made
"""
FACTORIES = {
    "nothing": ("", "rated('sgd', 0.05)", ""),
    "shape_and_classes": ("input_shape, n_classes", "'sgd'", ", input_shape, n_classes"),
    "turned": ("n_classes, width=3, *, input_shape", "'sgd'", ", input_shape, n_classes"),
    "other_names": ("shape, classes, learning_rate=0.1", "rated('sgd', learning_rate)",
                    ", shape, classes"),
    "optimizer": ("optimizer='sgd', dropout_rate=0.0", "optimizer", ""),
    "optimizer_and_rate": ("input_shape, optimizer='sgd', learning_rate=0.05",
                           "rated(optimizer, learning_rate)", ", input_shape"),
    "meta": ("meta, optimizer='sgd'", "optimizer", ", meta['X_shape_'][1:], meta['n_classes_']"),
    "compile_kwargs": ("meta, compile_kwargs", "compile_kwargs['optimizer']",
                       ", meta['X_shape_'][1:], meta['n_classes_']"),
}  # fmt: skip
"""Signature, what it compiles with, what the model is built for."""

ADAM, RATE, BOTH = {"optimizer": "Adam"}, {"learning_rate": 0.02}, {
    "optimizer": "adam", "learning_rate": 0.02
}  # fmt: skip
OWN = "{}: the factory compiles its own optimizer, which"
UNUSED = "{}: the factory takes .* and returns a model that is not compiled"
TABLE = [
    ("nothing", True, {}, ("SGD", 0.05)),
    ("nothing", True, ADAM, OWN.format("optimizer")),
    ("nothing", True, RATE, OWN.format("learning_rate")),
    ("nothing", True, {"momentum": 0.5}, OWN.format("momentum")),
    ("nothing", False, {}, ("Adam", 0.001)),
    ("nothing", False, BOTH, ("Adam", 0.02)),
    ("shape_and_classes", True, {}, ("SGD", 0.01)),
    ("shape_and_classes", True, {"weight_decay": 0.1}, OWN.format("weight_decay")),
    ("shape_and_classes", False, {"optimizer": "SGD", **RATE}, ("SGD", 0.02)),
    ("turned", True, ADAM, OWN.format("optimizer")),
    ("turned", False, BOTH, ("Adam", 0.02)),
    ("other_names", True, {}, ("SGD", 0.1)),
    ("other_names", True, RATE, ("SGD", 0.02)),
    ("other_names", True, BOTH, OWN.format("optimizer")),
    ("other_names", False, ADAM, ("Adam", 0.001)),
    ("other_names", False, RATE, UNUSED.format("learning_rate")),
    ("optimizer", True, {}, ("SGD", 0.01)),
    ("optimizer", True, ADAM, ("Adam", 0.001)),
    ("optimizer", True, BOTH, OWN.format("learning_rate")),
    ("optimizer", False, ADAM, UNUSED.format("optimizer")),
    ("optimizer", False, RATE, ("Adam", 0.02)),
    ("optimizer_and_rate", True, {}, ("SGD", 0.05)),
    ("optimizer_and_rate", True, BOTH, ("Adam", 0.02)),
    ("optimizer_and_rate", True, {"nesterov": True}, OWN.format("nesterov")),
    ("optimizer_and_rate", False, RATE, UNUSED.format("learning_rate")),
    ("meta", True, ADAM, ("Adam", 0.001)),
    ("meta", True, RATE, OWN.format("learning_rate")),
    ("meta", False, RATE, ("Adam", 0.02)),
    ("compile_kwargs", True, {}, ("Adam", 0.001)),
    ("compile_kwargs", True, BOTH, ("Adam", 0.02)),
    ("compile_kwargs", True, {"optimizer": "SGD", "momentum": 0.5}, ("SGD", 0.01)),
    ("compile_kwargs", True, {"learning_rate_decay": 0.1}, OWN.format("learning_rate_decay")),
    ("compile_kwargs", False, BOTH, ("Adam", 0.02)),
]


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """Write the factories of the table, each compiled and not."""
    folder = tmp_path_factory.mktemp("factories")
    lines = [HEAD]
    for name, (signature, optimizer, built_for) in FACTORIES.items():
        for kind, with_ in (("compiled", optimizer), ("bare", "None")):
            lines.append(
                f"def {name}_{kind}({signature}):\n    return finish({with_}{built_for})\n"
            )
    (folder / f"{MODULE}.py").write_text("\n\n".join(lines), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module(MODULE)


def by_python(module, name, given):
    """Fit the classifier."""
    return KerasClassifier(getattr(module, name), epochs=1, random_state=0, **given).fit(X, Y)


def by_study(module, name, given):
    """Fit a candidate of a study that fixes the one and searches the other parameters."""
    fixed = dict(list(given.items())[:1])
    searched = dict(list(given.items())[1:])
    spec = load_study(
        {
            "study": {"name": "table"},
            "data": {"dataset": "digits"},
            "model": {"factory": f"{MODULE}:{name}", "epochs": 1, **fixed},
            "search": {"method": "grid"},
            "space": {key: [value] for key, value in searched.items()},
        }
    )
    asked = TrialBuild(spec.plain(), [searched], (8, 8), list(range(10)))
    if problems := factory_problems(asked, [MODULE]):
        raise ModelError("; ".join(problems))
    return make_estimator(spec, searched, [MODULE]).fit(X, Y)


@pytest.mark.parametrize("way", [by_python, by_study])
@pytest.mark.parametrize(("name", "is_compiled", "given", "expected"), TABLE)
def test_a_parameter_reaches_the_optimizer_or_is_refused(
    module, way, name, is_compiled, given, expected
):
    """What the compiled model really has; or the text that names the parameter."""
    full = f"{name}_{'compiled' if is_compiled else 'bare'}"
    if isinstance(expected, str):
        with pytest.raises(ModelError, match=expected):
            way(module, full, given)
        return
    fitted = way(module, full, given)
    found = fitted.optimizer_config_
    assert found["name"] == expected[0]
    assert found["learning_rate"] == pytest.approx(expected[1])
    model = fitted._engine().model
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    assert type(inner).__name__ == expected[0]
    assert float(inner.learning_rate.numpy()) == pytest.approx(expected[1])
    assert found.get("momentum", 0.0) == given.get("momentum", 0.0)
