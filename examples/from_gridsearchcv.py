"""One grid, three ways: GridSearchCV over SciKeras, over our estimator, and as a study.

Run it: python examples/from_gridsearchcv.py (scikit-learn's bundled digits, about a minute).
"""

# %% The data: 8x8 handwritten digits.
import time
import warnings

import keras
import pandas as pd
from scikeras.wrappers import KerasClassifier as SciKerasClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sweep import KerasMLPClassifier, load_dataset, run_study

digits = load_dataset("digits")
X, y = digits.x_train, digits.y_train
folds = StratifiedKFold(3)  # SciKeras is no classifier to scikit-learn 1.9: cv=3 would not stratify
grid = {"epochs": [2, 10], "hidden_size": [16, 32]}


# %% As you know it: a function that builds the network, and SciKeras around it.
def build(hidden_size):
    """Build one hidden layer."""
    layers = [
        keras.Input((8, 8)),
        keras.layers.Flatten(),
        keras.layers.Dense(hidden_size, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
    return keras.Sequential(layers)


warnings.filterwarnings("ignore", category=FutureWarning)
began = time.perf_counter()
known = GridSearchCV(
    SciKerasClassifier(
        build, loss="sparse_categorical_crossentropy", optimizer="adam", hidden_size=16,
        batch_size=32, random_state=0, verbose=0,
    ),
    grid, cv=folds, scoring="accuracy", refit=False, error_score="raise",
)  # fmt: skip
known.fit(X.astype("float32") / X.max(), y)
print(f"GridSearchCV over SciKeras: {time.perf_counter() - began:.1f} s")

# %% The same search over our estimator: nothing else changes.
began = time.perf_counter()
ours = GridSearchCV(KerasMLPClassifier(scaling="unit", random_state=0), grid, cv=3)
ours.fit(X, y)
print(f"GridSearchCV over KerasMLPClassifier: {time.perf_counter() - began:.1f} s")

# %% As a study: kept, continued after an interruption, reported.
began = time.perf_counter()
study = run_study(
    {
        "study": {"name": "from-gridsearchcv"},
        "data": {"dataset": "digits", "scaling": "unit"},
        "model": {"factory": "mlp"},
        "search": {"method": "grid", "cv": 3},
        "space": grid,
    }
)
print(f"the study, winner refitted: {time.perf_counter() - began:.1f} s")

# %% The three tables side by side: mean held-out accuracy.
keys = ["param_epochs", "param_hidden_size"]
sides = {
    "scikeras": pd.DataFrame(known.cv_results_),
    "estimator": pd.DataFrame(ours.cv_results_),
    "study": study.frame,
}
table = pd.concat(
    {name: side.set_index(keys)["mean_test_score"] for name, side in sides.items()}, axis=1
)
print(table.round(4).to_string())
print("estimator and study agree to the last bit:", table["estimator"].equals(table["study"]))

# %% The answer, and how good it is on rows that nobody has looked at.
print("best:", study.best_params_)
print(f"test: {study.test_score_:.4f}")
