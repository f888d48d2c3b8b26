"""Export the winner of a study with an estimator of the user's own, and load it.

The steps of a pipeline, and classifiers that are not sweep's, are written by skops; a last step of
sweep's is a Keras model as any export's. What skops cannot write is refused, unless a pickle is
asked for: that is loaded only for who says ``trust=True``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ResultError
from sweep.evaluation.pipeline_parts import parts_of
from sweep.evaluation.stored_estimators import (
    KERAS,
    PICKLE,
    SKOPS,
    from_pickle,
    from_skops,
    same_predictions,
    store_by_skops,
    store_pickle,
)
from sweep.evaluation.winner_file import predictions_agree
from sweep.export.loading import MODEL, ExportedModel, digest_of_file, read_model, standalone
from sweep.support.keras_configuration import no_progress_bars

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from sweep.ledger.records import StudyRecord

ROWS = 8
ESTIMATOR, STEPS = "estimator", "steps"
"""Names of the files, without their ends."""

UNSAFE = """\
**UNSAFE: `estimator.joblib` is a pickle. Loading it runs code that its writer chose**, so load
it only if you trust where it is from: `sweep.load_best("this-folder", trust=True)`. It needs the
same versions of its libraries, and the code of `{code}`."""

BY_SKOPS = """\
{files} skops makes only types of known libraries, and of modules that you allow; `{module}` is
the module of the study's own code."""


@dataclass(frozen=True, eq=False)
class ExportedEstimator(ExportedModel):
    """An exported estimator: ``model`` is scikit-learn's, or Keras's behind ``steps``.

    Attributes
    ----------
    steps : tuple of (str, transformer) or None
        The steps before a Keras model; None where ``model`` is the whole estimator.
    """

    steps: tuple[tuple[str, Any], ...] | None = None

    @property
    def has_probabilities(self) -> bool:
        """Whether the classifier gives probabilities."""
        return self.steps is not None or hasattr(self.model, "predict_proba")

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return class probabilities, shape ``(n, n_classes)``, of rows as in the training data.

        Raises
        ------
        ResultError
            If rows have another shape, or the classifier gives no probabilities.
        """
        rows = self._rows(X)
        if self.steps is None:
            if not self.has_probabilities:
                raise ResultError(
                    f"{type(self.model).__name__} gives no probabilities; ask it for predict"
                )
            with no_progress_bars():
                found: NDArray[np.float32] = np.asarray(self.model.predict_proba(rows))
            return found
        return self._proba(self._through_steps(rows))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable label of each row, shape ``(n,)``."""
        if self.steps is not None:
            return super().predict(X)
        with no_progress_bars():
            labels: NDArray[Any] = np.asarray(self.model.predict(self._rows(X))).reshape(-1)
        return labels

    def _indices(self, X: ArrayLike, proba: Any) -> NDArray[np.intp]:
        """See the class above: of scikit-learn's classifiers not all take the most probable."""
        if self.steps is not None:
            return super()._indices(X, proba)
        labels = list(self.classes_)
        return np.array([labels.index(each) for each in self.predict(X)])

    def _through_steps(self, rows: Any) -> NDArray[np.float32]:
        for _, step in self.steps or ():
            rows = step.transform(rows)
        return np.asarray(rows, np.float32)


def is_own(record: StudyRecord, estimator: Any) -> bool:
    """Return whether a winner is more than a classifier of sweep's."""
    parts = parts_of(estimator)
    return record.settings.model.estimator is not None and not (parts.ours and not parts.steps)


def write_own(
    folder: Path, record: StudyRecord, estimator: Any, allow: Collection[str], *, pickle: bool
) -> tuple[Path, dict[str, Any], str]:
    """Write a fitted estimator; what is written is loaded again and must agree.

    Parameters
    ----------
    folder : Path
        Where.
    record : StudyRecord
        The study.
    estimator : estimator
        Its fitted winner.
    allow : collection of str
        Modules of the user.
    pickle : bool
        Whether to write a pickle.

    Returns
    -------
    path : Path
        The file that the recipe identifies.
    extra : dict
        What the recipe says beyond any other's.
    text : str
        What the card says of the files.

    Raises
    ------
    ResultError
        If skops cannot, and no pickle is asked for.
    """
    parts, rows = parts_of(estimator), _probe(record)
    code = record.settings.model.code
    module = code.partition(":")[0]

    def agrees(loaded: Any) -> bool:
        mine = list(parts.steps) if isinstance(loaded, list) else estimator
        return same_predictions(mine, loaded, rows)

    if pickle:
        path = store_pickle(estimator, folder / ESTIMATOR, agrees)
        return path, {"stored": "pickle"}, UNSAFE.format(code=code)
    base = folder / (STEPS if parts.ours else ESTIMATOR)
    what = list(parts.steps) if parts.ours else estimator
    if why := store_by_skops(what, base, agrees, allow):
        raise ResultError(
            f"study {record.name!r} is not exported: {why}; or write a pickle, which runs code "
            "when it is loaded: --pickle"
        )
    skops = base.with_name(base.name + SKOPS)
    if not parts.ours:
        text = BY_SKOPS.format(files="`estimator.skops` is the estimator.", module=module)
        return skops, {"stored": "skops", **_digests(folder, skops)}, text
    whole = standalone(parts.last)
    whole.save(folder / MODEL)
    extra = {"stored": "skops", "steps": True, **_digests(folder, folder / MODEL)}
    files = "`steps.skops` are the steps, `model.keras` the model behind them."
    found = ExportedEstimator(read_model(folder / MODEL), {}, steps=tuple(from_skops(base, allow)))
    after = found._through_steps(rows)
    if not predictions_agree(found._proba(after), np.asarray(estimator.predict_proba(rows))):
        raise ResultError(
            f"study {record.name!r} is not exported: what is loaded predicts otherwise"
        )
    return folder / MODEL, extra, BY_SKOPS.format(files=files, module=module)


def load_own(
    place: Path, recipe: Mapping[str, Any], allow: Collection[str], *, trust: bool
) -> ExportedEstimator:
    """Return what :func:`write_own` wrote; the recipe's own file has been compared already.

    Raises
    ------
    ResultError
        If a file is missing, was changed, or is a pickle that nobody trusts.
    """
    classes = np.asarray(recipe["classes"])
    if recipe["stored"] == "pickle":
        if not trust:
            raise ResultError(
                f"{place / (ESTIMATOR + PICKLE)}: is a pickle, which runs code when it is loaded; "
                "if you trust where it is from, say load_best(..., trust=True)"
            )
        return ExportedEstimator(from_pickle(place / ESTIMATOR), recipe, classes)
    for name, digest in recipe["files"].items():
        file = place / name
        if not file.is_file() or digest_of_file(file) != digest:
            raise ResultError(f"{file}: is not the file that was exported; export the study again")
    if not recipe.get("steps"):
        return ExportedEstimator(from_skops(place / ESTIMATOR, allow), recipe, classes)
    steps = tuple(from_skops(place / STEPS, allow))
    return ExportedEstimator(read_model(place / MODEL), recipe, classes, steps)


def main_file(recipe: Mapping[str, Any]) -> str:
    """Return the name of the file that a recipe identifies by its digest."""
    if recipe["stored"] == "pickle":
        return ESTIMATOR + PICKLE
    return MODEL if recipe.get("steps") else ESTIMATOR + SKOPS


def _digests(folder: Path, main: Path) -> dict[str, dict[str, str]]:
    """Return the digests of the other files."""
    ends = (SKOPS, KERAS)
    others = [
        file for file in sorted(folder.iterdir()) if file.name.endswith(ends) and file != main
    ]
    return {"files": {file.name: digest_of_file(file) for file in others}}


def _probe(record: StudyRecord) -> NDArray[Any]:
    """Return random rows in the shape of the study's."""
    drawn: NDArray[Any] = np.random.default_rng(0).integers(0, 256, (ROWS, *record.data.shape))
    return drawn.astype(np.uint8)
