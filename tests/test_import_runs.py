"""`sweep import` of KerasTuner's projects, and of MLflow's and W&B's runs."""

import csv
import json
import shutil
from pathlib import Path

import commands
import pytest
from commands import read, sweep

from sweep import analysis, open_study, tables

here = commands.here
DATA = Path(__file__).parent / "data" / "imports"
TUNER = DATA / "keras_tuner"


def trials_of(project):
    """KerasTuner's own files, in order."""
    files = sorted((TUNER / project).glob("trial_*/trial.json"))
    return [json.loads(path.read_text("utf-8")) for path in files]


def test_a_random_search_of_kerastuner(here):
    """Candidates, states, scores and ranges are those of its files; it is a page."""
    said = read("import", TUNER / "random")
    assert "ranked by val_accuracy" in said
    result, theirs = open_study("random"), trials_of("random")
    rows = result.record.candidates
    assert [row.params for row in rows] == [t["hyperparameters"]["values"] for t in theirs]
    assert [analysis.mean_score(row) for row in rows] == [t["score"] for t in theirs]
    assert [row.epoch for row in rows] == [t["best_step"] + 1 for t in theirs]
    assert {row.trial.state for row in rows} == {"COMPLETE"}
    losses = [t["metrics"]["metrics"]["val_loss"]["observations"][0]["value"][0] for t in theirs]
    assert result.frame["mean_test_neg_val_loss"].tolist() == [-loss for loss in losses]
    space = result.record.settings.space.dimensions
    assert (space["width"].low, space["width"].high) == (4, 32)
    assert (space["rate"].log, space["optimizer"].values) == (True, ("adam", "sgd"))
    page = result.report(here / "page.html").read_text("utf-8")
    assert "imported: KerasTuner" in page
    assert "inf" not in read("show", "random").split()  # nobody measured the fits
    assert "Fitting in all" not in page
    assert tables.trials_frame(result.record)["fit_seconds"].isna().all()


def test_hyperband_of_kerastuner(here):
    """A loss is negated; trials with fewer epochs are pruned and say which trial went on."""
    read("import", TUNER / "hyperband", "--name", "hb")
    record, theirs = open_study("hb").record, trials_of("hyperband")
    for row, trial in zip(record.candidates, theirs, strict=True):
        values = trial["hyperparameters"]["values"]
        whole = values["tuner/epochs"] == 4
        assert row.trial.state == ("COMPLETE" if whole else "PRUNED")
        assert row.trial.splits[0].test[row.epoch] == -trial["score"]
        assert row.epoch == values["tuner/initial_epoch"] + trial["best_step"] + 1
        assert not any(name.startswith("tuner/") for name in row.params)
    assert "went on with it as trial 0004" in record.candidates[0].trial.reason
    best = min((t for t in theirs if t["hyperparameters"]["values"]["tuner/epochs"] == 4),
               key=lambda t: t["score"])  # fmt: skip
    assert analysis.mean_score(open_study("hb").best) == -best["score"]
    assert analysis.scorer(record) == "neg_val_loss"


@pytest.fixture
def project(here):
    """A copy of a project, to be spoiled."""
    shutil.copytree(TUNER / "random", here / "project")
    return here / "project"


def spoiled(project, number, **changes):
    """Change a trial's file."""
    path = project / f"trial_{number}" / "trial.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}))


def test_failed_and_open_trials_of_kerastuner(project):
    """A failed trial has the last line of its traceback; one that runs is left out."""
    message = "Traceback (most recent call last):\n  File x\nValueError: too wide\n"
    spoiled(project, 0, status="FAILED", score=None, message=message)
    spoiled(project, 1, status="RUNNING", score=None)
    assert "had not ended: 1 trials" in read("import", project)
    rows = open_study("project").record.candidates
    assert [row.trial.state for row in rows] == ["FAIL", *["COMPLETE"] * 4]
    assert rows[0].trial.reason == "ValueError: too wide"


def test_bad_projects_are_told_whole(project, here):
    """Every problem with its file, nothing followed, nothing left behind."""
    spoiled(project, 0, status="DONE")
    spoiled(project, 1, hyperparameters={"values": [], "space": []})
    (project / "trial_2" / "trial.json").write_text("[" * 50_000)
    (project / "trial_3" / "trial.json").unlink()
    (project / "trial_3" / "trial.json").symlink_to("/etc/passwd")
    refused = sweep("import", "project")
    assert refused.exit_code == 2
    for line in (
        "project: 4 problems",
        "trial_0/trial.json: status: must be one of COMPLETED",
        "trial_1/trial.json: hyperparameters.values: must be dict, got '[]'",
        "trial_2/trial.json: no JSON",
        "trial_3/trial.json: must be an ordinary file",
    ):
        assert line in refused.output
    assert "root:" not in refused.output
    assert not (here / ".sweep").exists()


def test_a_score_that_is_no_metric_is_refused(project):
    """Which metric ranks cannot be guessed; neither can its direction."""
    spoiled(project, 0, score=0.123)
    refused = sweep("import", "project")
    assert (refused.exit_code, "none of accuracy" in refused.output) == (2, True)
    assert sweep("import", "project", "--score", "val_loss").exit_code == 2
    assert "no trial_*/trial.json" in sweep("import", ".").output


def test_runs_of_mlflow(here):
    """Parameters, states, both metrics and times of the runs; the oldest first."""
    refused = sweep("import", DATA / "mlflow.csv")
    assert "--score, one of val_loss, val_accuracy" in refused.output
    read("import", DATA / "mlflow.csv", "--score", "val_accuracy", "--name", "runs")
    result = open_study("runs")
    theirs = list(csv.DictReader((DATA / "mlflow.csv").read_text("utf-8").splitlines()))[::-1]
    rows = result.record.candidates
    assert [r.params["width"] for r in rows] == [int(t["params.width"]) for t in theirs]
    assert [r.params.get("note") for r in rows] == ["=1+1"] * 3 + [None]
    assert [r.trial.state for r in rows] == ["COMPLETE"] * 3 + ["FAIL"]
    assert rows[3].trial.reason == "the run failed"
    scores = [float(t["metrics.val_accuracy"]) for t in theirs[:3]]
    assert [analysis.mean_score(row) for row in rows[:3]] == scores
    losses = [float(t["metrics.val_loss"]) for t in theirs[:3]]
    assert result.frame["mean_test_val_loss"].tolist()[:3] == losses
    assert result.frame["mean_fit_time"].astype(float)[:3].gt(0).all()
    page = result.report(here / "page.html").read_text("utf-8")
    assert "imported: MLflow" in page
    read("import", DATA / "mlflow.csv", "--score", "val_loss", "--minimize", "--name", "loss")
    assert analysis.mean_score(open_study("loss").best) == -min(losses)


WANDB = (
    '"Name","State","Notes","Tags","Created","Runtime","lr","optimizer","val_acc"\n'
    '"a","finished","-","","2026-11-27T10:00:00.000Z","61","0.1","sgd","0.81"\n'
    '"b","crashed","-","","2026-11-27T11:00:00.000Z","10","0.5","sgd",""\n'
    '"c","finished","-","","2026-11-27T12:00:00.000Z","62","0.01","adam","0.93"\n'
    '"d","running","-","","2026-11-27T13:00:00.000Z","5","0.02","adam","0.5"\n'
)


def test_the_table_of_wandbs_page(here):
    """It does not say what is a parameter: the person does."""
    (here / "wandb.csv").write_text(WANDB)
    refused = sweep("import", "wandb.csv")
    assert (refused.exit_code, "--score NAME --params A,B" in refused.output) == (2, True)
    wrong = sweep("import", "wandb.csv", "--score", "val_ac", "--params", "lr")
    assert (wrong.exit_code, "val_acc" in wrong.output) == (2, True)
    said = read("import", "wandb.csv", "--score", "val_acc", "--params", "lr,optimizer")
    assert "had not ended: 1 runs" in said
    rows = open_study("wandb").record.candidates
    assert [row.params for row in rows] == [
        {"lr": 0.1, "optimizer": "sgd"}, {"lr": 0.5, "optimizer": "sgd"},
        {"lr": 0.01, "optimizer": "adam"},
    ]  # fmt: skip
    assert [analysis.mean_score(row) for row in rows] == [0.81, None, 0.93]
    assert rows[1].trial.reason == "the run crashed"


def test_the_table_of_wandbs_guide(here):
    """Dicts as Python writes them: read, never executed; a loss that is no number is a failure."""
    summaries = ["{'val_loss': 0.4, 'epoch': 3, '_step': 9}", "{'val_loss': nan, 'epoch': 1}"]
    configs = ["{'lr': 0.1}", "{'lr': 0.9, '_wandb': {}}"]
    pairs = zip(summaries, configs, "ab", strict=True)
    rows = [{"summary": s, "config": c, "name": n} for s, c, n in pairs]
    _write(here / "project.csv", rows)
    read("import", "project.csv", "--score", "val_loss", "--minimize")
    found = open_study("project").record.candidates
    assert [row.params for row in found] == [{"lr": 0.1}, {"lr": 0.9}]
    assert [analysis.mean_score(row) for row in found] == [-0.4, None]
    rows[1]["config"] = "__import__('os').system('touch pwned')"
    _write(here / "bad.csv", rows)
    refused = sweep("import", "bad.csv", "--score", "val_loss")
    assert (refused.exit_code, "row 2, config: must be a dict" in refused.output) == (2, True)
    assert not (here / "pwned").exists()


def test_bad_runs_are_told_whole(here):
    """A number, a time and a state that are none: each with its row."""
    text = WANDB.replace('"0.81"', '"high"').replace("2026-11-27T12:00:00.000Z", "noon")
    (here / "runs.csv").write_text(text.replace('"crashed"', '"asleep"'))
    refused = sweep("import", "runs.csv", "--score", "val_acc", "--params", "lr")
    assert refused.exit_code == 2
    for line in ("runs.csv: 3 problems", "row 1, val_acc: must be a number, got 'high'",
                 "row 2, status: must be one of", "row 3: must have ISO"):  # fmt: skip
        assert line in refused.output
    assert not (here / ".sweep").exists()
    for option in ("--scoring=accuracy", "--repeats=2"):
        refused = sweep("import", "runs.csv", "--score", "val_acc", "--params", "lr", option)
        assert (refused.exit_code, "only for cv_results_" in refused.output) == (2, True)


def _write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
