"""A person's own estimators, as a study file may name them."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sweep import KerasMLPClassifier


def tree():
    """Return a plain classifier of scikit-learn, which draws."""
    return DecisionTreeClassifier(max_features=8)


def linear():
    """Return a pipeline that ends in a classifier of scikit-learn."""
    steps = [("scale", StandardScaler()), ("pca", PCA(10)), ("clf", LogisticRegression())]
    return Pipeline(steps)


READY = linear()


def shared():
    """Return the same pipeline at every call."""
    return READY


def ours():
    """Return a pipeline that ends in a classifier of sweep's."""
    clf = KerasMLPClassifier(hidden_size=8, epochs=2, batch_size=16, learning_rate=0.01)
    return Pipeline([("scale", StandardScaler()), ("pca", PCA(10)), ("clf", clf)])


def bare():
    """Return a classifier of sweep's without steps."""
    return KerasMLPClassifier(hidden_size=8, epochs=2, batch_size=16, learning_rate=0.01)


def regressor():
    """Return what is no classifier."""
    return Ridge()


def nothing():
    """Return no estimator."""
    return {"hidden_size": 8}


def shape_of_rows(estimator, X, y):
    """Score by what a scorer sees: the number of features, and whether rows are predicted right."""
    return X.shape[1] + float(np.mean(estimator.predict(X) == y))


def likelihood(estimator, X, y):
    """Score by the probability of the right class, for classifiers that give one."""
    column = np.searchsorted(estimator.classes_, y)
    return float(estimator.predict_proba(X)[np.arange(len(y)), column].mean())


class Careless(ClassifierMixin, BaseEstimator):
    """Draw anew at every fit, whatever the seed."""

    def __init__(self, width=1):
        self.width = width

    def fit(self, X, y):
        """Draw."""
        self.classes_ = np.unique(y)
        self.drawn_ = np.random.default_rng().random(len(self.classes_))
        return self

    def predict(self, X):
        """Say what the sums of rows and draws come to."""
        sums = np.asarray(X, float).reshape(len(X), -1).sum(axis=1)
        return self.classes_[(np.outer(sums, self.drawn_) % 1).argmax(axis=1)]


class Unnamed(BaseEstimator):
    """A classifier that does not say that it is one."""

    def fit(self, X, y):
        """Learn nothing."""
        self.classes_ = np.unique(y)
        return self


class Forgets(Careless):
    """Change a parameter in ``__init__``, so that scikit-learn cannot clone it."""

    def __init__(self, width=1):
        self.width = width + 1


def near():
    """Return a pipeline whose classifier has no probabilities, unless it is told to."""
    return Pipeline([("scale", StandardScaler()), ("clf", SVC())])


def margins():
    """Return a classifier that never has probabilities."""
    return LinearSVC()


def network(X, y, width=8):
    """Build what keras.wrappers takes."""
    import keras

    made = keras.Sequential(
        [
            keras.Input(X.shape[1:]),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(y.shape[1], activation="softmax"),
        ]
    )
    made.compile("adam", "categorical_crossentropy")
    return made


def wrapped():
    """Return Keras's own wrapper."""
    from keras.wrappers import SKLearnClassifier

    return SKLearnClassifier(network, model_kwargs={"width": 4}, fit_kwargs={"verbose": 0})


def scikeras():
    """Return SciKeras's wrapper in a pipeline."""
    from scikeras.wrappers import KerasClassifier

    def build(meta, width=8):
        import keras

        return keras.Sequential(
            [
                keras.Input((meta["n_features_in_"],)),
                keras.layers.Dense(width, activation="relu"),
                keras.layers.Dense(meta["n_classes_"], activation="softmax"),
            ]
        )

    clf = KerasClassifier(
        build, loss="sparse_categorical_crossentropy", optimizer="adam", epochs=2, verbose=0
    )
    return Pipeline([("scale", StandardScaler()), ("clf", clf)])


class Tables(ClassifierMixin, BaseEstimator):
    """Lose a table when it is cloned, as Keras's own wrapper does."""

    def __init__(self, model_kwargs=None, fit_kwargs=None):
        self.model_kwargs = model_kwargs
        self.fit_kwargs = {"verbose": 0} if fit_kwargs is None else fit_kwargs

    def fit(self, X, y):
        """Learn nothing."""
        self.classes_ = np.unique(y)
        return self

    def __sklearn_clone__(self):
        lost = type(self)(model_kwargs=self.model_kwargs)
        lost.fit_kwargs = None
        return lost


def skorch():
    """Return skorch's classifier in a pipeline."""
    import torch
    from skorch import NeuralNetClassifier

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(64, 10)

        def forward(self, x):
            return self.layer(x.float())

    clf = NeuralNetClassifier(Net, criterion=torch.nn.CrossEntropyLoss, train_split=None, verbose=0)
    return Pipeline([("scale", StandardScaler()), ("clf", clf)])
