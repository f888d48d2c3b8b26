"""A study's winner in a folder of its own: the Keras model, how it came about, a card for people.

Nothing in it is a pickle: ``model.keras`` is loaded in Keras's safe mode, ``recipe.json`` is JSON.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ResultError
from sweep.names import expanded
from sweep.recipe import FORMAT, read_recipe
from sweep.selection import of_class

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from sweep.ledger.outcomes import WinnerRecord
    from sweep.ledger.records import StudyRecord
    from sweep.study.result import StudyResult

MODEL, RECIPE, CARD = "model.keras", "recipe.json", "README.md"
BATCH = 256
LONGEST_REASON = 300


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """A winner that was exported, ready to predict.

    Attributes
    ----------
    model : keras.Model
        From raw pixels to probabilities: scaling is its first layer.
    recipe : mapping
        What ``recipe.json`` says.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    """

    model: Any
    recipe: Mapping[str, Any]
    classes_: NDArray[Any] = field(default_factory=lambda: np.empty(0))

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name a class, in the order of the labels."""
        return tuple(self.recipe["class_names"])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return tuple(self.recipe["input_shape"])

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return class probabilities, shape ``(n, n_classes)``, of raw pixels.

        Raises
        ------
        ResultError
            If rows have another shape than those the model was trained on.
        """
        rows = np.asarray(X, np.float32)
        if rows.shape[1:] != self.input_shape:
            raise ResultError(f"X: rows must have shape {self.input_shape}, got {rows.shape[1:]}")
        output: NDArray[np.float32] = self.model.predict(rows, batch_size=BATCH, verbose=0)
        return np.column_stack([1 - output, output]) if output.shape[1] == 1 else output

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of each row, shape ``(n,)``."""
        labels: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels


def export_best(result: StudyResult, folder: str | os.PathLike[str]) -> Path:
    """Write a study's refitted winner as ``model.keras``, ``recipe.json`` and a model card.

    Parameters
    ----------
    result : StudyResult
        The study.
    folder : path
        A folder that is not there yet, or is empty.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ResultError
        If there is no refitted winner, or something is in the folder.
    """
    target, record = expanded(folder), result.record
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ResultError(f"{target}: must be a new or an empty folder; name another one")
    estimator, winner = result.best_estimator_, record.winner
    if winner is None:
        raise ResultError(f"study {record.name!r} has no refitted winner")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as part:
        inner = Path(part) / "export"
        inner.mkdir()
        standalone(estimator).save(inner / MODEL)
        recipe = _recipe(record, winner, estimator, _digest(inner / MODEL))
        (inner / RECIPE).write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")
        (inner / CARD).write_text(_card(recipe), encoding="utf-8")
        if target.exists():
            target.rmdir()
        shutil.move(inner, target)
    return target


def load_best(folder: str | os.PathLike[str]) -> ExportedModel:
    """Load what :func:`export_best` has written.

    Parameters
    ----------
    folder : path
        The export.

    Raises
    ------
    ResultError
        If it is no export, was changed since, or is of a later version.
    """
    from sweep.quiet import load_tensorflow

    place = expanded(folder)
    recipe = read_recipe(place / RECIPE)
    model = place / MODEL
    if not model.is_file():
        raise ResultError(f"{model}: missing; export the study again")
    if _digest(model) != recipe["model_sha256"]:
        raise ResultError(f"{model}: is not the file that was exported; export the study again")
    load_tensorflow()
    import keras

    try:
        loaded = keras.saving.load_model(model, compile=False, safe_mode=True)
    except Exception as error:  # whoever wrote the file decides what it makes Keras raise
        line = (str(error).splitlines() or [type(error).__name__])[0][:LONGEST_REASON]
        raise ResultError(
            f"{model}: Keras cannot load it in safe mode ({line}); if it has layers of your own, "
            "import the module that registers them first"
        ) from error
    if not isinstance(loaded, keras.Model):
        raise ResultError(f"{model}: holds no model; export the study again")
    _check_fit(loaded, recipe, place / RECIPE)
    return ExportedModel(loaded, recipe, np.asarray(recipe["classes"]))


def _check_fit(loaded: Any, recipe: Mapping[str, Any], path: Path) -> None:
    """Refuse a recipe of another model than the one beside it."""
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
    shape = estimator._blueprint.architecture.input_shape
    inputs = keras.Input(shape, dtype="float32")
    factor = 1.0 / float(scaling.scale)
    scaled = keras.layers.Rescaling(factor, -float(scaling.shift) * factor, name="scaling")(inputs)
    outputs = inner(scaled)
    if estimator.output_meaning_ == "logits":
        last = "sigmoid" if outputs.shape[-1] == 1 else "softmax"
        outputs = keras.layers.Activation(last, dtype="float32", name="probabilities")(outputs)
    if estimator.output_meaning_ == "shares":
        outputs = outputs / keras.ops.sum(outputs, axis=-1, keepdims=True)
    return keras.Model(inputs, outputs)


def _recipe(
    record: StudyRecord, winner: WinnerRecord, estimator: Any, digest: str
) -> dict[str, Any]:
    from sweep.selection import chosen, mean_score

    held = chosen(record)
    return {
        "format": FORMAT,
        "model_sha256": digest,
        "study": record.name,
        "data": record.data.name,
        "data_fingerprint": record.data.fingerprint,
        "input_shape": list(record.data.shape),
        "classes": np.asarray(estimator.classes_).tolist(),
        "class_names": list(record.data.classes),
        "positive": record.data.positive,
        "scaling": {n: float(getattr(estimator._scaling, n)) for n in ("shift", "scale")},
        "factory": record.spec["model"]["factory"],
        "fixed": {k: v for k, v in record.spec["model"].items() if k != "factory"},
        "params": dict(winner.params),
        "epochs": len(winner.history.get("loss", ())),
        "seed": record.spec["study"].get("seed", 0),
        "train_rows": winner.train_rows,
        "scoring": record.spec["search"].get("scoring", "accuracy"),
        "held_out_score": None if held is None else mean_score(held),
        "test_score": winner.test_score,
        "test_rows": winner.test_rows,
        "test_openings": record.test_openings,
        "test_opened_at": winner.test_opened_at,
        "parameters": sum(layer[3] for layer in winner.layers),
        "precision": winner.precision,
        "environment": dict(record.environment),
    }


CARD_TEXT = """\
# {study}

A classifier of {count} classes ({names}) for rows of shape {shape}, chosen by a
hyperparameter study and refitted.

| | |
| --- | --- |
{facts}

```python
import sweep

model = sweep.load_best("this-folder")
model.predict(images)  # raw pixels, as in the training data: scaling is part of the model
```

`model.keras` alone loads with `keras.saving.load_model`. It knows only what these training rows
show; how it does on others has not been measured.
"""


def _card(recipe: Mapping[str, Any]) -> str:
    opened = f"test set opened {recipe['test_openings']} time(s)"
    scorer = _plain(of_class(recipe["scoring"], recipe["positive"]))
    facts = {
        f"test {scorer}": f"{recipe['test_score']:.4f} on {recipe['test_rows']:,} rows, {opened}",
        "trained on": f"{recipe['train_rows']:,} rows of {_plain(recipe['data'])}, "
        f"{recipe['epochs']} epochs",
        "parameters": f"{recipe['parameters']:,}",
        "model": _plain(recipe["factory"]),
        **{_plain(n): _plain(v) for n, v in {**recipe["fixed"], **recipe["params"]}.items()},
    }
    return CARD_TEXT.format(
        study=_plain(recipe["study"]),
        count=len(recipe["class_names"]),
        names=_plain(", ".join(recipe["class_names"])),
        shape=tuple(recipe["input_shape"]),
        facts="\n".join(f"| {name} | {value} |" for name, value in facts.items()),
    )


def _plain(text: object) -> str:
    """Return text that stays text in Markdown."""
    shown = "".join(c for c in str(text) if c.isprintable())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in shown)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
