"""From a study file to the estimator it searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sweep.estimators.base import BaseKerasClassifier
    from sweep.spec import StudySpec


def make_estimator(
    spec: StudySpec, params: Mapping[str, Any], allow: Collection[str] = ()
) -> BaseKerasClassifier:
    """Return the unfitted estimator of a candidate.

    Parameters
    ----------
    spec : StudySpec
        Gives the model, its fixed parameters, the scaling and the seed.
    params : mapping of str to value
        The searched parameters.
    allow : collection of str
        Modules that a study file may name.
    """
    from sweep.estimators import KerasClassifier, KerasCNNClassifier, KerasMLPClassifier
    from sweep.references import is_reference, resolve

    fixed = {"scaling": spec.data.scaling, "random_state": spec.study.seed, **spec.model.params}
    factory: Any = spec.model.factory
    classes = {"mlp": KerasMLPClassifier, "cnn": KerasCNNClassifier}
    if factory in classes:
        return classes[factory](**{**fixed, **params})
    if is_reference(factory):
        factory = resolve(factory, allow=allow, folder=spec.folder)
    return KerasClassifier(factory, **{**fixed, **params})
