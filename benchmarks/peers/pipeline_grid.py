"""The grid over a pipeline by plain GridSearchCV: around SciKeras, or around sweep's classifier.

python pipeline_grid.py scikeras|sweep N_JOBS, with SWEEP_DATA_HOME; prints one line of JSON.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
BEGAN = time.perf_counter()

import keras  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.model_selection import GridSearchCV, StratifiedKFold  # noqa: E402
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from tasks import GRIDS, SPLITS, table, task_rows  # noqa: E402

sys.path.append(str(Path(__file__).resolve().parent.parent))  # pipeline_model


def network(meta, hidden_size):
    """Build the network behind the components."""
    model = keras.Sequential(
        [
            keras.Input((meta["n_features_in_"],)),
            keras.layers.Dense(hidden_size, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def pipeline(kind):
    """Return the pipeline and the names of its searched parameters."""
    if kind == "sweep":
        from pipeline_model import make

        return make(), {"hidden_size": "clf__hidden_size"}
    from scikeras.wrappers import KerasClassifier

    clf = KerasClassifier(network, batch_size=128, verbose=0, random_state=0)
    steps = [("scale", StandardScaler()), ("pca", PCA(random_state=0)), ("clf", clf)]
    return Pipeline(steps), {"hidden_size": "clf__model__hidden_size"}


def main(kind, n_jobs):
    """Run the grid and print what it took."""
    x, y = task_rows("pipeline")
    model, names = pipeline(kind)
    imported = time.perf_counter() - BEGAN
    names |= {"n_components": "pca__n_components", "epochs": "clf__epochs"}
    grid = {names[name]: values for name, values in GRIDS["pipeline"].items()}
    folds = StratifiedKFold(SPLITS["pipeline"])
    search = GridSearchCV(model, grid, scoring="accuracy", cv=folds, refit=False, n_jobs=n_jobs)
    began = time.perf_counter()
    search.fit(x.reshape(len(x), -1), y)
    seconds = time.perf_counter() - began
    print(json.dumps({"import": imported, "search": seconds, "scores": table(search)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
