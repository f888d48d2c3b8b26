"""Write mlflow.csv anew: python write_mlflow.py FILE, where mlflow is installed."""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import mlflow

with tempfile.TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"sqlite:///{Path(folder) / 'mlflow.db'}")
    mlflow.set_experiment("widths")
    for number, (width, optimizer) in enumerate([(16, "adam"), (32, "adam"), (64, "sgd")]):
        with mlflow.start_run(run_name=f"run-{number}"):
            mlflow.log_params({"width": width, "optimizer": optimizer, "note": "=1+1"})
            for epoch in range(3):
                mlflow.log_metric("val_accuracy", 0.8 + number / 50 + epoch / 100, step=epoch)
                mlflow.log_metric("val_loss", 0.6 - number / 50 - epoch / 100, step=epoch)
    with suppress(ZeroDivisionError), mlflow.start_run(run_name="run-3"):
        mlflow.log_params({"width": 128, "optimizer": "sgd"})
        1 / 0  # noqa: B018 - a run that fails
    mlflow.search_runs().to_csv(sys.argv[1], index=False)
