"""E6's grid by GridSearchCV over skorch on PyTorch.

python skorch_grid.py e6 N_JOBS, with SWEEP_DATA_HOME and INITIAL_WEIGHTS, an .npz that grid.py
writes; prints one line of JSON. After one epoch of so small a network other initial weights move
the scores by 0.04, which would hide whether both sides train alike.
"""

import json
import os
import sys
import time

BEGAN = time.perf_counter()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from sklearn.model_selection import GridSearchCV, StratifiedKFold  # noqa: E402
from skorch import NeuralNetClassifier  # noqa: E402
from tasks import GRIDS, SPLITS, table, task_rows  # noqa: E402

IMPORTED = time.perf_counter() - BEGAN


class Net(torch.nn.Module):
    """E6's network, from the initial weights that Keras draws for seed 0."""

    def __init__(self, hidden_size=32):
        super().__init__()
        self.hidden = torch.nn.Linear(784, hidden_size)
        self.output = torch.nn.Linear(hidden_size, 10)
        with np.load(os.environ["INITIAL_WEIGHTS"]) as kept, torch.no_grad():
            for name in ("hidden", "output"):
                layer = getattr(self, name)
                layer.weight.copy_(torch.from_numpy(kept[f"{name}_{hidden_size}"].T.copy()))
                layer.bias.zero_()

    def forward(self, x):
        """Return logits."""
        return self.output(torch.relu(self.hidden(x)))


def main(task, n_jobs):
    """Run the grid and print what it took."""
    x, y = task_rows(task)
    x = (np.asarray(x, "float32") / 255).reshape(len(x), -1)
    grid = {"max_epochs": GRIDS[task]["epochs"], "module__hidden_size": GRIDS[task]["hidden_size"]}
    torch.manual_seed(0)
    model = NeuralNetClassifier(
        Net, criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=0.001,
        batch_size=128, train_split=None, verbose=0, iterator_train__shuffle=True,
    )  # fmt: skip
    search = GridSearchCV(
        model, grid, cv=StratifiedKFold(SPLITS[task]), refit=False, n_jobs=n_jobs,
        return_train_score=True,
    )  # fmt: skip
    began = time.perf_counter()
    search.fit(x, y.astype("int64"))
    seconds = time.perf_counter() - began
    print(json.dumps({"import": IMPORTED, "search": seconds, "scores": table(search)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
