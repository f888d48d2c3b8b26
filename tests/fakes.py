"""A small estimator that behaves like ours without TensorFlow: quick, and known beforehand."""

import copy
from types import SimpleNamespace

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from sweep.support.layer import Layer


class FakeClassifier(ClassifierMixin, BaseEstimator):
    """Right on a share of the rows that grows by ``skill`` with every epoch and every seed."""

    precision = "float32"
    unrepeatable_ = ""
    start_ = ("", ())

    def __init__(self, skill=0.1, epochs=2, checkpoint_epochs=None, nan_at=None, random_state=0):
        self.skill = skill
        self.epochs = epochs
        self.checkpoint_epochs = checkpoint_epochs
        self.nan_at = nan_at
        self.random_state = random_state

    def fit(self, X, y):
        """Begin anew and run all epochs."""
        self.__dict__.pop("n_epochs_", None)
        for _ in range(self.epochs):
            self.partial_fit(X, y)
        return self

    def partial_fit(self, X, y, classes=None):
        """Run one epoch, or the rest of it."""
        self._begin(y if classes is None else classes)
        self.n_epochs_ += 1
        self.part = 0
        loss = float("nan") if self.n_epochs_ == self.nan_at else 1 / self.n_epochs_
        self.history_["loss"].append(loss)
        self.history_["accuracy"].append(self.share())
        self.history_["seconds"].append(0.5 * self.n_epochs_)
        return self

    def fit_within_epoch(self, X, y, n_rows, share):
        """Run an epoch as far as some rows."""
        self._begin(y)
        self.part = n_rows / len(X)
        self.part_seconds_[share] = 0.5 * self.part
        return self

    def _begin(self, y):
        if not hasattr(self, "n_epochs_"):
            self.n_epochs_ = self.part = 0
            self.part_seconds_ = {}
            self.classes_ = np.unique(y)
            self.history_ = {"loss": [], "accuracy": [], "seconds": []}
            weights = [np.zeros(3)]
            self._state = SimpleNamespace(weights=weights, fitted=weights)

    def share(self):
        """Return the share of rows that are predicted rightly."""
        return min(1.0, self.skill * (self.n_epochs_ + self.part + self.random_state))

    def predict(self, X):
        """Return the label in the first column for a share of the rows, else the other of two."""
        right = np.arange(len(X)) < round(self.share() * len(X))
        return np.where(right, X[:, 0], 1 - X[:, 0]).astype(int)

    def predict_proba(self, X):
        """Return 0.9 for the predicted label and 0.1 for the other."""
        return np.where(self.predict(X)[:, None] == np.array([0, 1]), 0.9, 0.1)

    def at_epoch(self, epoch):
        """Return this estimator as it was."""
        earlier = copy.copy(self)
        earlier.n_epochs_ = epoch
        return earlier

    def named_weights(self):
        """Return one array."""
        return [("dense/kernel", self._state.weights[0])]

    def layer_table(self):
        """Return one layer."""
        return (Layer("dense", "Dense", "(3,)", 3),)


class FakeWinner(FakeClassifier):
    """One that may be refitted: it takes callbacks, and no notice of them."""

    def set_callbacks(self, *callbacks):
        """Take no notice."""
        return self
