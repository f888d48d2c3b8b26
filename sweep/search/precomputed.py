"""Samplers that do not learn: all trials of a study are drawn before it starts."""

from __future__ import annotations

import warnings
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sweep.spaces import distributions, encode, suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sweep.spaces.dimensions import Params
    from sweep.spec import StudySpec


def random_draws(spec: StudySpec) -> Iterator[Params]:
    """Yield independent random draws, all from one stream: more trials continue the sequence."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=spec.study.seed))
    for fixed in spec.search.start:
        study.enqueue_trial(_stored(fixed))
    while True:
        yield suggest(study.ask(), spec.space.dimensions)


def quasi_random_draws(spec: StudySpec) -> Iterator[Params]:
    """Yield the points of a Sobol sequence scrambled by the study's seed, one for each trial.

    Optuna's ``QMCSampler`` draws each point in the whole space; a parameter whose condition is
    not met leaves its coordinate unused, so the sequence stays even with conditions. A trial with
    fixed parameters takes the others from the point of its number. The scrambling is that of
    A. B. Owen, "Scrambling Sobol' and Niederreiter-Xing points", Journal of Complexity
    14:466-489, 1998.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():  # Optuna calls this sampler experimental
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.QMCSampler(scramble=True, seed=spec.study.seed)
    study = optuna.create_study(sampler=sampler)
    whole = dict(sorted(distributions(spec.space.dimensions).items()))
    fixed = iter(spec.search.start)
    while True:
        point = sampler.sample_relative(study, study.ask()._cached_frozen_trial, whole)
        given = _stored(next(fixed, {}))
        yield suggest(optuna.trial.FixedTrial({**point, **given}), spec.space.dimensions)


def _stored(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: encode(value) for name, value in params.items()}


DRAWN_BEFOREHAND: Mapping[str, Callable[[StudySpec], Iterator[Params]]] = MappingProxyType(
    {"random": random_draws, "qmc": quasi_random_draws}
)
"""The draws of a method, by its name in a study file."""
