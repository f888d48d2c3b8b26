"""Work on a study file in a process of its own: what is asked, answered, and refused."""

import io
import json
import subprocess
import sys
import threading
import time
from contextlib import closing, nullcontext
from itertools import pairwise

import pytest
from ledgers import sections

from sweep.ledger.ledger import Ledger
from sweep.service import own_process
from sweep.service.child_process import run_child
from sweep.service.own_process import answer, ask_own_process, main, needs_own_process
from sweep.service.problems import RefusedError
from sweep.service.settings import Settings
from sweep.spec import load_study

SOURCE = """\
[study]
name = "mine"

[data]
dataset = "digits"

[model]
factory = "mlp"

[search]
method = "grid"
cv = 3

[space]
hidden_size = [16, 32]
"""
WRONG = SOURCE.replace("cv = 3", "cv = 1")
OWN = SOURCE.replace('"mlp"', '"talking:build"')
SOON = 20
TALKING = """\
import atexit, sys
from sweep.models import mlp

sys.stdout.write("loaded\\n")
sys.stderr.buffer.write(b"\\xff\\n")
atexit.register(print, "gone")


def build(input_shape, n_classes, hidden_size=8):
    return mlp(input_shape, n_classes, hidden_size=hidden_size)
"""


@pytest.fixture
def settings(tmp_path):
    """A server over a ledger that is not there yet."""
    return Settings(storage=f"sqlite:///{tmp_path}/ledger.db")


def held(settings):
    """What is in the ledger: the cells that wait, and the owner, of each study."""
    with closing(Ledger(settings.storage)) as ledger:
        return {
            name: (ledger.counts(name)["WAITING"], ledger.header(name)["owner"])
            for name in ledger.names()
        }


@pytest.mark.parametrize(
    ("section", "key", "value", "needed"),
    [
        ("study", "name", "a:b", False),
        ("data", "dataset", "mnist", False),
        ("data", "dataset", "faces.npz", True),
        ("data", "dataset", "mine:load", True),
        ("model", "factory", "cnn", False),
        ("model", "factory", "mine:build", True),
        ("report", "sections", ["fit"], False),
        ("report", "sections", ["fit", "mine:lift"], True),
    ],
)
def test_it_is_needed_for_code_and_data_of_a_users_own(section, key, value, needed):
    """What sweep itself brings is loaded in the server."""
    plain = sections(space={"batch_size": [16, 32]})
    spec = load_study({**plain, section: {**plain.get(section, {}), key: value}})
    assert needs_own_process(spec) == needed


def test_a_plan_is_answered_and_nothing_is_written(settings, tmp_path):
    """As `sweep check --format json` says it."""
    found = answer(settings, {"act": "plan", "source": SOURCE, "name": "yours"})
    assert (found["study"], found["cells"], found["status"], found["minutes"]) == (
        "yours", 2, "new", None,
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_study_is_put_into_the_ledger_and_continued_from_there(settings):
    """For whom it was handed in; nothing is left to queue the second time."""
    told = {"act": "submit", "source": SOURCE, "name": None, "owner": "ann"}
    assert answer(settings, told) == {"enqueued": 2}
    assert held(settings) == {"mine": (2, "ann")}
    assert answer(settings, {"act": "submit", "stored": "mine", "owner": "ann"}) == {"enqueued": 0}


def test_failed_cells_are_tried_again_where_that_is_asked(settings):
    """And only then."""
    told = {"act": "submit", "source": SOURCE, "owner": "ann"}
    answer(settings, told)
    with closing(Ledger(settings.storage)) as ledger:
        ledger.fail(ledger.claim("mine", "elsewhere:1:1"), "ModelError: no")
    assert answer(settings, {**told, "retry_failed": False}) == {"enqueued": 0}
    assert answer(settings, {**told, "retry_failed": True}) == {"enqueued": 1}


@pytest.mark.parametrize("source", [SOURCE, WRONG], ids=["right", "wrong"])
def test_it_reads_standard_input_and_writes_one_last_line(monkeypatch, capsys, settings, source):
    """An answer, or what is wrong with its status and each problem."""
    asked = {
        "storage": settings.storage, "data_home": None, "allow": [], "act": "plan",
        "source": source, "name": None, "probe": False,
    }  # fmt: skip
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(asked)))
    main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    if source == SOURCE:
        assert found["cells"] == 2
    else:
        assert (found["refused"], found["problems"][0]["path"]) == (422, "search.cv")


def test_a_process_of_its_own_hands_a_study_in(settings):
    """With the server's settings, which are not on its command line."""
    found = ask_own_process(settings, "submit", source=SOURCE, name="other", owner="ann")
    assert found == {"enqueued": 2}
    assert held(settings) == {"other": (2, "ann")}


def test_its_refusal_is_the_servers(settings):
    """With the status and every problem at its line."""
    with pytest.raises(RefusedError) as caught:
        ask_own_process(settings, "plan", source=WRONG, name=None)
    refusal = caught.value.refusal
    assert (refusal.status, [each["line"] for each in refusal.problems]) == (422, [12])


def test_code_that_talks_does_not_disturb_the_answer(monkeypatch, settings, tmp_path):
    """When it is loaded and when the process ends; bytes that are no text too."""
    (tmp_path / "talking.py").write_text(TALKING)
    monkeypatch.syspath_prepend(str(tmp_path))
    allowing = Settings(storage=settings.storage, allow=("talking",))
    assert ask_own_process(allowing, "plan", source=OWN, name=None)["cells"] == 2


def test_a_password_stays_off_the_command_line(monkeypatch):
    """Others on the machine can read that; standard input they cannot."""
    seen = {}

    class Child(nullcontext):
        args, returncode = (), 0

        def __init__(self, words, **options):
            super().__init__()
            seen.update(words=words, **options)

        def communicate(self, told, _seconds):
            seen["told"] = told
            return '{"enqueued": 1}\n', ""

    monkeypatch.setattr(subprocess, "Popen", Child)
    ask_own_process(Settings(storage="postgresql://ann:secret@db/x"), "submit", source=SOURCE)
    assert "secret" not in str(seen["words"]) + str(seen["env"])
    assert json.loads(seen["told"])["storage"] == "postgresql://ann:secret@db/x"


def test_a_process_that_is_killed_is_told(monkeypatch, settings):
    """With its status, which is -9 where the memory ran out."""
    monkeypatch.setattr(
        own_process, "run_child", lambda *_, **__: subprocess.CompletedProcess([], -9, "", "")
    )
    with pytest.raises(RefusedError, match="ended with status -9; is the memory enough"):
        ask_own_process(settings, "plan", source=SOURCE)


def child(code, places=None, **options):
    """Run Python code in a child."""
    told = {"patience": 0.05, "seconds": 20, "busy": "others", "late": "too long", **options}
    return run_child(["-c", code], places or threading.Semaphore(1), **told)


def test_a_child_says_how_it_ended_and_what_it_wrote():
    """Bytes that are no text are marked as such."""
    code = "import sys; sys.stdout.buffer.write(b'a\\xff'); sys.stderr.write(input()); exit(3)"
    done = child(code, told="given\n")
    assert (done.returncode, done.stdout, done.stderr) == (3, "a\ufffd", "given")


def test_a_child_has_the_path_of_its_parent(monkeypatch):
    """And its environment, or the one that is given."""
    monkeypatch.syspath_prepend("/not/there")
    monkeypatch.setenv("SWEEP_KNOWN", "1")
    code = "import os, sys; print('/not/there' in sys.path, os.environ.get('SWEEP_KNOWN'))"
    assert child(code).stdout.split() == ["True", "1"]
    assert child(code, env={}).stdout.split() == ["True", "None"]


def test_who_finds_no_place_is_refused_in_time():
    """A child that has ended, or was killed, has given its place back."""
    places = threading.Semaphore(1)
    with pytest.raises(RefusedError, match="too long") as late:
        child("import time; time.sleep(60)", places, seconds=0.2)
    child("raise SystemExit(1)", places)
    with pytest.raises(TypeError):
        child("", places, no_such_option=1)
    since = time.monotonic()
    with places, pytest.raises(RefusedError, match="others") as busy:
        child("", places)
    assert time.monotonic() - since < SOON
    assert {late.value.refusal.status, busy.value.refusal.status} == {503}
    assert child("print(1)", places).stdout == "1\n"


def test_one_that_waits_takes_the_place_that_becomes_free():
    """No more children run at once than there are places."""
    places, spans = threading.Semaphore(1), []

    def run():
        code = "import time; a = time.time(); time.sleep(0.2); print(a, time.time())"
        spans.append(tuple(map(float, child(code, places, patience=20).stdout.split())))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans.sort()
    assert len(spans) == 3
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
