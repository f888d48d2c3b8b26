"""What further scorers cost: the prediction is made once, whatever they are.

SWEEP_DATA_HOME=... python benchmarks/scorers.py
"""

from __future__ import annotations

import time

import numpy as np

from sweep import KerasMLPClassifier, load_dataset
from sweep.evaluation.scoring import Scoring

LISTS = (
    ("accuracy",),
    ("accuracy", "f1_macro"),
    ("accuracy", "f1_macro", "roc_auc_ovr"),
    ("accuracy", "f1_macro", "roc_auc_ovr", "neg_log_loss"),
)
ROUNDS = 30


def main() -> None:
    """Print the milliseconds of CPU of an epoch over 4,800 rows, and of scoring 1,200 rows."""
    data = load_dataset("mnist", train_rows=6000, test_rows=1200)
    x, y = data.x_train[:4800], data.y_train[:4800]
    held = data.x_train[4800:], data.y_train[4800:]
    model = KerasMLPClassifier(hidden_size=64, epochs=1, scaling="unit", random_state=0)
    model.partial_fit(x, y)
    epochs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        model.partial_fit(x, y)
        epochs.append(time.process_time() - began)
    print(f"an epoch over 4,800 rows: {1000 * np.median(epochs):.1f} ms of CPU")
    for names in LISTS:
        score = Scoring(names, data.y_train)
        spent = []
        for _ in range(ROUNDS):
            began = time.process_time()
            score(model, *held, 5)
            spent.append(time.process_time() - began)
        print(f"{', '.join(names)}: {1000 * np.median(spent):.1f} ms of CPU")


if __name__ == "__main__":
    main()
