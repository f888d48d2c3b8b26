"""Commands against a real server: what they do against a ledger, to the letter."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from commands import GUARD, ROOT, sweep
from ledgers import build, sections, stop
from server_process import served

from sweep.ledger.ledger import Ledger
from sweep.spec import load_study
from sweep.support.file_names import slug


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server without workers over three studies."""
    path = tmp_path_factory.mktemp("server") / "ledger.db"
    build(path, winner=True)
    build(path, "half", done=1, refit=False)
    build(path, "With failures", failed=(0, 2))
    stop(path, "half")
    with served(f"sqlite:///{path}", "--workers", "0") as found:
        yield found


@pytest.fixture
def ask(server, tmp_path, monkeypatch):
    """Return functions that run a command on the ledger, and at the server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("SWEEP_STORAGE", server.storage)

    def here(*words):
        monkeypatch.delenv("SWEEP_SERVER", raising=False)
        return sweep(*words)

    def there(*words):
        monkeypatch.setenv("SWEEP_SERVER", server.printed)
        return sweep(*words)

    return here, there


def file_of(folder, name="handed in", **search):
    """Write a study file; return its path."""
    text = load_study(sections(name, **search)).source
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


READING = [
    "list --format json", "list --format csv", "list",
    "show tiny", "show tiny --top 2", "show tiny --format json", "show half",
    "show half --format csv", "show With_failures", "best half",
    "best tiny --pareto", "best tiny --pareto --format csv",
    "pivot tiny", "pivot tiny --index epochs --columns hidden_size --format json",
    "compare tiny half", "compare tiny half With_failures --baseline half --format json",
    "compare tiny", "pivot tiny --index nothing", "stop tiny", "report half --pivot nothing",
    "check digits-grid --no-probe", "check digits-grid --no-probe --format csv",
]  # fmt: skip


@pytest.mark.parametrize("line", READING)
def test_a_reading_command_says_the_same_at_a_server(ask, line):
    """Output, messages and exit status, in every form."""
    words = [word.replace("_", " ") for word in line.split()]
    here, there = (run(*words) for run in ask)
    assert (there.exit_code, _plain(there.stderr)) == (here.exit_code, _plain(here.stderr))
    assert _plain(there.stdout) == _plain(here.stdout).replace(
        "sweep run digits-grid", "sweep submit digits-grid"
    )
    assert here.stdout or here.exit_code


def _plain(text):
    """Leave out how long ago workers were last heard of: it is another moment each time."""
    text = re.sub(r"\b\d+:\d\d ago", "- ago", text)
    text = re.sub(r'"last_sign": [\d.]+', '"last_sign": 0', text)
    return re.sub(r",\[\],[\d.]+$", ",[],0", text, flags=re.MULTILINE)


@pytest.mark.parametrize("form", ["table", "json"])
def test_best_names_the_server_in_python(ask, server, form):
    """That line alone differs, for the model is to be had there."""
    here, there = (run("best", "tiny", "--format", form).stdout for run in ask)
    opened = "from sweep import open_study; model = open_study('tiny')"
    asked = f"from sweep import connect; model = connect('{server.url}').study('tiny')"
    assert opened in here
    note = "  # the token is read from SWEEP_TOKEN"
    assert there.count(note) == 1
    assert there.replace(note, "") == here.replace(opened, asked)


def test_a_report_is_the_same_page(ask, tmp_path):
    """Written here, under the name that is asked for."""
    pages = []
    for run, name in zip(ask, ("one.html", "other.html"), strict=True):
        assert run("report", "tiny", "-o", name, "--pivot", "epochs,hidden_size").exit_code == 0
        pages.append((tmp_path / name).read_text("utf-8"))
    assert pages[0] == pages[1]


def test_a_comparison_is_the_same_page(ask, tmp_path):
    """The page is written here."""
    pages = []
    for run, name in zip(ask, ("one.html", "other.html"), strict=True):
        assert run("compare", "tiny", "half", "-o", name).exit_code == 0
        pages.append((tmp_path / name).read_text("utf-8"))
    assert pages[0] == pages[1]


def test_a_mistyped_name_gets_a_suggestion(ask, server):
    """The message names the server and its studies."""
    _, there = ask
    for words in (("show", "tinny"), ("stop", "tinny"), ("delete", "tinny", "-y")):
        result = there(*words)
        assert result.exit_code == 2
        assert f"no study named 'tinny' at {server.url}; there are: " in result.stderr
        assert "Did you mean 'tiny'?" in result.stderr


def test_a_file_in_place_of_a_name_is_told(ask, tmp_path):
    """With the name that the file gives."""
    _, there = ask
    assert "in this file it is 'handed in'" in there("show", file_of(tmp_path)).stderr


def test_a_study_is_submitted_stopped_and_deleted(ask, tmp_path, server):
    """With the words of a ledger; the place to look is the server's page."""
    here, there = ask
    file = file_of(tmp_path, "life")
    submitted = there("submit", file)
    assert submitted.stdout == (
        f"study life: 3 cells enqueued, 3 cells wait for a worker; {server.url}/studies/life\n"
    )
    assert there("stop", "life").stdout == (
        "life stops: none runs; `sweep run` or `sweep submit` continues it\n"
    )
    assert "next: sweep submit" in there("check", file, "--no-probe").stdout
    assert "0 cells enqueued, 3 cells wait" in there("submit", file).stdout
    assert there("delete", "life", "-y").stdout == "deleted life (3 trials)\n"
    assert "no study named 'life'" in here("show", "life").stderr


def test_a_study_without_a_name_in_its_file_has_the_file_s(ask, tmp_path):
    """As in a ledger."""
    _, there = ask
    text = file_of(tmp_path, "gone").read_text("utf-8").replace('name = "gone"', "")
    (tmp_path / "by-file.toml").write_text(text, "utf-8")
    assert there("submit", "by-file.toml").stdout.startswith("study by-file: 3 cells")
    assert there("submit", "by-file.toml", "--name", "other").stdout.startswith("study other: ")
    for name in ("by-file", "other"):
        assert there("delete", name, "-y").exit_code == 0


def test_problems_of_a_file_stand_at_their_lines(ask, tmp_path):
    """Those that only the server knows, under the name of the file, in its order."""
    _, there = ask
    text = file_of(tmp_path).read_text("utf-8")
    text = text.replace('dataset = "digits"', 'dataset = "none.npz"')
    text = text.replace('factory = "mlp"', 'factory = "mine:make"')
    (tmp_path / "study.toml").write_text(text, "utf-8")
    lines = text.splitlines()
    numbers = [1 + lines.index(line) for line in lines if "none.npz" in line or "mine:" in line]
    for command in (("submit",), ("check", "--no-probe")):
        result = there(command[0], "study.toml", *command[1:])
        assert result.exit_code == 2
        assert result.stderr.startswith("error: study.toml: 2 problems\n")
        assert re.findall(r"\(line (\d+)\)", result.stderr) == [str(n) for n in sorted(numbers)]


@pytest.mark.parametrize("option", ["--allow", "--data-home"])
@pytest.mark.parametrize("command", ["submit", "check"])
def test_what_the_server_decides_is_no_option(ask, command, option):
    """Code and data are its owner's business."""
    _, there = ask
    result = there(command, "digits-grid", option, "mine")
    assert result.exit_code == 2
    assert f"{option}: the code and the data" in result.stderr


def test_a_question_may_be_answered_with_no(ask):
    """Nothing is deleted then."""
    _, there = ask
    result = there("delete", "half")
    assert (result.exit_code, "kept" in result.stderr) == (1, True)
    assert there("show", "half").exit_code == 0


def test_who_may_only_read_is_refused_what_changes(ask, server, monkeypatch):
    """The message says which role is needed."""
    monkeypatch.setenv("SWEEP_TOKEN", server.add_token("reader", "read"))
    at = ("--server", server.url)
    assert sweep("show", "tiny", *at).exit_code == 0
    for words in (("stop", "half"), ("delete", "half", "-y"), ("submit", "digits-grid")):
        result = sweep(*words, *at)
        assert result.exit_code == 2
        assert "reader has the role 'read'; this needs 'submit'" in result.stderr


@pytest.mark.parametrize(("token", "said"), [("", "a token is needed: set SWEEP_TOKEN"),
                                             ("wrong", "the token is refused")])  # fmt: skip
def test_who_has_no_valid_token_is_told(server, monkeypatch, token, said):
    """With where one comes from."""
    monkeypatch.setenv("SWEEP_TOKEN", token)
    result = sweep("list", "--server", server.url)
    assert (result.exit_code, said in result.stderr) == (2, True)
    assert "`sweep serve token add NAME`" in result.stderr


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/?token=s3cr3tword",
                                     "http://ann:s3cr3tword@127.0.0.1:1"])  # fmt: skip
def test_a_token_on_the_command_line_is_refused(address, monkeypatch):
    """And not shown; from the environment a password is refused too."""
    result = sweep("list", "--server", address)
    assert result.exit_code == 2
    assert "does not belong on the command line" in result.stderr
    assert "s3cr3tword" not in result.output
    monkeypatch.setenv("SWEEP_SERVER", address)
    assert "s3cr3tword" not in sweep("list").output


def test_a_server_that_is_away_is_told(monkeypatch):
    """With what to do."""
    result = sweep("list", "--server", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "no server answers there (Connection refused); start one" in result.stderr


@pytest.mark.parametrize("address", ["ftp://x", "127.0.0.1:8080", "http://", "http://x:y"])
def test_an_address_that_is_none_is_told(address):
    """With the form that one has."""
    result = sweep("list", "--server", address)
    assert result.exit_code == 2
    assert "write http://HOST:PORT" in result.stderr


def test_a_server_and_a_ledger_exclude_each_other(server):
    """In either order; the variable gives way to the option."""
    for words in (("--server", server.url, "--storage", "x.db"),
                  ("--storage", "x.db", "--server", server.url)):  # fmt: skip
        result = sweep("list", *words)
        assert (result.exit_code, "exclude each other" in result.stderr) == (2, True)


def test_a_ledger_that_is_named_is_asked_whatever_the_variable_says(ask, server, tmp_path):
    """The command line goes before the environment."""
    _, there = ask
    build(tmp_path / "own.db", "mine")
    assert "mine" in there("list", "--storage", tmp_path / "own.db").stdout


@pytest.mark.parametrize("words", ["run digits-grid", "worker", "prune", "migrate", "dashboard"])
def test_a_command_that_needs_a_ledger_says_what_to_do(words):
    """In place of an option that nobody knows."""
    result = sweep(*words.split(), "--server", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "works on a ledger, not through a server; " in result.stderr


def test_waiting_needs_a_server():
    """A ledger has `sweep run`."""
    result = sweep("submit", "digits-grid", "--wait")
    assert (result.exit_code, "`sweep run` sees a study through" in result.stderr) == (2, True)


def process(server, *words, names=()):
    """Start a command at the server that may not import some modules."""
    code = GUARD.format(names=set(names))
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "SWEEP_SERVER": server.printed, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_a_study_is_handed_in_without_what_trains_or_reads_it(server, tmp_path):
    """The request goes out soon: no TensorFlow, no Optuna, no pandas is loaded before it."""
    heavy = ("tensorflow", "keras", "sklearn", "optuna", "pandas", "sqlalchemy", "scipy")
    started = process(server, "submit", file_of(tmp_path, "light"), names=heavy)
    out, errors = started.communicate(timeout=60)
    assert (started.returncode, errors) == (0, "")
    assert out.startswith("study light: 3 cells enqueued")


def test_ctrl_c_leaves_the_study_and_says_so(server, tmp_path):
    """Who waits no longer ends nothing: its cells wait on."""
    started = process(server, "submit", file_of(tmp_path, "left alone"), "--wait")
    ledger = Ledger(server.storage, reading=True)
    assert started.stderr.readline() == f"watching {server.url}/studies/{slug('left alone')}\n"
    started.send_signal(signal.SIGINT)
    out, errors = started.communicate(timeout=30)
    assert (started.returncode, out) == (130, "")
    assert f"interrupted: the study goes on at {server.url}" in errors
    assert ledger.counts("left alone")["WAITING"] == 3
    assert ledger.stopped("left alone") is None
    ledger.close()


def test_what_waits_shows_lines_and_then_the_leaderboard(server, tmp_path):
    """The last words are those of `sweep run`, with the address of the report."""
    name = "seen through"
    started = process(server, "submit", file_of(tmp_path, name, refit=False), "--wait")
    ledger = Ledger(server.storage)
    assert started.stderr.readline().startswith("watching ")
    _work(ledger, name)
    ledger.close()
    out, errors = started.communicate(timeout=60)
    assert started.returncode == 1, errors
    assert out.startswith("study seen through: finished, ")
    board = sweep("show", name, "--storage", server.storage.removeprefix("sqlite:///"))
    table = out.partition("\n\n")[2].partition("report: ")[0]
    assert table.strip() in board.stdout
    assert "report: " + server.url + "/studies/" in out
    assert "1 failed: ModelError" in errors
    assert "--retry-failed" in errors


def _work(ledger, name):
    """Do the cells of a study as a worker does; the last one fails."""
    from ledgers import LAYERS, split

    from sweep.ledger.scores import mean_split_score

    for number in range(3):
        claim = ledger.claim(name, "elsewhere:1:1")
        if number == 2:
            ledger.fail(claim, "ModelError: out of luck")
            continue
        splits = [split(0.8 + number / 50, claim.epochs, i) for i in range(3)]
        ledger.complete(claim, mean_split_score(splits, claim.epochs[-1]), splits, LAYERS)


@pytest.mark.tensorflow
def test_a_study_at_a_server_ends_with_the_table_of_a_run(tmp_path, monkeypatch):
    """The shipped grid, handed in with --wait: the same leaderboard; its export is a model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    storage = f"sqlite:///{tmp_path}/server.db"
    with served(storage, "--workers", "2") as found:
        done = process(found, "submit", "digits-grid", "--wait")
        out, errors = done.communicate(timeout=300)
        assert done.returncode == 0, errors
        monkeypatch.setenv("SWEEP_SERVER", found.printed)
        exported = sweep("export", "digits-grid", "-o", "model")
        assert exported.exit_code == 0, exported.output
    monkeypatch.delenv("SWEEP_SERVER")
    command = [sys.executable, "-m", "sweep", "run", "digits-grid", "--storage", "here.db"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert _board(out) == _board(run.stdout)
    assert {each.name for each in (tmp_path / "model").iterdir()} >= {"model.keras", "recipe.json"}
    assert json.loads((tmp_path / "model" / "recipe.json").read_text())["format"]


def _board(text):
    """Return the leaderboard without seconds, and what the test set said without the time."""
    board = text.partition("\n\n")[2].partition("report: ")[0]
    board = re.sub(r"\s+[\d.]+ s$", "", board, flags=re.MULTILINE)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "now", board)
