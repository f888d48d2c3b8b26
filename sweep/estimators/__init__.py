"""Keras image classifiers that scikit-learn trusts: search them, pipe them, vote with them."""

from sweep.estimators.cnn import KerasCNNClassifier
from sweep.estimators.generic import KerasClassifier
from sweep.estimators.mlp import KerasMLPClassifier

__all__ = ["KerasCNNClassifier", "KerasClassifier", "KerasMLPClassifier"]
