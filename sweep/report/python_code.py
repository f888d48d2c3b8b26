"""Python that gives a study's answer: the fitted winner, or an estimator with its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.analysis import is_current
from sweep.support.code_references import is_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.records import Candidate, StudyRecord

CLASSES = {"mlp": "KerasMLPClassifier", "cnn": "KerasCNNClassifier"}
WIDTH = 88


def statements(
    record: StudyRecord, candidate: Candidate, storage: str | None = None
) -> tuple[str, ...]:
    """Return the lines that assign ``model``.

    Parameters
    ----------
    record : StudyRecord
        The study.
    candidate : Candidate
        Its best; what its settings make where another one, or none, was refitted.
    storage : str, optional
        The ledger where it is not the usual one.

    Returns
    -------
    tuple of str
        Statements, imports first; each may stand on one line.
    """
    if is_current(record, candidate):
        where = f", {storage!r}" if storage else ""
        factory = str(record.spec.get("model", {}).get("factory", ""))
        code = f", allow=[{factory.partition(':')[0]!r}]" if is_reference(factory) else ""
        opened = f"open_study({record.name!r}{where}{code})"
        return "from sweep import open_study", f"model = {opened}.best_estimator_"
    name, words = construction(record.spec, candidate.params)
    imports = [f"from sweep import {name}"]
    factory = str(record.spec.get("model", {}).get("factory", ""))
    if is_reference(factory):
        module, _, function = factory.partition(":")
        imports.insert(0, f"from {module} import {function}")
    return (*imports, f"model = {name}({', '.join(words)})")


def construction(spec: Mapping[str, Any], params: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return an estimator's class and arguments, settled as the search did."""
    model = dict(spec.get("model", {}))
    factory = str(model.pop("factory", "mlp"))
    settled = {
        "scaling": spec.get("data", {}).get("scaling", "unit"),
        "random_state": spec.get("study", {}).get("seed", 0),
        **model,
        **params,
    }
    words = [f"{key}={value!r}" for key, value in settled.items()]
    if factory in CLASSES:
        return CLASSES[factory], words
    first = factory.partition(":")[2] if is_reference(factory) else repr(factory)
    return "KerasClassifier", [first, *words]


def lines(record: StudyRecord, candidate: Candidate) -> str:
    """Return :func:`statements` as a person would type them, one argument a line if long."""
    *imports, last = statements(record, candidate)
    if len(last) > WIDTH and not is_current(record, candidate):
        name, words = construction(record.spec, candidate.params)
        last = "\n".join([f"model = {name}(", *(f"    {word}," for word in words), ")"])
    return "\n".join([*imports, last])


def modules(spec: Mapping[str, Any]) -> list[str]:
    """Return the modules that a study must be allowed to load, in the order of the file."""
    named = [spec.get("data", {}).get("dataset"), spec.get("model", {}).get("factory")]
    found = [str(each).partition(":")[0] for each in named if each and is_reference(str(each))]
    return list(dict.fromkeys(found))
