"""The pipeline of benchmarks/pipeline.py, with a classifier of sweep's."""

from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sweep import KerasMLPClassifier


def make():
    """Return it, unfitted."""
    clf = KerasMLPClassifier(batch_size=128, random_state=0)
    return Pipeline([("scale", StandardScaler()), ("pca", PCA(random_state=0)), ("clf", clf)])
