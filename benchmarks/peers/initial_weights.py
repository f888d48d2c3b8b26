"""The initial weights that Keras draws for seed 0 in E6's networks, for another library to begin from.

python initial_weights.py FILE.npz
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from scikeras_grid import mlp  # noqa: E402
from tasks import GRIDS  # noqa: E402


def main(path):
    """Write kernel by kernel."""
    kept = {}
    for size in GRIDS["e6"]["hidden_size"]:
        keras.utils.set_random_seed(0)
        weights = mlp(size).get_weights()
        kept[f"hidden_{size}"], kept[f"output_{size}"] = weights[0], weights[2]
    np.savez(path, **kept)


if __name__ == "__main__":
    main(sys.argv[1])
