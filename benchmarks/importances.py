"""How many complete candidates importances need: fANOVA and PED-ANOVA against a known truth.

Candidates are drawn at random, and by TPE, from six parameters of which the first explains most of
the score, the second less, and four nothing; the score carries noise. Counted: how often each
evaluator ranks the two that matter above the four that do not; and its seconds.

    python benchmarks/importances.py
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import optuna
from optuna.importance import get_param_importances

from sweep.analysis.importances import fanova, ped_anova

NAMES = tuple("abcdef")
SIZES = (20, 50, 100, 200)
REPEATS = 10


def score(params, noise):
    """Held-out accuracy with a ridge in ``a``, a slope in ``b``, and chance."""
    return 0.9 - 0.20 * (params["a"] - 0.6) ** 2 - 0.03 * params["b"] + noise.normal(0, 0.005)


def study(sampler, size, seed):
    """Return a study of that many trials."""
    kind = {"random": optuna.samplers.RandomSampler, "tpe": optuna.samplers.TPESampler}[sampler]
    made = optuna.create_study(direction="maximize", sampler=kind(seed=seed))
    noise = np.random.default_rng(seed)
    made.optimize(
        lambda trial: score({n: trial.suggest_float(n, 0, 1) for n in NAMES}, noise), n_trials=size
    )
    return made


def main():
    """Print one line for each sampler, evaluator and size."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    print(f"{'sampler':8} {'evaluator':10} {'n':>4} {'found':>6} {'seconds':>8}")
    for sampler in ("random", "tpe"):
        for size in SIZES:
            studies = [study(sampler, size, seed) for seed in range(REPEATS)]
            for name, evaluator in (("fANOVA", fanova()), ("PED-ANOVA", ped_anova(size))):
                began = time.perf_counter()
                orders = [list(get_param_importances(s, evaluator=evaluator)) for s in studies]
                seconds = (time.perf_counter() - began) / REPEATS
                found = sum(set(order[:2]) == {"a", "b"} for order in orders)
                counts = f"{found:>3}/{REPEATS}"
                print(f"{sampler:8} {name:10} {size:>4} {counts} {seconds:8.2f}", flush=True)


if __name__ == "__main__":
    main()
