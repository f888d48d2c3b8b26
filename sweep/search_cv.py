"""A search like scikit-learn's own whose candidates an Optuna sampler suggests."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import isfinite
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from sweep.errors import SearchSpaceError
from sweep.estimators.checks import check_weights
from sweep.spaces import Space, suggest
from sweep.spec.dimensions import parse_space

SAMPLERS = ("tpe", "random")
SCALARS = (bool, int, float, str, type(None))


class OptunaSearchCV(BaseSearchCV):
    """Search hyperparameters with Optuna, used as :class:`sklearn.model_selection.GridSearchCV`.

    Candidates are suggested by an Optuna sampler and judged by scikit-learn's own
    cross-validation, so that ``cv_results_``, ``refit``, several scorers, ``groups``, metadata
    routing and callbacks are scikit-learn's. Any scikit-learn estimator will do.

    Parameters
    ----------
    estimator : estimator
        What is searched; cloned for every fit.
    space : mapping of str to dimension
        By parameter of the estimator (``clf__hidden_size`` reaches into a pipeline), as in
        ``[space]`` of a study file: a list or array of choices, ``{"int": [8, 64], "log": True}``,
        ``{"float": [0.0, 0.99], "when": {"optimizer": "sgd"}}``, or an Optuna distribution. A
        parameter whose condition is not met keeps the estimator's own value.
    n_trials : int, default=20
        Candidates to try.
    sampler : {"tpe", "random"} or optuna.samplers.BaseSampler, default="tpe"
        A sampler is copied at every ``fit``, and brings its own seed.
    timeout : float, optional
        Seconds after which no more candidates are begun; at least one is tried.
    batch_size : int, default=1
        Candidates suggested at a time. With ``n_jobs`` above the number of splits a larger batch
        keeps all jobs busy, and the sampler learns later.
    scoring, n_jobs, refit, cv, verbose, pre_dispatch, error_score, return_train_score
        As in :class:`sklearn.model_selection.GridSearchCV`. Of several scorers the sampler
        follows the one that ``refit`` names, else the first.
    random_state : int, RandomState instance, optional
        Seed of the sampler.

    Attributes
    ----------
    cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, \
refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As in :class:`sklearn.model_selection.GridSearchCV`; ``cv_results_["trial"]`` says which
        trial of ``study_`` a row is. A batch in which every fit fails has no rows.
    study_ : optuna.Study
        The study in memory, for Optuna's own plots; failed candidates are in it too. Choices
        that Optuna cannot hold (an estimator) stand in it as ``"SVC#0"``, with their position.

    See Also
    --------
    sweep.run_study : Studies that are kept, go on after an interruption, and end in a report.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sweep import OptunaSearchCV
    >>> space = {"C": {"float": [0.01, 100], "log": True}}
    >>> search = OptunaSearchCV(LogisticRegression(), space, n_trials=5, random_state=0)
    >>> search.fit([[0], [1], [2], [3]] * 5, [0, 0, 1, 1] * 5).best_score_
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearchCV._parameter_constraints,
        "space": [Mapping],
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "sampler": [StrOptions(set(SAMPLERS)), HasMethods("sample_independent")],
        "timeout": [Interval(Real, 0, None, closed="neither"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        space: Mapping[str, Any],
        *,
        n_trials: int = 20,
        sampler: Any = "tpe",
        timeout: float | None = None,
        batch_size: int = 1,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.space = space
        self.n_trials = n_trials
        self.sampler = sampler
        self.timeout = timeout
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Search, as :meth:`sklearn.model_selection.GridSearchCV.fit` does.

        Raises
        ------
        ValueError
            Also if a weight in ``sample_weight`` is negative or not finite, or if all are zero.
        """
        check_weights(params.get("sample_weight"))
        return super().fit(X, y, **params)

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        """Ask the sampler, let scikit-learn evaluate, tell the sampler; until all is spent."""
        import optuna

        space = SearchSpace(self.space)
        began = time.monotonic()
        self.study_ = _quiet_study(optuna, self._sampler())
        context = callback_ctx.subcontext(
            task_name="search", max_subtasks=-(-self.n_trials // self.batch_size)
        ).call_on_fit_task_begin(estimator=self)
        failure: Exception | None = None
        while (left := self.n_trials - len(self.study_.trials)) > 0:
            try:
                self._run_batch(evaluate_candidates, space, min(left, self.batch_size), context)
            except ValueError as error:
                failure = self._failed(error)
            if self.timeout is not None and time.monotonic() - began >= self.timeout:
                break
        if failure is not None and not self._complete():
            raise failure
        context.call_on_fit_task_end(estimator=self)

    def _run_batch(
        self, evaluate_candidates: Any, space: SearchSpace, size: int, context: Any
    ) -> None:
        trials = [self.study_.ask() for _ in range(size)]
        candidates = [space.suggest(trial) for trial in trials]
        batch = context.subcontext(
            task_name="suggested-candidates",
            max_subtasks=size * self.n_splits_,
            sequential_subtasks=False,
        ).call_on_fit_task_begin(estimator=self)
        numbers = {"trial": [trial.number for trial in trials]}
        results = evaluate_candidates(candidates, more_results=numbers, callback_ctx=batch)
        batch.call_on_fit_task_end(estimator=self)
        for trial, score in zip(trials, results[self._followed(results)][-size:], strict=True):
            if isfinite(score):
                self.study_.tell(trial, float(score))
            else:
                self._give_up(trial.number)

    def _failed(self, error: ValueError) -> ValueError:
        """Go on after a batch of which scikit-learn says that every fit failed; else raise."""
        if "fits failed" not in str(error):
            raise error
        for trial in self.study_.trials:
            if not trial.state.is_finished():
                self._give_up(trial.number)
        warnings.warn(f"a suggested batch is left out: {error}", FitFailedWarning, stacklevel=2)
        return error

    def _give_up(self, number: int) -> None:
        from optuna.trial import TrialState

        self.study_.tell(number, state=TrialState.FAIL)

    def _complete(self) -> bool:
        return any(trial.value is not None for trial in self.study_.trials)

    def _followed(self, results: Mapping[str, Any]) -> str:
        """Return the column of ``cv_results_`` that the sampler learns from."""
        if f"mean_test_{self.refit}" in results:
            return f"mean_test_{self.refit}"
        return next(name for name in results if name.startswith("mean_test_"))

    def _sampler(self) -> Any:
        from optuna.exceptions import ExperimentalWarning
        from optuna.samplers import RandomSampler, TPESampler

        if self.sampler not in SAMPLERS:
            return deepcopy(self.sampler)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if self.sampler == "random":
            return RandomSampler(seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            liar = self.batch_size > 1
            return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=liar)


class SearchSpace:
    """A space given in Python: what a study file can say, choices of any object, distributions.

    Parameters
    ----------
    raw : mapping of str to dimension
        As :class:`OptunaSearchCV` takes it.

    Raises
    ------
    SearchSpaceError
        With everything that breaks a rule.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._objects: dict[str, dict[str, Any]] = {}
        plain = {name: self._plain(name, dimension) for name, dimension in raw.items()}
        space, problems = parse_space(plain, {})
        if problems or not space:
            lines = [f"{'.'.join(each.place)}: {each.message}" for each in problems]
            raise SearchSpaceError(lines or ["space: must name a parameter to search, got none"])
        self.dimensions: Space = space

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Return the parameters that an Optuna trial suggests."""
        params = suggest(trial, self.dimensions)
        return {name: self._objects.get(name, {}).get(v, v) for name, v in params.items()}

    def _plain(self, name: str, dimension: Any) -> Any:
        """Turn arrays, tuples and distributions into what a study file would say."""
        if isinstance(dimension, Mapping):
            held = {key: _listed(value) for key, value in dimension.items()}
            if isinstance(held.get("choices"), list):
                held["choices"] = self._labelled(name, held["choices"])
            return held
        if hasattr(dimension, "_contains"):  # an Optuna distribution, known without importing it
            dimension = _from_distribution(dimension)
        listed = _listed(dimension)
        return self._labelled(name, listed) if isinstance(listed, list) else listed

    def _labelled(self, name: str, choices: list[Any]) -> list[Any]:
        """Give choices that Optuna cannot hold a text instead, and remember them."""
        labels = self._objects.setdefault(name, {})
        held = []
        for position, choice in enumerate(choices):
            if isinstance(choice, SCALARS):
                held.append(choice)
            else:
                label = f"{type(choice).__name__}#{position}"
                labels[label] = choice
                held.append(label)
        return held


def _listed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [each.item() if isinstance(each, np.generic) else each for each in value]
    if isinstance(value, Mapping):
        return {key: _listed(each) for key, each in value.items()}
    return value


def _from_distribution(distribution: Any) -> Any:
    """Write an Optuna distribution as a study file would."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if distribution.single():
        return [distribution.low]
    kind = "int" if isinstance(distribution, IntDistribution) else "float"
    step = {} if distribution.step in (None, 1) else {"step": distribution.step}
    log = {"log": True} if distribution.log else {}
    return {kind: [distribution.low, distribution.high], **step, **log}


def _quiet_study(optuna: Any, sampler: Any) -> Any:
    """Make a study in memory without Optuna's line about it."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(direction="maximize", sampler=sampler)
    finally:
        optuna.logging.set_verbosity(before)
