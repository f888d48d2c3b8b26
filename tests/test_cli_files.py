"""Commands around the ledger: models, data, init, delete, check, and a finished run."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import commands
import pytest
from commands import broken, process, read, sweep
from ledgers import DATA, build, with_folder

from sweep.ledger.ledger import Ledger
from sweep.storage.locations import artifacts_folder
from sweep.study.estimate import Estimate
from sweep.study.tried_models import TriedModels

HEAVY = ("numpy", "pandas", "optuna", "sklearn", "tensorflow", "keras", "scipy", "matplotlib")


here, ledger = commands.here, commands.ledger


def test_models():
    """`models` names every factory with its parameters and defaults."""
    from sweep.models import FACTORIES, factory_parameters

    listed = {model["name"]: model for model in json.loads(read("models", "--format", "json"))}
    assert set(FACTORIES) < set(listed)
    for name in FACTORIES:
        assert set(listed[name]["parameters"]) == set(factory_parameters(name))
    assert listed["cnn"]["parameters"]["padding"] == "same"
    assert "hidden_size=128" in read("models")


@pytest.mark.parametrize("columns", [50, 80])
def test_models_indents_what_it_wraps(here, monkeypatch, columns):
    """Only a model's name stands at the left edge; nothing is wider than the terminal."""
    from sweep.models import FACTORIES

    monkeypatch.setenv("COLUMNS", str(columns))
    lines = [line for line in read("models").splitlines() if line]
    left = [line.partition("  ")[0] for line in lines if not line.startswith(" ")]
    assert left == [*FACTORIES, "(every model)"]
    assert max(map(len, lines)) <= columns


def test_data_sources(here):
    """`data` says where each dataset would come from."""
    for folder in ("home", "keras/datasets"):
        Path(folder).mkdir(parents=True)
    Path("home/mnist.npz").touch()
    Path("keras/datasets/cifar10.npz").touch()
    rows = json.loads(read("data", "--data-home", "home", "--format", "json"))
    assert {row["name"]: row["source"] for row in rows} == {
        "cifar10": "Keras cache",
        "digits": "bundled",
        "fashion_mnist": "download",
        "mnist": "data home",
    }


def test_data_home_must_exist(here):
    """A mistyped data home is refused."""
    assert sweep("data", "--data-home", "nowhere").exit_code == 2


def test_data_of_one():
    """`data NAME` counts rows and classes and gives the fingerprint."""
    facts = json.loads(read("data", "digits", "--format", "json"))
    assert (facts["train_rows"], facts["test_rows"], facts["shape"]) == (1437, 360, [8, 8])
    assert sum(facts["classes"].values()) == 1437
    assert facts["fingerprint"] in read("data", "digits")


def test_data_of_one_that_takes_too_much_memory(here, monkeypatch):
    """It is read through a file beside the ledger, where a study finds it; the facts are equal."""
    before = json.loads(read("data", "digits", "--format", "json"))
    monkeypatch.setattr("sweep.datasets.mapped_store.free_memory", lambda: 1000)
    facts = json.loads(read("data", "digits", "--format", "json"))
    assert any("are read from the disk" in note for note in facts["notes"])
    assert {**facts, "notes": before["notes"]} == before
    (one, other) = Path(".sweep/artifacts/mapped-rows").glob("*/rows")
    assert one.stat().st_size + other.stat().st_size == 1797 * 64


def test_data_unknown():
    """A mistyped dataset gets a suggestion."""
    assert "did you mean digits?" in sweep("data", "digit").stderr


def test_init_writes_a_study_that_holds(here):
    """`init` writes a file that `check` accepts, and tells the next command."""
    assert "next: sweep check my/study.toml" in read("init", "my")
    plan = json.loads(read("check", "my/study.toml", "--no-probe", "--format", "json"))
    assert (plan["candidates"], plan["cells"], plan["fits"]) == (9, 3, 10)


def test_init_overwrites_nothing(here):
    """`init` leaves a file that is there alone."""
    Path("study.toml").write_text("mine")
    result = sweep("init")
    assert (result.exit_code, Path("study.toml").read_text()) == (2, "mine")


def test_delete_asks(ledger):
    """`delete` keeps the study without a yes."""
    for answer in ("n\n", ""):
        result = sweep("delete", "tiny", input=answer)
        assert (result.exit_code, "kept" in result.stderr) == (1, True)
    assert "tiny" in read("list")


def test_delete_removes_study_and_weights(ledger):
    """`delete` removes the study and its weights, not its report."""
    folder = with_folder(f"sqlite:///{ledger}", "tiny")
    read("report", "tiny", "--output", "tiny.html")
    assert "deleted tiny" in read("delete", "tiny", "--yes")
    assert (folder.parent.exists(), Path("tiny.html").exists()) == (False, True)
    assert "tiny" not in read("list")


def test_delete_leaves_a_running_study(ledger):
    """`delete` refuses while a worker lives."""
    from sweep.storage.process_identity import worker_name

    Ledger(f"sqlite:///{ledger}").claim("half", worker_name())
    result = sweep("delete", "half", "--yes")
    assert (result.exit_code, "stop that run first" in result.stderr) == (2, True)


def test_a_folder_for_artifacts_that_cannot_be_made_is_said_first(here, monkeypatch):
    """With the setting that names it, and no study is put into the ledger."""
    (here / "file").touch()
    monkeypatch.setenv("SWEEP_ARTIFACTS", str(here / "file" / "below"))
    refused = sweep("submit", "digits-grid")
    assert refused.exit_code == 2
    assert f"SWEEP_ARTIFACTS: {here / 'file' / 'below'} must be a folder" in refused.stderr
    assert "no studies yet" in read("list")


def test_a_ledger_at_a_pipe_is_refused(here):
    """Nor at a device: neither is replaced by a ledger, as /dev/null was."""
    os.mkfifo("pipe")
    refused = sweep("submit", "digits-grid", "--storage", "pipe")
    assert refused.exit_code == 2
    assert "the ledger must be an ordinary file" in refused.stderr
    assert Path("pipe").is_fifo()


def test_a_ledger_at_a_link_in_a_circle_is_refused(here):
    """In plain words."""
    Path("loop").symlink_to("loop")
    refused = sweep("submit", "digits-grid", "--storage", "loop")
    assert refused.exit_code == 2, refused.stderr
    assert "symbolic links" in refused.stderr
    assert Path("loop").is_symlink()


def test_a_new_ledger_keeps_who_may_write(here):
    """An empty file that was made for it beforehand, and a link to it."""
    Path("l.db").touch()
    Path("l.db").chmod(0o660)
    Path("link.db").symlink_to("l.db")
    Ledger(f"sqlite:///{here}/link.db").close()
    assert Path("link.db").is_symlink()
    assert Path("l.db").stat().st_mode & 0o777 == 0o660
    assert Path("l.db").stat().st_size


def churn(folder, ended):
    """Make and remove folders with files, as the fits of a running study do."""
    while not ended.is_set():
        for number in range(40):
            place = folder / f"cell-{number % 4}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.npz").touch()
            if number % 4 == 3:
                shutil.rmtree(folder, ignore_errors=True)


def test_prune_while_fits_write_and_remove_their_files(ledger):
    """What is gone between looking and reading is nothing to remove, and no error."""
    url = f"sqlite:///{ledger}"
    strange, ended = artifacts_folder(url, "gone") / "uid", threading.Event()
    writer = threading.Thread(target=churn, args=(strange / "unfinished", ended))
    writer.start()
    try:
        done = [sweep("prune", "--days", "0", "--dry-run") for _ in range(25)]
    finally:
        ended.set()
        writer.join()
    assert {each.exit_code for each in done} == {0}, {each.output for each in done}


def test_a_study_that_is_deleted_meanwhile_does_not_stop_prune(ledger, monkeypatch):
    """Its header is gone when it is asked for."""
    names = Ledger.names
    monkeypatch.setattr(Ledger, "names", lambda self: [*names(self), "gone"])
    assert sweep("prune", "--days", "0", "--dry-run").exit_code == 0


@pytest.mark.parametrize("words", ["list", "run digits-grid", "prune -y", "models", "worker --all"])
def test_a_current_folder_that_was_removed_is_said(here, words):
    """One message, status 2, whatever the command."""
    (here / "gone").mkdir()
    code = f"import os, sys; os.chdir('gone'); os.rmdir('../gone'); sys.argv[1:] = {words.split()}"
    done = process(code=("-c", f"{code}; from sweep.cli.main import main; main()"), cwd=here)
    assert (done.returncode, done.stderr.count("the current folder is no longer there")) == (2, 1)


def test_check_counts_the_fits_of_every_seed(here):
    """Fits are cells times splits times seeds, and one for the winner."""
    words = ("check", "digits-grid", "--no-probe", "--set", "search.seeds=3")
    plan = json.loads(read(*words, "--format", "json"))
    assert plan["fits"] == plan["cells"] * plan["splits"] * 3 + 1
    assert "x 3 seeds + the winner" in " ".join(read(*words).split())


def test_check_tells_the_plan(here):
    """`check` tells data, cells, splits and fits."""
    text = read("check", "digits-grid", "--no-probe")
    for part in ("1,437 training rows", "8 x 8", "10 classes", "9 candidates in 3 cells", "28"):
        assert part in text
    assert "next: sweep run digits-grid" in text
    assert not Path(".sweep").exists()


def test_check_names_every_problem(here):
    """`check` names all problems at once and exits 2."""
    result = sweep("check", "digits-grid", "--set", "search.cv=1", "--set", "model.factry=mlp")
    assert result.exit_code == 2
    assert "search.cv" in result.stderr
    assert "factry" in result.stderr


def test_check_sees_the_ledger(ledger):
    """`check` refuses a study that the ledger holds with other settings."""
    changes = ("--set", "search.cv=4", "--name", "tiny", "--no-probe")
    result = sweep("check", "digits-grid", *changes)
    assert (result.exit_code, "keep both: --name tiny-2" in result.stderr) == (2, True)


def test_check_sees_other_data(ledger):
    """`check` refuses other data under the same name."""
    Path("s.toml").write_text(
        '[study]\nname = "tiny"\n[data]\ndataset = "digits"\n[model]\nfactory = "mlp"\n'
        '[search]\nmethod = "grid"\ncv = 3\n[space]\nepochs = [2, 5]\nhidden_size = [16, 32, 64]\n'
    )
    result = sweep("check", "s.toml", "--no-probe")
    assert (result.exit_code, DATA.fingerprint[:12] in result.stderr) == (2, True)


TINY = (
    '[study]\nname = "tiny"\n[data]\ndataset = "digits"\n[search]\nmethod = "grid"\ncv = 3\n'
    "[space]\nepochs = [2, 5]\nhidden_size = [16, 32, 64]\n"
)
GROWN = ("s.toml", "--set", "space.hidden_size=[16,32,64,128]", "--no-probe")


@pytest.fixture
def same_data(here, monkeypatch):
    """A study file whose data are those of the ledgers that are built."""
    from sweep.datasets import load_dataset

    fingerprint = load_dataset("digits").fingerprint
    monkeypatch.setattr("ledgers.DATA", replace(DATA, fingerprint=fingerprint))
    monkeypatch.setenv("SWEEP_STORAGE", str(here / "l.db"))
    Path("s.toml").write_text(TINY)
    return here / "l.db"


def plan_of(*words):
    """What `check` says, as JSON."""
    return json.loads(read("check", *words, "--format", "json"))


def test_check_of_a_finished_study(same_data):
    """A study that is done has nothing left, and the next command shows it."""
    build(same_data, winner=True)
    plan = plan_of("s.toml", "--no-probe")
    assert (plan["status"], plan["done"], plan["left"]) == ("finished", 3, 0)
    text = read("check", "s.toml", "--no-probe")
    assert text.splitlines()[-1] == "finished already; next: sweep show tiny"
    assert "opened once so far\n" in text
    assert "is wide" not in text


def test_check_of_a_study_that_has_grown(same_data):
    """`check` counts the new cells, says that the test set may be opened again, and runs it."""
    build(same_data, winner=True)
    plan = plan_of(*GROWN)
    assert (plan["status"], plan["done"], plan["left"]) == ("grown", 3, 1)
    text = read("check", *GROWN)
    last = text.splitlines()[-1]
    assert "would evaluate 1 new cell and, if another candidate wins, open the test set" in last
    assert last.endswith("next: sweep run s.toml --set 'space.hidden_size=[16,32,64,128]'")
    assert "opened once so far; once more if another candidate wins" in text
    assert "finished already" not in text


def test_check_of_more_epochs(same_data):
    """A cell that has not been run for as many epochs is to be run anew."""
    build(same_data, winner=True)
    words = ("s.toml", "--set", "space.epochs=[2,5,9]", "--no-probe")
    assert (plan_of(*words)["status"], plan_of(*words)["left"]) == ("grown", 3)


def test_check_of_a_study_that_is_half_done(same_data):
    """What has ended counts against the file as it is now."""
    build(same_data, done=1)
    plan = plan_of(*GROWN)
    assert (plan["status"], plan["done"], plan["left"]) == ("stopped", 1, 3)
    assert "1 of 4 cells done; a run continues it" in read("check", *GROWN)


def test_check_of_a_study_without_its_refit(same_data):
    """Every cell is done, the winner is not: a run would open the test set."""
    build(same_data)
    last = read("check", "s.toml", "--no-probe").splitlines()[-1]
    assert last.startswith("every cell is done; a run would refit the winner and open the test")
    assert last.endswith("next: sweep run s.toml")


def test_check_estimates_only_what_is_left(same_data, monkeypatch):
    """Cells that the ledger holds are not trained again, nor counted in the time."""
    asked = []

    def estimate(_spec, left, *_args):
        asked.append([cell.params["hidden_size"] for cell in left])
        return Estimate(60.0)

    monkeypatch.setattr("sweep.study.check.estimate", estimate)
    build(same_data, winner=True)
    assert plan_of("s.toml")["minutes"] is None
    assert plan_of(*GROWN[:3])["minutes"] > 1
    assert asked == [[128]]


def test_the_next_command_works(same_data):
    """What was given to `check` is given to the next command, quoted for a shell."""
    build("my l.db", "other", winner=True)
    words = ("--storage", "my l.db", "--data-home", "my data", "--allow", "mine", "--allow", "b")
    Path("my data").mkdir()
    step = plan_of("s.toml", "--name", "other", *words[:2], "--no-probe")["next"]
    assert step == "sweep show other --storage 'my l.db'"
    assert read(*shlex.split(step)[1:]).startswith("other: grid, finished")
    step = plan_of("s.toml", "--set", "search.cv=5", "--no-probe", *words)["next"]
    assert shlex.split(step) == [
        "sweep", "run", "s.toml", "--set", "search.cv=5", "--allow", "mine", "--allow", "b",
        "--data-home", "my data", "--storage", "my l.db",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "failed", "last", "step"),
    [
        (None, 4, "every one of the 4 models that was tried failed", None),
        (9.0, 1, "1 of 4 models that were tried failed", "sweep run digits-grid"),
    ],
)
def test_check_with_a_failing_model_does_not_say_that_all_is_well(
    here, monkeypatch, seconds, failed, last, step
):
    """The last line says what a run would come to, and how many were tried; the status is 1."""
    found = Estimate(seconds, 0.0, TriedModels(9, 4, failed, ("hidden_size = 16: OSError: no",)))
    monkeypatch.setattr("sweep.study.check.estimate", lambda *_: found)
    result = sweep("check", "digits-grid")
    assert result.exit_code == 1
    assert "a run would record this failure: hidden_size = 16: OSError: no" in result.stdout
    assert "nothing stands in the way" not in result.stdout
    assert result.stdout.splitlines()[-1].startswith(last)
    assert ("next: " in result.stdout) == (step is not None)
    plan = json.loads(sweep("check", "digits-grid", "--format", "json").stdout)
    assert (plan["tried"], plan["failed"], plan["next"]) == (4, failed, step)


@pytest.mark.parametrize(
    ("changes", "noted"),
    [
        ((), True),
        (("--set", "search.cv=5"), False),
        (("--set", "search.repeats=2"), False),
        (("--set", "search.cv=", "--set", "search.validation=0.2"), False),
    ],
)
def test_check_notes_few_splits(here, changes, noted):
    """Fewer than five splits of a cross-validation make a wide interval, and `check` says so."""
    words = ("check", "digits-grid", "--no-probe", *changes)
    assert ("an interval over 3 splits is wide; search.cv = 5" in read(*words)) is noted
    assert (json.loads(read(*words, "--format", "json"))["note"] is not None) is noted


def test_finished_study_says_so(ledger, monkeypatch):
    """`run` of a finished study shows it, trains nothing, and exits 0."""
    monkeypatch.setattr("sweep.study.run.LocalPool", broken)
    Path("s.toml").write_text(
        '[study]\nname = "tiny"\n[data]\ndataset = "digits"\n[search]\nmethod = "grid"\ncv = 3\n'
        "[space]\nepochs = [2, 5]\nhidden_size = [16, 32, 64]\n"
    )
    text = read("run", "s.toml")
    assert text.startswith("study tiny is finished; nothing to do\n")
    assert "0.8910 ± 0.0008" in text
    assert "report: reports/tiny.html" in text
    written = Path("reports/tiny.html").stat().st_mtime_ns
    read("run", "s.toml")
    assert Path("reports/tiny.html").stat().st_mtime_ns == written


def test_failures_exit_with_one(here, monkeypatch):
    """`run` of a finished study with failures exits 1 and says how to retry."""
    monkeypatch.setenv("SWEEP_STORAGE", str(here / "l.db"))
    build(here / "l.db", failed=(0,), refit=False)
    Path("s.toml").write_text(
        '[study]\nname = "tiny"\n[data]\ndataset = "digits"\n'
        '[search]\nmethod = "grid"\ncv = 3\nrefit = false\n'
        "[space]\nepochs = [2, 5]\nhidden_size = [16, 32, 64]\n"
    )
    result = sweep("run", "s.toml", "--no-report")
    assert result.exit_code == 1
    assert "1 failed: ModelError: out of luck" in result.stderr
    assert "sweep run s.toml --no-report --retry-failed" in result.stderr


@pytest.mark.parametrize("jobs", ["0", "-2", "two"])
def test_n_jobs(here, jobs):
    """--n-jobs is a count, or -1."""
    assert sweep("run", "digits-grid", "--n-jobs", jobs).exit_code == 2


def test_report_path_is_checked_before_the_run(here):
    """A folder as --report-path is refused before anything trains."""
    Path("folder").mkdir()
    result = sweep("run", "digits-grid", "--report-path", "folder")
    assert (result.exit_code, Path(".sweep").exists()) == (2, False)
