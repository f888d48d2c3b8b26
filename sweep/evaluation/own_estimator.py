"""Load ``[model] estimator``, set its parameters, and find what cannot be set."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyFileError
from sweep.evaluation.pipeline_parts import parts_of, unfitted
from sweep.spec.estimator_facts import EstimatorFacts
from sweep.spec.estimator_rules import code_problems
from sweep.support.tensorflow_loading import without_noise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sweep.spec import StudySpec

PLANNED_BY = (
    "epochs", "batch_size", "early_stopping", "n_iter_no_change", "validation_fraction",
    "precision",
)  # fmt: skip
"""Training parameters of a last step of sweep's that a study plans by."""

SET_BY_THE_STUDY = ("model", "warm_start", "checkpoint_epochs")
"""Parameters of sweep's classifiers that no study file may set."""

NAMES_SHOWN = 20


def with_facts(spec: StudySpec, allow: Collection[str]) -> StudySpec:
    """Return a study with what the code of its estimator says; one with a factory as it is.

    Raises
    ------
    ReferenceError_
        If the code may not or cannot be loaded.
    StudyFileError
        If it gives no estimator.
    """
    if spec.model.estimator is None:
        return spec
    estimator, made = _loaded(spec, allow)
    parts = parts_of(estimator)
    facts = EstimatorFacts(
        prefix=parts.prefix if parts.ours else None,
        defaults=_defaults(parts.last) if parts.ours else {},
        made=made,
        flat_rows=_takes_features_only(parts.steps[0][1] if parts.steps else parts.last),
    )
    return spec.model_copy(update={"facts": facts})


def make_own(spec: StudySpec, params: Mapping[str, Any], allow: Collection[str]) -> Any:
    """Return the unfitted estimator of a candidate: its parameters set, every seed given."""
    estimator = _copied(spec, _loaded(spec, allow)[0])
    set_parameters(estimator, {**spec.model.params, **params})
    unset = dict.fromkeys(seed_names(estimator, unset=True), spec.study.seed)
    return estimator.set_params(**unset) if unset else estimator


def seed_names(estimator: Any, *, unset: bool = False) -> list[str]:
    """Return the names of an estimator's seeds: ``random_state`` wherever it stands.

    Parameters
    ----------
    estimator : estimator
        Any.
    unset : bool
        Those that are None, in place of those that are whole numbers.
    """
    return [
        name
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state"
        and (value is None if unset else isinstance(value, int))
    ]


def with_seed(estimator: Any, number: int) -> Any:
    """Add a number to every seed of an estimator: the fits under the seed of that number."""
    given = estimator.get_params(deep=True)
    moved = {name: (given[name] + number) % 2**32 for name in seed_names(estimator)}
    return estimator.set_params(**moved) if number and moved else estimator


def set_parameters(estimator: Any, params: Mapping[str, Any]) -> None:
    """Set parameters; ``fit_kwargs__epochs`` is an entry of the table ``fit_kwargs``."""
    known = estimator.get_params(deep=True)
    entries: dict[str, dict[str, Any]] = {}
    direct = {}
    for name, value in params.items():
        table = _table_of(name, known)
        if table is None:
            direct[name] = value
        else:
            entries.setdefault(table, {})[name.removeprefix(f"{table}__")] = value
    estimator.set_params(**direct)
    for table, values in entries.items():
        before = estimator.get_params(deep=True)[table] or {}
        estimator.set_params(**{table: {**before, **values}})


def check_estimator(spec: StudySpec, allow: Collection[str]) -> None:
    """Refuse an estimator that is no classifier, and parameters that it does not have.

    Raises
    ------
    ReferenceError_
        If its code may not or cannot be loaded.
    StudyFileError
        With every problem.
    """
    estimator = _copied(spec, _loaded(spec, allow)[0])
    lines = [*_kind_problems(estimator), *_name_problems(spec, estimator)]
    lines += [f"{'.'.join(each.place)}: {each.message}" for each in code_problems(spec)]
    if lines:
        raise StudyFileError(spec.study.name, lines)


def _loaded(spec: StudySpec, allow: Collection[str]) -> tuple[Any, bool]:
    """Return the estimator as its code gives it, and whether a function or class made it."""
    from sweep.support.code_references import resolve_object

    reference = spec.model.code
    with without_noise():
        found: Any = resolve_object(reference, allow=allow, folder=spec.folder)
        if _is_estimator(found):
            return _copied(spec, found), False
        made = _called(spec, found) if callable(found) else found
    if not _is_estimator(made):
        kind = type(made).__name__
        problem = (
            f"model.estimator: {reference} must be a scikit-learn estimator, or a function or "
            f"class that returns one, got {f'one that returns {kind}' if callable(found) else kind}"
        )
        raise StudyFileError(spec.study.name, [problem])
    return made, True


def _called(spec: StudySpec, function: Any) -> Any:
    try:
        return function()
    except Exception as error:
        problem = (
            f"model.estimator: {spec.model.code}() raised {_told(error)}; it is "
            "called without arguments"
        )
        raise StudyFileError(spec.study.name, [problem]) from error


def _copied(spec: StudySpec, estimator: Any) -> Any:
    """Return an unfitted copy, as every fit needs one of its own.

    Raises
    ------
    StudyFileError
        If scikit-learn cannot clone it.
    """
    try:
        return unfitted(estimator)
    except Exception as error:
        problem = (
            f"model.estimator: scikit-learn cannot clone {type(estimator).__name__}, and every fit "
            f"needs an unfitted copy: {_told(error)}; have __init__ name its parameters and keep "
            "them as they are"
        )
        raise StudyFileError(spec.study.name, [problem]) from error


def _told(error: Exception) -> str:
    """Return an error on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _is_estimator(value: Any) -> bool:
    methods = ("fit", "get_params", "set_params")
    return not isinstance(value, type) and all(hasattr(value, each) for each in methods)


def _defaults(last: Any) -> dict[str, Any]:
    given = last.get_params(deep=False)
    callbacks = [type(each).__name__ for each in given["callbacks"] or () if each is not None]
    return {**{name: given[name] for name in PLANNED_BY}, "callbacks": callbacks or None}


def _takes_features_only(step: Any) -> bool:
    """Return whether a step is scikit-learn's own and refuses rows that are images."""
    if not type(step).__module__.startswith("sklearn."):
        return False
    holds_others = any(
        hasattr(value, "fit") or isinstance(value, list | tuple)
        for value in step.get_params(deep=False).values()
    )
    return not holds_others and type(step).__name__ != "FunctionTransformer"


def _kind_problems(estimator: Any) -> Iterator[str]:
    from sklearn.base import is_classifier, is_clusterer, is_regressor

    last = parts_of(estimator).last
    named = getattr(last, "_estimator_type", None) == "classifier"
    if not (is_classifier(estimator) or named):
        other = any(is_kind(estimator) for is_kind in (is_clusterer, is_regressor))
        mine = not (other or type(last).__module__.startswith("sklearn."))
        yield (
            f"model.estimator: must be a classifier, got {type(last).__name__}"
            f"{' as its last step' if last is not estimator else ''}"
            f"{'; have it inherit from ClassifierMixin first, then BaseEstimator' if mine else ''}"
        )


def _name_problems(spec: StudySpec, estimator: Any) -> Iterator[str]:
    known = estimator.get_params(deep=True)
    dimensions = spec.space.dimensions.items()
    given = [("model", name, value) for name, value in spec.model.params.items()]
    given += [("space", name, _example(dimension)) for name, dimension in dimensions]
    refused = _refused_names(estimator, known)
    for section, name, value in given:
        if why := refused.get(name):
            yield f"{section}.{name}: {why}"
        elif not (name in known or _table_of(name, known) or _takes(estimator, name, value)):
            yield f"{section}.{name}: the estimator has no such parameter{_near(name, known)}"


def _refused_names(estimator: Any, known: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters that would load code or act outside a fit, with the reason."""
    from sweep.estimators.base import BaseKerasClassifier

    found = {
        name: "names a folder of pickles that would be loaded; set it in the code, if at all"
        for name in known
        if name.rpartition("__")[2] == "memory"
    }
    for name, value in (("", estimator), *known.items()):
        if isinstance(value, BaseKerasClassifier):
            prefix = f"{name}__" if name else ""
            why = "a study sets it itself for every fit; leave it out"
            found |= {f"{prefix}{each}": why for each in SET_BY_THE_STUDY}
    return found


def _example(dimension: Any) -> Any:
    values = getattr(dimension, "values", None)
    return values[0] if values else dimension.low


def _takes(estimator: Any, name: str, value: Any) -> bool:
    """Return whether ``set_params`` takes a name that ``get_params`` does not have.

    So do estimators that hand parameters on to a function: SciKeras's ``model__units``.
    """
    try:
        tried = unfitted(estimator).set_params(**{name: value})
        return name in tried.get_params(deep=True)
    except Exception:  # noqa: BLE001 - an estimator of the user's may raise anything
        return False


def _table_of(name: str, known: Mapping[str, Any]) -> str | None:
    """Return the parameter that is a table with an entry of this name; None for any other."""
    if name in known:
        return None
    parts = name.split("__")
    for end in range(len(parts) - 1, 0, -1):
        table = "__".join(parts[:end])
        value = known.get(table, ...)
        if isinstance(value, Mapping) or (value is None and table.endswith("_kwargs")):
            return table
    return None


def _near(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    if close:
        return f", did you mean {close[0]}?"
    prefix = name.rpartition("__")[0]
    inner = [each for each in known if prefix and each.startswith(f"{prefix}__")]
    names = sorted(inner or [each for each in known if "__" not in each])
    more = f", and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"; there are: {', '.join(names[:NAMES_SHOWN])}{more}"
