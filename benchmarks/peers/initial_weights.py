"""The initial weights that Keras draws for seed 0 in E6's networks, for another library.

python initial_weights.py FILE.npz
"""

import sys

import keras
import numpy as np
from scikeras_grid import mlp
from tasks import GRIDS


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
