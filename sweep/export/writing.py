"""Write a study's winner into a folder of its own, and load it once to check the export."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ResultError, SweepError
from sweep.evaluation.winner_file import predictions_agree, probe_rows, save_winner
from sweep.export.card import card
from sweep.export.loading import MODEL, WEIGHTS, digest_of_file, load_best, standalone
from sweep.export.own_estimators import is_own, write_own
from sweep.export.recipe import FORMAT, RECIPE
from sweep.ledger.scores import candidate_with, mean_score
from sweep.runner.worker_command import worker_environment
from sweep.support.code_references import is_reference
from sweep.support.file_names import expanded
from sweep.support.file_writing import real
from sweep.support.layer import total_parameters

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from sweep.ledger.outcomes import WinnerRecord
    from sweep.ledger.records import StudyRecord
    from sweep.study.result import StudyResult

CARD = "README.md"
ROWS, PREDICTIONS = "rows.npy", "predictions.npy"
"""Files beside the temporary folder, to and from the process that checks the export."""
MINUTES = 10
"""Most minutes for a new process to load an export and predict a few rows."""


def export_best(
    result: StudyResult, folder: str | os.PathLike[str], *, pickle: bool = False
) -> Path:
    """Write a study's refitted winner as ``model.keras``, ``recipe.json`` and a model card.

    The export is loaded again with :func:`sweep.load_best`, and its predictions must equal those of
    the winner. A model that Keras alone cannot rebuild, because it has layers or functions of the
    user's own, is written as ``weights.npz``; the recipe names the factory, and a new process
    checks it.

    Parameters
    ----------
    result : StudyResult
        The study.
    folder : path
        A folder that does not exist yet, or is empty.
    pickle : bool, default=False
        Whether to write an estimator of the user's own as a pickle, where skops cannot.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ResultError
        If there is no refitted winner, the folder is not empty, or the export cannot be loaded
        again; nothing is left behind then.
    """
    given, record = expanded(folder), result.record
    target = real(given)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ResultError(f"{given}: must be a new or an empty folder; name another one")
    estimator, winner = result._load_winner(), record.winner
    if winner is None:
        raise ResultError(f"study {record.name!r} has no refitted winner")
    exists = target.is_dir()
    home = target if exists else target.parent
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".export-") as part:
        export = _Export(Path(part) / "export", result, estimator, winner)
        if is_own(record, estimator):
            export.write_own(pickle=pickle)
        else:
            export.write()
        if exists:  # the folder itself stays: its owner, its permissions, a mount point
            for file in sorted(export.folder.iterdir()):
                file.rename(target / file.name)
        else:
            export.folder.rename(target)
    return given


class _Export:
    """Write one export into a temporary folder."""

    def __init__(
        self, folder: Path, result: StudyResult, estimator: Any, winner: WinnerRecord
    ) -> None:
        self.folder, self.result, self.estimator, self.winner = folder, result, estimator, winner
        folder.mkdir()

    def write_own(self, *, pickle: bool) -> None:
        """Write an estimator that is not sweep's, or has steps before one of sweep's."""
        record = self.result.record
        allow = self.result.allow
        model, extra, text = write_own(self.folder, record, self.estimator, allow, pickle=pickle)
        self._describe(model, text, **extra)

    def write(self) -> None:
        """Write the model in Keras's format, or weights and factory if Keras cannot load it."""
        self.rows = probe_rows(self.estimator)
        self.expected = np.asarray(self.estimator.predict_proba(self.rows))
        why = self._by_keras()
        if why is None:
            return
        factory = self.result.record.settings.model.factory
        if not is_reference(factory):
            raise ResultError(f"study {self.result.name!r} is not exported: {why}")
        (self.folder / MODEL).unlink(missing_ok=True)
        self._by_factory(factory)

    def _by_keras(self) -> str | None:
        """Write the model in Keras's format; return why Keras cannot load it, None if it can."""
        path = self.folder / MODEL
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the next lines check what Keras warns about
                standalone(self.estimator).save(path)
            if not _is_keras_alone(json.loads(zipfile.ZipFile(path).read("config.json"))):
                return "it has parts that are not Keras's own"
            self._describe(path)
            found = load_best(self.folder).predict_proba(self.rows)
        except Exception as error:  # noqa: BLE001 - a user's layer may raise anything
            return f"it cannot be written and loaded again: {error}"
        if predictions_agree(found, self.expected):
            return None
        return "the model that is loaded again predicts something else"

    def _by_factory(self, factory: str) -> None:
        """Write the weights, and check in a new process that the factory rebuilds the model."""
        from sweep.evaluation.estimator import code_of

        spec, allow = self.result.record.settings, self.result.allow
        save_winner(self.estimator, self.folder / WEIGHTS, code_of(spec, allow))
        self._describe(self.folder / WEIGHTS, code=factory)
        predictions = self.folder.with_name(PREDICTIONS)
        np.save(self.folder.with_name(ROWS), self.rows)
        job = {"folder": str(self.folder.resolve()), "allow": sorted(allow)}
        if failed := _check_in_new_process(job, spec.folder):
            why = f"a fresh process cannot load it: {failed}"
        elif not predictions_agree(np.load(predictions), self.expected):
            why = "a model that a fresh process makes of it predicts something else"
        else:
            return
        raise ResultError(f"study {self.result.name!r} is not exported: {why}")

    def _describe(self, model: Path, text: str = "", **more: Any) -> None:
        digest = digest_of_file(model)
        recipe = {**_recipe(self.result.record, self.winner, self.estimator, digest), **more}
        (self.folder / RECIPE).write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")
        (self.folder / CARD).write_text(card(recipe, text), encoding="utf-8")


def _check_in_new_process(job: Mapping[str, Any], folder: Path | None) -> str:
    """Run :func:`_check_here` in a new process in the folder of the user's code.

    Returns
    -------
    str
        Why it failed; empty if it did not.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "sweep.export.writing"],
            input=json.dumps(job),
            cwd=folder if folder and folder.is_dir() else None,
            env=worker_environment(),
            capture_output=True,
            text=True,
            timeout=60 * MINUTES,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it has not ended in {MINUTES} minutes"
    lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return lines[-1] if done.returncode else ""


def _is_keras_alone(node: Any) -> bool:
    """Return whether a model's configuration names only layers and functions of Keras itself."""
    if isinstance(node, list):
        return all(map(_is_keras_alone, node))
    if not isinstance(node, dict):
        return True
    return _is_from_keras(node) and all(map(_is_keras_alone, node.values()))


def _is_from_keras(node: Mapping[str, Any]) -> bool:
    import keras

    kind, home = node.get("class_name"), str(node.get("module") or "keras").partition(".")[0]
    if kind == "function":  # has no module; a registered function of that name hides Keras's own
        return keras.saving.get_registered_object(str(node.get("config"))) is None
    return kind != "__lambda__" and (kind is None or home in ("keras", "builtins"))


def _recipe(
    record: StudyRecord, winner: WinnerRecord, estimator: Any, digest: str
) -> dict[str, Any]:
    candidate = candidate_with(record.candidates, winner.params)
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
        "unit": getattr(estimator, "scaling", None) == "unit",
        "resize": record.settings.data.resize or "squash",
        "scaling": _scaling(estimator),
        "factory": record.settings.model.code,
        "fixed": dict(record.settings.model.params),
        "params": dict(winner.params),
        "epochs": len(winner.history.get("loss", ())),
        "seed": record.settings.study.seed,
        "train_rows": winner.train_rows,
        "scoring": record.settings.search.scorer,
        "held_out_score": None if candidate is None else mean_score(candidate),
        "test_score": winner.test_score,
        "test_rows": winner.test_rows,
        "test_openings": record.test_openings,
        "test_opened_at": winner.test_opened_at,
        "parameters": total_parameters(winner.layers),
        "precision": winner.precision,
        "environment": dict(record.environment),
    }


def _scaling(estimator: Any) -> dict[str, float]:
    """Return the scaling of a classifier of sweep's; none for an estimator with steps."""
    held = getattr(estimator, "_scaling", None)
    neutral = {"shift": 0.0, "scale": 1.0}
    return neutral if held is None else {name: float(getattr(held, name)) for name in neutral}


def _check_here() -> int:
    """Load the export named on standard input, and write its predictions of the rows beside it."""
    job = json.loads(sys.stdin.read())
    folder = Path(job["folder"])
    try:
        rows = np.load(folder.with_name(ROWS))
        found = load_best(folder, allow=job["allow"]).predict_proba(rows)
    except SweepError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    np.save(folder.with_name(PREDICTIONS), found)
    return 0


if __name__ == "__main__":
    sys.exit(_check_here())
