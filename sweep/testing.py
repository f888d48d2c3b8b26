"""For people who test pipelines that hold sweep's estimators."""

from __future__ import annotations

from typing import Any

DECLARED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "as in Keras, the loss of a batch is divided by its rows: a row of weight two and two "
        "equal rows make batches of other sizes"
    ),
}

SEARCHES = {
    "check_supervised_y_2d": (
        "a regressor's warning about a column of targets is raised once for every fit of the "
        "search, not once; scikit-learn declares the same for GridSearchCV"
    ),
}


def expected_failed_checks(estimator: Any) -> dict[str, str]:
    """Return the checks of ``check_estimator`` that an estimator is known to fail.

    Parameters
    ----------
    estimator : estimator
        One of sweep's.

    Returns
    -------
    dict of str to str
        Name of the check to the reason, in scikit-learn's own format.

    Examples
    --------
    >>> from sklearn.utils.estimator_checks import check_estimator
    >>> from sweep import KerasMLPClassifier
    >>> model = KerasMLPClassifier()
    >>> known = expected_failed_checks(model)
    >>> results = check_estimator(model, expected_failed_checks=known)
    """
    from sklearn.base import is_regressor

    from sweep.estimators.base import BaseKerasClassifier
    from sweep.search_cv import OptunaSearchCV

    if isinstance(estimator, OptunaSearchCV):
        return dict(SEARCHES) if is_regressor(estimator) else {}
    return dict(DECLARED) if isinstance(estimator, BaseKerasClassifier) else {}
