"""Results hold on other processors: with AVX-512 and without it, which oneDNN can be told."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sweep.evaluation.cross_validation import EvaluationRequest, SearchData, evaluate
from sweep.evaluation.estimator import make_estimator
from sweep.ledger.scores import mean_split_score
from sweep.search.plan import make_plan
from sweep.search.splits import make_splits
from sweep.search.study_data import load_data
from sweep.spec import load_study

pytestmark = pytest.mark.tensorflow

SMALL = (
    "data.train_rows=600", "data.test_rows=100", "search.cv=2", "space.epochs=[1,2]",
    "space.hidden_size=[32,64]", "model.learning_rate=0.01",
)  # fmt: skip
"""What makes E6, the study mnist-mlp-grid, a matter of seconds."""

GOLDEN = {
    "digits": {
        (32, 1): (0.221667, 2.145682),
        (32, 2): (0.483333, 1.939674),
        (64, 1): (0.490000, 1.970439),
        (64, 2): (0.636667, 1.634878),
    },
    "mnist": {
        (32, 1): (0.608333, 1.520067),
        (32, 2): (0.708333, 1.037965),
        (64, 1): (0.625000, 1.320105),
        (64, 2): (0.765000, 0.837242),
    },
}
"""Held-out accuracy and loss by hidden_size and epochs."""


def table(dataset, home=None):
    """Return the means of the small E6, without a ledger and without workers."""
    spec = load_study("mnist-mlp-grid", set_=[f'data.dataset="{dataset}"', *SMALL])
    rows = load_data(spec, home)
    data = SearchData(rows.x_train, rows.y_train, make_splits(spec, rows.y_train))
    found = {}
    for cell in make_plan(spec).cells:
        splits = evaluate(
            make_estimator(spec, cell.params), data, EvaluationRequest(cell.epochs)
        ).splits
        for epoch in cell.epochs:
            loss = float(np.mean([split.losses[epoch] for split in splits]))
            found[cell.params["hidden_size"], epoch] = (mean_split_score(splits, epoch), loss)
    return found


@pytest.mark.parametrize("dataset", GOLDEN)
def test_the_table_of_a_grid_is_the_same_everywhere(dataset, request):
    """Losses to a hundred-thousandth, scores to one row of the 600."""
    home = request.getfixturevalue("data_home") if dataset == "mnist" else None
    found = table(dataset, home)
    assert list(found) == list(GOLDEN[dataset])
    for at, (score, loss) in GOLDEN[dataset].items():
        assert found[at][0] == pytest.approx(score, abs=1.01 / 600)
        assert found[at][1] == pytest.approx(loss, rel=1e-5)


@pytest.mark.skipif("SWEEP_OTHER_PROCESSOR" in os.environ, reason="this is the other processor")
def test_scikit_learns_checks_and_that_table_hold_on_the_other_kind_of_processor():
    """What the tests find here they find with oneDNN's AVX2 in place of AVX-512, and back."""
    here = Path(__file__)
    words = [f"{here.with_name('test_estimators.py')}::test_scikit_learns_own_checks", str(here)]
    other = "DEFAULT" if os.environ.get("ONEDNN_MAX_CPU_ISA") == "AVX2" else "AVX2"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *words],
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": other, "SWEEP_OTHER_PROCESSOR": "1"},
        cwd=here.parent.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert " passed" in ran.stdout
