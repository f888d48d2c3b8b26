"""Optuna's samplers, as a study file names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.spec import StudySpec


def make_sampler(spec: StudySpec, slot: int) -> Any:
    """Return the sampler for one slot of a study.

    Seeded by the study's seed and the slot, so that a study with one worker repeats itself
    exactly, also when it was interrupted in between.
    """
    import optuna

    seed = (spec.study.seed * 1_000_003 + slot) % 2**32
    if spec.search.method == "tpe":
        return optuna.samplers.TPESampler(
            seed=seed,
            multivariate=True,
            group=True,
            constant_liar=True,
            warn_independent_sampling=False,
        )
    return optuna.samplers.RandomSampler(seed=seed)
