"""The Optuna sampler of each search method of :mod:`sweep.spec.methods` that has one."""

from __future__ import annotations

from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sweep.spec import StudySpec

POPULATION = 20
"""Trials of a generation of NSGA-II. Optuna's 50 would leave most studies without a second one."""


def check_extra(spec: StudySpec) -> None:
    """Refuse a sampler whose extra is not installed, before a worker meets that.

    Raises
    ------
    StudyFileError
        Naming the extra.
    """
    extra = spec.search.method_row.extra
    if extra is not None and find_spec(extra.module) is None:
        problem = (
            f'search.method: "{spec.search.method}" needs {extra.title}, which is not installed; '
            f'pip install ".[{extra.name}]" in a checkout of sweep'
        )
        raise StudyFileError(spec.study.name, [problem])


def make_sampler(spec: StudySpec, slot: int) -> Any:
    """Return the sampler for one slot of a study.

    Seeded by the study's seed and the slot, so that a study with one worker repeats itself
    exactly; one that was interrupted learns in another order from there on.
    """
    seed = (spec.study.seed * 1_000_003 + slot) % 2**32
    return MAKERS[spec.search.method](seed)


def _random(seed: int) -> Any:
    """Return what fills in nothing: under a pruner too, these methods' points are given."""
    import optuna

    return optuna.samplers.RandomSampler(seed=seed)


def _tpe(seed: int) -> Any:
    """Tree-structured Parzen estimator (J. Bergstra et al., NIPS 2011), parameters together."""
    import optuna

    return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def _nsga2(seed: int) -> Any:
    """NSGA-II (K. Deb et al., IEEE Transactions on Evolutionary Computation 6:182-197, 2002)."""
    import optuna

    return optuna.samplers.NSGAIISampler(seed=seed, population_size=POPULATION)


def _gp(seed: int) -> Any:
    """Optuna's Gaussian process with expected improvement; conditions are drawn at random."""
    import optuna

    return optuna.samplers.GPSampler(seed=seed, warn_independent_sampling=False)


def _cmaes(seed: int) -> Any:
    """CMA-ES (N. Hansen, arXiv:1604.00772) rebuilt from the trials, see there."""
    from sweep.search.cmaes import ReplayedCmaEsSampler

    return ReplayedCmaEsSampler(seed=seed, warn_independent_sampling=False)


MAKERS: Mapping[str, Callable[[int], Any]] = MappingProxyType(
    {"random": _random, "qmc": _random, "tpe": _tpe, "nsga2": _nsga2, "gp": _gp, "cmaes": _cmaes}
)
"""By the method's name in a study file; a grid's trials need no sampler."""
