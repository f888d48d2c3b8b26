"""Load an exported winner to predict: a folder with the Keras model and its recipe.

The folder has no pickle and no code: ``model.keras`` is loaded in Keras's safe mode,
``recipe.json`` is JSON. If Keras alone cannot rebuild the model, because it has layers of the
user's own, the folder has its weights (``weights.npz``, plain arrays), and the recipe names the
factory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ResultError
from sweep.export.recipe import RECIPE, read_recipe
from sweep.support.code_references import resolve, source_digest
from sweep.support.file_names import expanded
from sweep.support.module_permission import allowed

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping

    from numpy.typing import ArrayLike, NDArray

MODEL, WEIGHTS = "model.keras", "weights.npz"
BATCH = 256
LONGEST_REASON = 300


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """An exported winner, ready to predict.

    Attributes
    ----------
    model : keras.Model
        Maps raw pixels to probabilities: scaling is its first layer.
    recipe : mapping
        The content of ``recipe.json``.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    """

    model: Any
    recipe: Mapping[str, Any]
    classes_: NDArray[Any] = field(default_factory=lambda: np.empty(0))

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name for each class, in the order of the labels."""
        return tuple(self.recipe["class_names"])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return tuple(self.recipe["input_shape"])

    @property
    def has_probabilities(self) -> bool:
        """Whether the model gives probabilities; a classifier of scikit-learn's need not."""
        return True

    @property
    def resize(self) -> str:
        """How pictures of other proportions came to that shape: stretched, cropped or padded."""
        return str(self.recipe.get("resize", "squash"))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return class probabilities, shape ``(n, n_classes)``, of raw pixels.

        Raises
        ------
        ResultError
            If rows have another shape than those the model was trained on.
        """
        return self._proba(np.asarray(self._rows(X), np.float32))

    def _rows(self, X: ArrayLike) -> NDArray[Any]:
        rows = np.asarray(X)
        if rows.shape[1:] != self.input_shape:
            raise ResultError(f"X: rows must have shape {self.input_shape}, got {rows.shape[1:]}")
        return rows

    def _proba(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = self.model.predict(rows, batch_size=BATCH, verbose=0)
        return np.column_stack([1 - output, output]) if output.shape[1] == 1 else output

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of each row, shape ``(n,)``."""
        labels: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def _indices(self, _X: ArrayLike, proba: Any) -> NDArray[np.intp]:
        """Return the place of each row's label in ``classes_``, given its probabilities."""
        indices: NDArray[np.intp] = proba.argmax(axis=1)
        return indices


def load_best(
    folder: str | os.PathLike[str], *, allow: Collection[str] = (), trust: bool = False
) -> ExportedModel:
    """Load an export of ``sweep export`` or ``StudyResult.export``.

    Parameters
    ----------
    folder : path
        The export.
    allow : collection of str
        Modules that it may load code from: needed if the model has layers of your own. They are
        looked up in the current folder, then on Python's path.
    trust : bool, default=False
        Whether a pickle may be loaded, which ``sweep export --pickle`` writes: it runs code.

    Raises
    ------
    ResultError
        If it is not an export, was changed since, is of a later version, needs code that is not
        allowed, or if that code makes another model now.
    """
    from sweep.support.tensorflow_loading import load_tensorflow

    place = expanded(folder)
    recipe = read_recipe(place / RECIPE)
    model = place / _file_of(recipe)
    if not model.is_file():
        raise ResultError(f"{model}: missing; export the study again")
    if digest_of_file(model) != recipe["model_sha256"]:
        raise ResultError(f"{model}: is not the file that was exported; export the study again")
    if "code" in recipe:
        _check_allowed(model, recipe["code"], allow)
    load_tensorflow()
    import keras

    if "stored" in recipe:
        from sweep.export.own_estimators import load_own

        return load_own(place, recipe, allow, trust=trust)
    loaded = _rebuilt(model, recipe, allow) if "code" in recipe else read_model(model)
    if not isinstance(loaded, keras.Model):
        raise ResultError(f"{model}: holds no model; export the study again")
    _check_fit(loaded, recipe, place / RECIPE)
    return ExportedModel(loaded, recipe, np.asarray(recipe["classes"]))


def _file_of(recipe: Mapping[str, Any]) -> str:
    """Return the name of the file that a recipe identifies."""
    if "stored" in recipe:
        from sweep.export.own_estimators import main_file

        return main_file(recipe)
    return WEIGHTS if "code" in recipe else MODEL


def read_model(model: Path) -> Any:
    """Return the model that Keras loads from a file, in safe mode."""
    import keras

    try:
        return keras.saving.load_model(model, compile=False, safe_mode=True)
    except Exception as error:  # on a damaged or crafted file Keras raises anything
        line = (str(error).splitlines() or [type(error).__name__])[0][:LONGEST_REASON]
        raise ResultError(
            f"{model}: Keras cannot load it in safe mode ({line}); if it has layers of your own, "
            "import the module that registers them first"
        ) from error


def _check_allowed(model: Path, code: str, allow: Collection[str]) -> None:
    module = code.partition(":")[0]
    if not allowed(module, allow):
        raise ResultError(
            f"{model}: {code} makes this model, and module {module!r} may not be loaded; if you "
            f'trust it, allow it: --allow {module}, in Python load_best(..., allow=["{module}"])'
        )


def _rebuilt(weights: Path, recipe: Mapping[str, Any], allow: Collection[str]) -> Any:
    """Return the model that the user's own factory makes, with the exported weights."""
    from sweep.estimators import KerasClassifier
    from sweep.evaluation.winner_file import load_known

    code, here = recipe["code"], Path.cwd()
    factory: Any = resolve(code, allow=allow, folder=here)
    given = {**recipe["fixed"], **recipe["params"], "precision": recipe["precision"] or "float32"}
    refusal = ResultError(
        f"{weights}: {code} makes another model now than the one that was exported; bring its code "
        "back as it was, or export the study again"
    )
    now = source_digest(code, allow=allow, folder=here)
    return standalone(load_known(lambda: KerasClassifier(factory, **given), weights, now, refusal))


def _check_fit(loaded: Any, recipe: Mapping[str, Any], path: Path) -> None:
    """Refuse a recipe that does not fit the model beside it."""
    shapes = (loaded.input_shape, loaded.output_shape)
    if not all(isinstance(shape, tuple) and len(shape) > 1 for shape in shapes):
        raise ResultError(f"{path}: the model beside it is no classifier; export the study again")
    if list(loaded.input_shape[1:]) != recipe["input_shape"]:
        raise ResultError(
            f"{path}: names rows of shape {tuple(recipe['input_shape'])}, and the model takes "
            f"{loaded.input_shape[1:]}; export the study again"
        )
    outputs, classes = loaded.output_shape[-1], len(recipe["classes"])
    fits = outputs == classes or (outputs, classes) == (1, 2)
    if not fits or len(recipe["class_names"]) != classes:
        raise ResultError(
            f"{path}: names {classes} classes, and the model has {outputs} outputs; "
            "export the study again"
        )


def standalone(estimator: Any) -> Any:
    """Return a fitted estimator as one Keras model from raw pixels to probabilities."""
    import keras

    inner, scaling = estimator.model_, estimator._scaling
    # Compiled losses and optimizers are not needed to predict, and custom ones would not load.
    inner.optimizer, inner.compiled = None, False
    shape = estimator._blueprint.architecture.input_shape
    inputs = keras.Input(estimator._row_shape, dtype="float32")
    factor = 1.0 / float(scaling.scale)
    scaled = keras.layers.Rescaling(factor, -float(scaling.shift) * factor, name="scaling")(inputs)
    if estimator._row_shape != shape:  # image_shape says what a flat row is
        scaled = keras.layers.Reshape(shape, name="image")(scaled)
    outputs = inner(scaled)
    if estimator.output_meaning_ == "logits":
        last = "sigmoid" if outputs.shape[-1] == 1 else "softmax"
        outputs = keras.layers.Activation(last, dtype="float32", name="probabilities")(outputs)
    if estimator.output_meaning_ == "shares":
        outputs = outputs / keras.ops.sum(outputs, axis=-1, keepdims=True)
    return keras.Model(inputs, outputs)


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, with which a recipe identifies its model."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
