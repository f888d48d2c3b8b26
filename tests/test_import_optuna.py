"""`sweep import optuna`: studies that Optuna itself wrote, as studies of the ledger."""

import pickle

import commands
import optuna
import pytest
from commands import read, sweep
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from sweep import analysis, open_study, tables

here = commands.here
STATES = {"COMPLETE": "COMPLETE", "PRUNED": "PRUNED", "FAIL": "FAIL"}


class Attack:
    """What CMA-ES keeps in a database is a pickle: this one leaves a file where it is loaded."""

    def __reduce__(self):
        return (open, ("pwned", "w"))


def database(here):
    """The address of a database of Optuna's own."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return f"sqlite:///{here / 'optuna.db'}"


def imported(here, study, *words):
    """Import a study; return the result and what was said."""
    said = read("import", "optuna", "--storage", database(here), "--study", study, *words)
    return open_study(study), said


def curved(trial):
    """An accuracy that grows by epoch: pruned trials, failed ones, a condition, a list."""
    width = trial.suggest_int("width", 4, 64, log=True)
    rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    kind = trial.suggest_categorical("kind", ["sgd", "adam", None])
    if kind == "sgd":
        trial.suggest_float("momentum", 0.0, 0.9)
    if trial.number % 9 == 8:
        raise ArithmeticError("no luck")
    for epoch in range(4):
        score = 0.5 + width / 200 - rate + epoch / 50
        trial.report(score, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return score


def as_written(params):
    """Parameters as a study holds them."""
    return {name: "None" if value is None else value for name, value in params.items()}


def test_any_sampler_with_pruned_and_failed_trials(here):
    """Candidates, states, values and curves are equal; report, pivots and importances are there."""
    study = optuna.create_study(
        study_name="curves", storage=database(here), direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=5),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
    )  # fmt: skip
    study.optimize(curved, n_trials=24, catch=ArithmeticError)
    study.ask()  # a trial that runs
    result, said = imported(here, "curves")
    assert "left out, because they had not ended: 1 trials" in said
    theirs = [trial for trial in study.trials if trial.state.is_finished()]
    mine = [row.trial for row in result.record.candidates]
    assert [t.state for t in mine] == [t.state.name for t in theirs]
    assert {"COMPLETE", "PRUNED", "FAIL"} == {t.state for t in mine}
    assert [dict(t.params) for t in mine] == [as_written(t.params) for t in theirs]
    for own, other in zip(mine, theirs, strict=True):
        reported = {step + 1: value for step, value in other.intermediate_values.items()}
        assert own.splits[0].test == reported if own.splits else not reported or own.state == "FAIL"
        assert own.started.timestamp() == pytest.approx(other.datetime_start.timestamp())
    assert analysis.mean_score(result.best) == pytest.approx(study.best_value, abs=0)
    assert result.best_params_ == as_written(study.best_params)
    space = result.record.settings.space.dimensions
    assert (space["width"].low, space["width"].high, space["width"].log) == (4, 64, True)
    assert result.record.importances is not None
    page = result.report(here / "page.html").read_text("utf-8")
    assert 'id="curves"' in page
    assert "imported: Optuna" in page
    assert result.pivot("kind").mean.notna().any().any()
    assert "curves" in read("list")


def test_what_is_minimized_is_negated_and_named(here):
    """A loss becomes neg_..., equal but for the sign; the best stays the best."""
    study = optuna.create_study(study_name="loss", storage=database(here))
    study.set_metric_names(["val loss"])
    study.optimize(lambda t: (t.suggest_float("x", -1, 1) - 0.2) ** 2, n_trials=12)
    result, said = imported(here, "loss")
    assert "minimized, so negated here: neg_val_loss" in said
    assert analysis.mean_score(result.best) == -study.best_value
    assert result.best_params_ == study.best_params
    assert analysis.scorer(result.record) == "neg_val_loss"


def test_several_objectives_have_their_pareto_set(here):
    """The trials that Optuna calls best are those of our Pareto set; both values are shown."""
    study = optuna.create_study(
        study_name="two", storage=database(here), directions=["maximize", "minimize"],
        sampler=optuna.samplers.RandomSampler(seed=0),
    )  # fmt: skip
    study.set_metric_names(["accuracy", "latency"])

    def objective(trial):
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        return x + y / 3, x**2 + y

    study.optimize(objective, n_trials=25)
    result, _ = imported(here, "two")
    front = tables.pareto(result.record)
    assert sorted(front["candidate"]) == sorted(trial.number for trial in study.best_trials)
    frame = tables.objectives_frame(result.record).sort_values("candidate")
    assert frame["mean_test_score"].tolist() == [t.values[0] for t in study.trials]
    assert frame["neg_latency"].tolist() == [-t.values[1] for t in study.trials]
    page = result.report(here / "page.html").read_text("utf-8")
    assert "Score against neg_latency" in page
    assert "neg_latency" in read("best", "two", "--pareto")
    assert "two" in read("list")


def test_constraints_and_values_that_are_not_the_last_reported(here):
    """An infeasible trial is not ranked; a best-of-all-epochs value is kept, without a curve."""

    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        trial.set_constraint("half", x - 0.5)
        for step, value in enumerate((x, x + 1, x)):
            trial.report(value, step)
        return x + 1

    study = optuna.create_study(
        study_name="bound", storage=database(here), direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=0),
    )  # fmt: skip
    study.optimize(objective, n_trials=12)
    result, said = imported(here, "bound")
    assert "without a curve" in said
    for row, trial in zip(result.record.candidates, study.trials, strict=True):
        feasible = trial.params["x"] <= 0.5
        assert row.trial.state == ("COMPLETE" if feasible else "PRUNED")
        assert row.trial.splits[0].test[row.epoch] == trial.value
    assert result.best_params_["x"] <= 0.5


def test_the_database_is_only_read(here):
    """Not a byte of Optuna's file changes, and a pickle in it is not loaded."""
    study = optuna.create_study(study_name="s", storage=database(here), direction="maximize")
    attack = pickle.dumps(Attack()).hex()

    def objective(trial):
        study._storage.set_trial_system_attr(trial._trial_id, "cma:optimizer:0", attack)
        return trial.suggest_float("x", 0, 1)

    study.optimize(objective, n_trials=3)
    study._storage.remove_session()
    before = (here / "optuna.db").read_bytes()
    imported(here, "s")
    assert (here / "optuna.db").read_bytes() == before
    assert not (here / "pwned").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--study", "s"], "optuna needs --storage"),
        (["--storage", "optuna.db"], "optuna needs --storage"),
        (["--storage", "optuna.db", "--study", "t"], "no study named 't'; there are: s."),
        (["--storage", "optuna.db", "--study", "s"], "no trial of this study has ended"),
        (["--storage", "none.db", "--study", "s"], "none.db"),
        (["--storage", "text.db", "--study", "s"], "text.db"),
        (["--storage", "optuna.db", "--study", "s", "--minimize"], "--minimize"),
        (["--storage", "postgresql://me:secret@db/x", "--study", "s"], "password"),
    ],
)
def test_what_cannot_be_read_is_told(here, words, said):
    """Status 2, no traceback, no password, no ledger."""
    optuna.create_study(study_name="s", storage=database(here))
    (here / "text.db").write_text("no database")
    refused = sweep("import", "optuna", *words)
    assert (refused.exit_code, said in refused.output) == (2, True), refused.output
    assert "secret" not in refused.output
    assert "Traceback" not in refused.output
    assert not (here / ".sweep").exists()


def test_a_study_of_sweeps_own_is_none_of_optunas(here):
    """It is read where it is."""
    from ledgers import build

    build(here / "l.db", "tiny")
    refused = sweep("import", "optuna", "--storage", "l.db", "--study", "tiny")
    assert (refused.exit_code, "is a study of sweep's own" in refused.output) == (2, True)


@pytest.fixture
def journal(here):
    """A journal that Optuna wrote, and the study in it."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = here / "optuna.log"
    storage = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.create_study(
        study_name="curves", storage=storage, direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
        sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=5),
    )  # fmt: skip
    study.optimize(curved, n_trials=24, catch=ArithmeticError)
    return path, study


def test_a_journal_is_read_as_a_database_is(here, journal):
    """States, parameters, values and curves are equal; the file stays as it is, no lock appears."""
    path, study = journal
    before, names = path.read_bytes(), sorted(here.iterdir())
    path.chmod(0o444)
    read("import", "optuna", "--storage", str(path), "--study", "curves")
    assert path.read_bytes() == before
    assert {each for each in here.iterdir() if each not in names} <= {here / ".sweep"}
    database(here)
    optuna.copy_study(
        from_study_name="curves", from_storage=study._storage, to_storage=database(here)
    )
    read("import", "optuna", "--storage", database(here), "--study", "curves", "--name", "again")
    one, other = (tables.trials_frame(open_study(n).record) for n in ("curves", "again"))
    same = [name for name in one if name not in ("number", "started", "finished", "study")]
    assert len(one) == len(study.trials)
    assert one[same].equals(other[same])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: [lines[0][:20], *lines[1:]], "is no journal of Optuna's"),
        (lambda lines: ["{}", *lines], "is no journal of Optuna's"),
        (lambda lines: ['{"op_code": 99}', *lines], "is no journal of Optuna's"),
        (lambda lines: lines[:1], "no trial of this study has ended"),
    ],
)
def test_a_damaged_journal_is_told(here, journal, damage, said):
    """In one message, without a traceback; nothing is imported."""
    path, _ = journal
    path.write_text("\n".join(damage(path.read_text().splitlines())) + "\n")
    done = sweep("import", "optuna", "--storage", str(path), "--study", "curves")
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (here / ".sweep").exists()
