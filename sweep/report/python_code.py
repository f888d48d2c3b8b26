"""Python code for a study's model: load the fitted winner, or build the estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.analysis import is_current
from sweep.support.code_references import is_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.records import Candidate, StudyRecord
    from sweep.spec import StudySpec

CLASSES = {"mlp": "KerasMLPClassifier", "cnn": "KerasCNNClassifier"}
WIDTH = 88
WAY_IN = "  # the token is read from SWEEP_TOKEN"


def statements(
    record: StudyRecord,
    candidate: Candidate,
    storage: str | None = None,
    server: str | None = None,
) -> tuple[str, ...]:
    """Return the statements that assign ``model``.

    Parameters
    ----------
    record : StudyRecord
        The study.
    candidate : Candidate
        The candidate. The statements load it if it was refitted, else build it.
    storage : str, optional
        The ledger, if it is not the default one.
    server : str, optional
        The server's address, if the study is at one.

    Returns
    -------
    tuple of str
        Statements, imports first, each on one line.
    """
    if record.imported is not None:
        return ()
    if is_current(record, candidate):
        where = f", {storage!r}" if storage else ""
        made_by = record.settings.model.code
        code = f", allow=[{made_by.partition(':')[0]!r}]" if is_reference(made_by) else ""
        if server is not None:
            study = f"connect({server!r}).study({record.name!r}{code})"
            return "from sweep import connect", f"model = {study}.best_estimator_{WAY_IN}"
        opened = f"open_study({record.name!r}{where}{code})"
        return "from sweep import open_study", f"model = {opened}.best_estimator_"
    name, arguments = construction(record.settings, candidate.params)
    return (*_imports(record.settings, name), f"model = {name}({', '.join(arguments)})")


def _imports(spec: StudySpec, name: str) -> list[str]:
    found = []
    if is_reference(spec.model.code):
        module, _, function = spec.model.code.partition(":")
        found.append(f"from {module} import {function}")
    if spec.model.estimator is None:
        return [*found, f"from sweep import {name}"]
    return [*found, "from sklearn.base import clone"] if name.startswith("clone(") else found


def construction(spec: StudySpec, params: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return an estimator's class and arguments, with the same defaults as in the search."""
    if spec.model.estimator is not None:
        return _own_construction(spec, params)
    factory = spec.model.factory
    settings = {
        "scaling": spec.data.scaling,
        "random_state": spec.study.seed,
        **spec.model.params,
        **params,
    }
    arguments = [f"{key}={value!r}" for key, value in settings.items()]
    if factory in CLASSES:
        return CLASSES[factory], arguments
    first = factory.partition(":")[2] if is_reference(factory) else repr(factory)
    return "KerasClassifier", [first, *arguments]


def _own_construction(spec: StudySpec, params: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the call that sets an estimator's parameters; seeds stand in its code, or are None."""
    name = spec.model.code.partition(":")[2]
    made = spec.facts is None or spec.facts.made
    arguments = [f"{key}={value!r}" for key, value in {**spec.model.params, **params}.items()]
    return f"{name}().set_params" if made else f"clone({name}).set_params", arguments


def lines(record: StudyRecord, candidate: Candidate) -> str:
    """Return :func:`statements` as text, one argument on each line if long."""
    *imports, last = statements(record, candidate)
    if len(last) > WIDTH and not is_current(record, candidate):
        name, arguments = construction(record.settings, candidate.params)
        last = "\n".join([f"model = {name}(", *(f"    {word}," for word in arguments), ")"])
    return "\n".join([*imports, last])


def modules(spec: StudySpec) -> list[str]:
    """Return the modules that a study must be allowed to load, in the order of the file."""
    named = (spec.data.dataset, spec.model.code, *spec.search.scorers)
    found = [each.partition(":")[0] for each in named if is_reference(each)]
    return list(dict.fromkeys(found))
