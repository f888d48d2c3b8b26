"""Make the estimator of a study's candidate; check and identify the user's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError, StudyFileError
from sweep.evaluation.own_estimator import check_estimator, make_own
from sweep.evaluation.scorer_methods import check_scorer_methods
from sweep.support.tensorflow_loading import without_noise

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sweep.spec import StudySpec


RESERVED = ("model", "warm_start", "checkpoint_epochs")
"""Parameters of the estimator that no study file may set."""


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
    from sweep.models import check_parameters, factory_parameters
    from sweep.spec import TRAINING, training_problems
    from sweep.support.code_references import is_reference, resolve

    if not is_reference(spec.model.factory):
        return
    with without_noise():
        factory: Any = resolve(spec.model.factory, allow=allow, folder=spec.folder)
    given = {**spec.model.params, **dict.fromkeys(spec.space.dimensions)}
    if reserved := [
        f"{'model' if name in spec.model.params else 'space'}.{name}: a study sets it itself for "
        "every fit; give the factory's parameter another name"
        for name in RESERVED
        if name in given
    ]:
        raise StudyFileError(spec.study.name, reserved)
    try:
        own = set(factory_parameters(factory))
        check_parameters(factory, {n: v for n, v in given.items() if n in own or n not in TRAINING})
    except ModelError as error:
        raise StudyFileError(spec.study.name, [str(error)]) from error
    problems = training_problems(spec.model.params, spec.space.dimensions, own)
    lines = [f"{'.'.join(each.place)}: {each.message}" for each in problems]
    if spec.searched_epochs and "epochs" in own:
        lines.append(
            "space.epochs: the factory takes epochs itself, so a short fit is no part of a long "
            "one, as a study takes it to be; give its parameter another name (total_epochs), or "
            "fix epochs in [model]"
        )
    if lines:
        raise StudyFileError(spec.study.name, lines)
