"""A network in a pipeline, its settings suggested by Optuna, its score by nested cross-validation.

Run it: python examples/optuna_search.py (scikit-learn's bundled digits).
"""

# %% The data and the pipeline: as in any scikit-learn code.
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from sweep import KerasMLPClassifier, OptunaSearchCV, load_dataset

digits = load_dataset("digits")
X, y = digits.x_train.reshape(len(digits.x_train), -1), digits.y_train
X_test, y_test = digits.x_test.reshape(len(digits.x_test), -1), digits.y_test
mlp = KerasMLPClassifier(epochs=6, random_state=0)
pipeline = Pipeline([("scale", MinMaxScaler()), ("mlp", mlp)])

# %% The space: as in a study file, with names that reach into the pipeline.
space = {
    "mlp__hidden_size": {"int": [16, 128], "log": True},
    "mlp__learning_rate": {"float": [1e-3, 1e-1], "log": True},
    "mlp__optimizer": ["adam", "sgd"],
    "mlp__momentum": {"float": [0.5, 0.95], "when": {"mlp__optimizer": "sgd"}},
}

# %% The search: used as GridSearchCV.
search = OptunaSearchCV(pipeline, space, n_trials=8, cv=3, random_state=0)
search.fit(X, y)
print("best:", search.best_params_, f"{search.best_score_:.4f}")
print(f"test: {search.score(X_test, y_test):.4f}")

# %% The best of several scores flatters; a search inside cross-validation does not.
nested = OptunaSearchCV(pipeline, space, n_trials=4, cv=2, random_state=0)
print(f"nested: {cross_val_score(nested, X, y, cv=3).mean():.4f}")
