"""Memory of one process over 200 fits of 16 architectures in random order.

python benchmarks/memory.py [--fits 200] [--shapes 16]; scikit-learn's digits. Prints MB after the
first 20 fits, at the end, and at the peak; exits with 1 if it grew by 50 MB or more.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import sys

from sweep.training.threads import single_threaded

single_threaded()

from sweep import KerasMLPClassifier, load_dataset  # noqa: E402 - threads are set before
from sweep.workers.loop import resident_bytes  # noqa: E402

WARM_UP = 20
ALLOWED = 50


def main() -> None:
    """Fit, and watch the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--shapes", type=int, default=16)
    asked = parser.parse_args()
    data = load_dataset("digits")
    draw = random.Random(0)
    order = [*range(asked.shapes), *(draw.randrange(asked.shapes) for _ in range(asked.fits))]
    early = 0
    for count, shape in enumerate(order[: asked.fits], 1):
        model = KerasMLPClassifier(hidden_size=16 + shape, epochs=2, random_state=count)
        model.fit(data.x_train, data.y_train).predict(data.x_test)
        gc.collect()
        if count == WARM_UP:
            early = resident_bytes()
    grown = (resident_bytes() - early) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{asked.fits} fits over {asked.shapes} shapes: {early / 1e6:.0f} MB after {WARM_UP}")
    print(f"grown since by {grown:.1f} MB (allowed {ALLOWED}); peak {peak:.0f} MB")
    sys.exit(int(grown >= ALLOWED))


if __name__ == "__main__":
    main()
