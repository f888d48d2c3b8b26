"""Make the estimator of a study's candidate; check and identify the user's own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError, ReferenceError_, StudyFileError
from sweep.evaluation.own_estimator import check_estimator, make_own
from sweep.evaluation.scorer_methods import check_scorer_methods
from sweep.spec.problems import Problem
from sweep.spec.study_file import problem_line
from sweep.support.tensorflow_loading import without_noise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from sweep.spec import StudySpec


RESERVED = ("model", "warm_start", "checkpoint_epochs")
"""Parameters of the estimator that no study file may set."""
OF_THE_STUDY = "a study sets it itself for every fit; give the factory's parameter another name"


def make_estimator(spec: StudySpec, params: Mapping[str, Any], allow: Collection[str] = ()) -> Any:
    """Return the unfitted estimator of a candidate.

    Parameters
    ----------
    spec : StudySpec
        The study: its model, fixed parameters, scaling and seed.
    params : mapping of str to value
        The searched parameters.
    allow : collection of str
        Modules that a study file may name.
    """
    if spec.model.estimator is not None:
        return make_own(spec, params, allow)
    from sweep.estimators import KerasClassifier, KerasCNNClassifier, KerasMLPClassifier
    from sweep.support.code_references import is_reference, resolve

    fixed = {"scaling": spec.data.scaling, "random_state": spec.study.seed, **spec.model.params}
    factory: Any = spec.model.factory
    classes = {"mlp": KerasMLPClassifier, "cnn": KerasCNNClassifier}
    if factory in classes:
        return classes[factory](**{**fixed, **params})
    if is_reference(factory):
        factory = resolve(factory, allow=allow, folder=spec.folder)
        fixed = {**_own_defaults(factory), **fixed}
    return KerasClassifier(factory, **{**fixed, **params})


def _own_defaults(factory: Any) -> dict[str, Any]:
    """Return a factory's own defaults of training parameters; they replace the estimator's.

    Of parameters of the optimizer the estimator has none: nobody has set them then, and where the
    model is not compiled they are sweep's.
    """
    from sweep.models import REQUIRED, factory_parameters
    from sweep.spec import TRAINING
    from sweep.spec.parameters import OF_THE_COMPILATION

    unset = {*OF_THE_COMPILATION} - {"learning_rate_decay"}
    names = set(TRAINING) - unset
    known = {n: v for n, v in factory_parameters(factory).items() if n in names}
    return {n: v for n, v in known.items() if v is not REQUIRED and v is not None}


def code_of(spec: StudySpec, allow: Collection[str]) -> str:
    """Return what identifies the code of a study's models: fits of other code do not continue."""
    from sweep import __version__
    from sweep.support.code_references import is_reference, source_digest

    if not is_reference(spec.model.code):
        return __version__
    return source_digest(spec.model.code, allow=allow, folder=spec.folder)


def user_code(spec: StudySpec, allow: Collection[str]) -> dict[str, str]:
    """Return a digest of each of the user's own modules that a study uses, by module."""
    from sweep.support.code_references import is_reference, source_digest

    return {
        each.partition(":")[0]: source_digest(each, allow=allow, folder=spec.folder)
        for each in (spec.model.code, spec.data.dataset, *spec.search.scorers)
        if is_reference(each)
    }


def user_code_text(spec: StudySpec, allow: Collection[str]) -> str:
    """Return the digests of :func:`user_code` in one line; empty where there are none."""
    return ", ".join(f"{name} {digest}" for name, digest in user_code(spec, allow).items())


def check_user_code(spec: StudySpec, allow: Collection[str]) -> None:
    """Refuse a user's factory or estimator that cannot be loaded, or lacks a parameter.

    Raises
    ------
    ReferenceError_
        If it may not or cannot be loaded.
    StudyFileError
        If ``[model]`` or ``[space]`` name a parameter that it does not take, or an invalid value
        of a training parameter; or if an estimator lacks what the first scorer asks for.
    """
    if spec.model.estimator is not None:
        check_estimator(spec, allow)
        check_scorer_methods(spec, allow)
        return
    from sweep.support.code_references import is_reference

    if not is_reference(spec.model.factory):
        return
    problems = _factory_problems(spec, _factory_of(spec.model.factory, allow, spec.folder))
    if problems:
        raise StudyFileError(spec.study.name, [problem_line(each) for each in problems])


def problems_of_names(
    raw: Mapping[str, Any], folder: Path | None, *, allow: Collection[str]
) -> list[Problem]:
    """Return what a factory of the user's makes wrong in a study file that has other problems.

    Parameters
    ----------
    raw : mapping
        The sections of the file.
    folder : Path or None
        Where it lies.
    allow : collection of str
        Modules that a study file may name.
    """
    from sweep.support.code_references import is_reference

    model, space = (_table(raw, name) for name in ("model", "space"))
    reference = model.pop("factory", "")
    if "estimator" in model or not (isinstance(reference, str) and is_reference(reference)):
        return []
    try:
        factory = _factory_of(reference, allow, folder)
        return list(_name_problems(factory, model, space))
    except ReferenceError_ as error:
        return [Problem(("model", "factory"), str(error))]
    except ModelError:
        return []


def _table(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = raw.get(name)
    return dict(table) if isinstance(table, Mapping) else {}


def _factory_of(reference: str, allow: Collection[str], folder: Path | None) -> Any:
    from sweep.support.code_references import resolve

    with without_noise():
        return resolve(reference, allow=allow, folder=folder)


def _factory_problems(spec: StudySpec, factory: Any) -> list[Problem]:
    """Return every parameter that a factory does not take, and invalid values of the training's."""
    from sweep.models import factory_parameters
    from sweep.spec import training_problems

    params, space = spec.model.params, spec.space.dimensions
    try:
        own = set(factory_parameters(factory))
        problems = [*_name_problems(factory, params, space)]
    except ModelError as error:
        return [Problem(("model", "factory"), str(error).removeprefix("model.factory: "))]
    told = {each.place for each in problems}
    problems += [e for e in training_problems(params, space, own) if e.place not in told]
    if spec.searched_epochs and "epochs" in own:
        text = (
            "the factory takes epochs itself, so a short fit is no part of a long one, as a study "
            "takes it to be; give its parameter another name (total_epochs), or fix epochs in "
            "[model]"
        )
        problems.append(Problem(("space", "epochs"), text))
    return problems


def _name_problems(
    factory: Any, model: Mapping[str, Any], space: Mapping[str, Any]
) -> Iterator[Problem]:
    """Find names that no factory may be given, and those that this one does not take."""
    from sweep.models import factory_parameters, parameter_problems
    from sweep.spec import TRAINING

    own, given = set(factory_parameters(factory)), {**model, **space}
    asked = [n for n in given if n not in RESERVED and (n in own or n not in TRAINING)]
    found = {
        **{name: OF_THE_STUDY for name in RESERVED if name in given},
        **parameter_problems(factory, asked),
    }
    for name, why in found.items():
        yield Problem(("space" if name in space else "model", name), why)
