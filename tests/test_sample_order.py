"""A row's probabilities depend on the row alone, not on its place or its company."""

import numpy as np
import pytest
from sklearn.utils._testing import assert_allclose_dense_sparse

from sweep import KerasClassifier, KerasCNNClassifier, KerasMLPClassifier, load_dataset

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=200, test_rows=300)
X, Y, TEST = DIGITS.x_train, DIGITS.y_train, DIGITS.x_test
WORDS = {"epochs": 1, "random_state": 0, "scaling": "unit"}
SIZES = (*range(1, 50), 63, 64, 65, 96, 100, 127, 128, 191, 239, 240, 241, 255, 256, 257, 287, 300)


@pytest.mark.parametrize(
    "model",
    [
        KerasMLPClassifier(hidden_size=37, activation="tanh", **WORDS),
        KerasCNNClassifier(filters=7, dense_width=37, batch_norm="after", **WORDS),
        KerasClassifier("all_conv", filters=5, dense_width=11, **WORDS),
        KerasMLPClassifier(hidden_size=13, fast=False, **WORDS),
    ],
    ids=["mlp", "cnn", "all_conv", "plain"],
)
@pytest.mark.parametrize("classes", [3, 10])
def test_neither_place_nor_company_changes_a_row(model, classes):
    """To the tolerance of scikit-learn's own check, which is that of equal numbers."""
    model.fit(X, np.minimum(Y, classes - 1))
    whole = model.predict_proba(TEST)
    for size in SIZES:
        parts = [
            model.predict_proba(TEST[i : i + size]) for i in range(0, min(300, 3 * size), size)
        ]
        found = np.concatenate(parts)
        assert_allclose_dense_sparse(found, whole[: len(found)], atol=1e-9)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(300)
        assert_allclose_dense_sparse(model.predict_proba(TEST[order]), whole[order], atol=1e-9)
