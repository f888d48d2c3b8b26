"""CPU seconds of a study's training over what its arithmetic alone would take.

python benchmarks/floor.py e6|e1d [--repeats 3], SWEEP_DATA_HOME naming a folder with mnist.npz.

Processes of one thread, one after another: every cell of the study evaluated as a worker does it
(models built and traced, epochs run, scores taken), imports and data left out. The floor is the
multiply-adds of all training steps (forward, weight gradients, and gradients of the inputs of all
layers but the first) and of all scoring, twice each (a multiplication and an addition), over the
rate of the best one-thread float32 product of two 2048 x 2048 matrices in the same run. Exits
with 1 above 3 (e6) or 1.8 (e1d).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

from sweep.training.threads import single_threaded

single_threaded()

from common import processor  # noqa: E402 - threads are set before
from grid import STUDIES  # noqa: E402

from sweep.evaluation.cross_validation import EvaluationRequest, SearchData, evaluate  # noqa: E402
from sweep.evaluation.estimator import make_estimator  # noqa: E402
from sweep.search.plan import cell_layers, make_plan  # noqa: E402
from sweep.search.splits import make_splits  # noqa: E402
from sweep.search.study_data import load_data  # noqa: E402
from sweep.spec import load_study  # noqa: E402
from sweep.workers.__main__ import preload  # noqa: E402

LIMITS = {"e6": (3, 2), "e1d": (1.8, 1.4)}
SIDE = 2048


def main() -> None:
    """Measure in fresh processes, compare the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(LIMITS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        print(json.dumps(once(asked.task)))
        return
    line = [sys.executable, __file__, asked.task, "--once"]
    runs = [json.loads(subprocess.check_output(line, text=True)) for _ in range(asked.repeats)]
    seconds, floor = (statistics.median(run[key] for run in runs) for key in ("seconds", "floor"))
    ratio = statistics.median(run["seconds"] / run["floor"] for run in runs)
    most, aim = LIMITS[asked.task]
    print(f"{asked.task}: {processor()}, medians of {asked.repeats}")
    print(f"{runs[0]['operations'] / 1e9:.0f} G operations, {floor:.2f} s at the matrix rate")
    print(f"{seconds:.2f} CPU s, {ratio:.2f} times that (under {most}, aim {aim})")
    sys.exit(int(ratio >= most))


def once(task: str) -> dict[str, float]:
    """Return operations, seconds at the matrix rate, and CPU seconds."""
    preload()
    spec = load_study(*STUDIES[task])
    dataset = load_data(spec)
    splits = make_splits(spec, dataset.y_train, dataset.groups)
    data = SearchData(dataset.x_train, dataset.y_train, splits)
    operations = sum(counted(spec, cell, data) for cell in make_plan(spec).cells)
    before = matrix_rate()
    seconds = train(spec, data)
    rate = max(before, matrix_rate())
    return {"operations": operations, "floor": operations / rate, "seconds": seconds}


def counted(spec, cell, data) -> float:
    """Return the operations of a cell: training and scoring."""
    shape, classes = data.x.shape[1:], len(set(data.y.tolist()))
    layers = cell_layers(spec, cell.params, shape, classes)
    forward, first = 0, None
    for layer in layers:
        forward += layer.operations(shape)
        first = first or layer.operations(shape)
        shape = layer.output_shape(shape)
    total = 0
    for train, test in data.splits:
        last = max(cell.epochs)
        scored = len(test) * (last if spec.search.curves else len(cell.epochs))
        scored += len(train) * len(cell.epochs) * spec.search.train_scores
        total += last * len(train) * (3 * forward - first) + scored * forward
    return 2.0 * total


def train(spec, data) -> float:
    """Evaluate every cell as a worker does; return CPU seconds."""
    search, began = spec.search, time.process_time()
    for cell in make_plan(spec).cells:
        asked = EvaluationRequest(cell.epochs, search.scoring, search.train_scores, search.curves)
        evaluate(make_estimator(spec, cell.params), data, asked)
    return time.process_time() - began


def matrix_rate() -> float:
    """Return operations a second of the best of ten matrix products."""
    import tensorflow as tf

    a, b = (tf.random.stateless_normal((SIDE, SIDE), (seed, 0)) for seed in (1, 2))
    best = min(_seconds(lambda: tf.matmul(a, b).numpy()) for _ in range(10))
    return 2.0 * SIDE**3 / best


def _seconds(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
