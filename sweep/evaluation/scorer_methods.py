"""Find out, before anything trains, that a classifier lacks what the ranking scorer asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.errors import StudyFileError
from sweep.evaluation.own_estimator import make_own
from sweep.evaluation.pipeline_parts import parts_of
from sweep.evaluation.scoring import scorer_of
from sweep.spec.scorers import is_own_scorer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sweep.spec import StudySpec


def check_scorer_methods(spec: StudySpec, allow: Collection[str]) -> None:
    """Refuse a first scorer that needs probabilities of a classifier without any.

    Only what is sure before a fit is refused; a classifier around others may get them by its fit.

    Parameters
    ----------
    spec : StudySpec
        The study, its estimator and parameters checked.
    allow : collection of str
        Modules that the study may load code from.

    Raises
    ------
    StudyFileError
        With the scorer, the method, and what to do.
    """
    name = spec.search.scorers[0]
    if is_own_scorer(name):
        return
    asked = getattr(scorer_of(name), "_response_method", "predict")
    methods = (asked,) if isinstance(asked, str) else tuple(asked)
    if "predict" in methods:
        return
    last = parts_of(make_own(spec, {}, allow)).last
    if _never(last, methods) or (_tells(last) and not any(_has(spec, allow, methods))):
        needed = " or ".join(methods)
        problem = (
            f'search.scoring: "{name}" needs {needed}, and {type(last).__name__}, as the study '
            'sets it, has none; take a scorer of predicted classes, as "accuracy", or put it into '
            "a CalibratedClassifierCV"
        )
        raise StudyFileError(spec.study.name, [problem])


def _never(last: Any, methods: tuple[str, ...]) -> bool:
    """Return whether no fit can give the classifier one of the methods."""
    return not any(hasattr(type(last), each) for each in (*methods, "__getattr__"))


def _tells(last: Any) -> bool:
    """Return whether a classifier has before its fit what it has afterwards."""
    given = last.get_params(deep=False).values()
    alone = not any(hasattr(each, "fit") or isinstance(each, list | tuple) for each in given)
    return type(last).__module__.startswith("sklearn.") and alone


def _has(spec: StudySpec, allow: Collection[str], methods: tuple[str, ...]) -> Iterator[bool]:
    """Yield whether it has one of the methods as the study fixes it, and under each choice."""
    choices = [
        {name: value}
        for name, dimension in spec.space.dimensions.items()
        for value in getattr(dimension, "values", ())
    ]
    for each in ({}, *choices):
        last = parts_of(make_own(spec, each, allow)).last
        yield any(hasattr(last, method) for method in methods)
