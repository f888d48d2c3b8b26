"""From a study to a scikit-learn pipeline, and the report beside it.

Run it: python examples/study_to_pipeline.py (scikit-learn's bundled digits).
"""

# %% A study: a sampler looks for settings of a small convolutional network.
from pathlib import Path

from sklearn.inspection import permutation_importance
from sklearn.metrics import classification_report
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sweep import KerasCNNClassifier, load_dataset, run_study

result = run_study(
    {
        "study": {"name": "digits-cnn"},
        "data": {"dataset": "digits", "scaling": "unit"},
        "model": {"factory": "cnn", "epochs": 6},
        "search": {"method": "tpe", "trials": 6, "validation": 0.2},
        "space": {
            "filters": [4, 8, 16],
            "dense_width": {"int": [16, 64], "log": True},
            "learning_rate": {"float": [1e-3, 3e-2], "log": True},
        },
    },
    n_jobs=1,
)
print(result.frame[["param_filters", "mean_test_score", "rank_test_score"]].to_string())

# %% The report: one file, to look at and to mail.
report = result.report("digits-cnn.html")
print("report:", report, f"{Path(report).stat().st_size / 1000:.0f} kB")

# %% The winner's settings in a pipeline of your own: the names are the estimator's parameters.
digits = load_dataset("digits")
X, X_test = (rows.reshape(len(rows), -1) for rows in (digits.x_train, digits.x_test))
cnn = KerasCNNClassifier(image_shape=(8, 8), epochs=6, padding="same", random_state=0)
pipeline = make_pipeline(MinMaxScaler(), cnn.set_params(**result.best_params_))
pipeline.fit(X, digits.y_train)
print(classification_report(digits.y_test, pipeline.predict(X_test), digits=3))

# %% Or the refitted winner itself, as any fitted estimator.
winner = result.best_estimator_
print(f"test: {winner.score(digits.x_test, digits.y_test):.4f}")

# %% Which pixels matter? scikit-learn's own inspection.
found = permutation_importance(
    pipeline, X_test[:100], digits.y_test[:100], n_repeats=2, random_state=0
)
print("most important pixel (row, column):", divmod(int(found.importances_mean.argmax()), 8))
