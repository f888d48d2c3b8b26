"""Kept answers: from before while nothing changes, made anew after any change."""

import asyncio
import shutil
import threading
from dataclasses import replace
from itertools import count

import pytest
from ledgers import LAYERS, build, split, winner_of
from service_client import START, bearer, opened

from sweep.analysis import best
from sweep.errors import StudyNotFoundError
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import ImportanceRecord, NestedRecord, Opening, OuterFold
from sweep.ledger.reading import read_study
from sweep.search.plan import make_plan
from sweep.section import SectionRecord
from sweep.service import answers_cache
from sweep.service.answers_cache import AnswersCache, MomentCache
from sweep.service.snapshot import Copy
from sweep.storage.attributes import TURN

PATIENCE = 20
FOLD = OuterFold(0.8, 0.9, {"epochs": 2}, 958, 479, "x")
NESTED = NestedRecord((FOLD, replace(FOLD, score=0.7)), 6, "2026-03-02T11:00:00+00:00")
OTHER = replace(NESTED, folds=(FOLD, replace(FOLD, score=0.6)))


def fail_again(ledger):
    """Try the failed cell again; it fails for another reason, and no number in the list moves."""
    record = read_study(ledger, "s")
    failed = next(trial.key for trial in record.trials if trial.state == "FAIL")
    ledger.enqueue("s", [c for c in make_plan(record.settings).cells if c.key == failed], {})
    ledger.fail(ledger.claim("s", "elsewhere:1:1"), "ModelError: another reason")


def complete_one(ledger, name="waiting"):
    """Evaluate a cell that waits."""
    claim = ledger.claim(name, "elsewhere:1:1")
    ledger.complete(claim, 0.9, [split(0.9, claim.epochs, i) for i in range(3)], LAYERS)


def win(ledger):
    """Refit the winner."""
    ledger.set_winner("s", winner_of(best(read_study(ledger, "s"))))


def weigh(ledger):
    """Record the importances."""
    shares = {"epochs": 0.7, "hidden_size": 0.3}
    ledger.set_importances("s", ImportanceRecord("fANOVA", shares, 6, 6))


CHANGES = {
    "a cell is taken": ("waiting", lambda ledger: ledger.claim("waiting", "elsewhere:1:1")),
    "a cell ends": ("waiting", complete_one),
    "a failed cell fails again": ("s", fail_again),
    "the winner": ("s", win),
    "an opening": (
        "s", lambda ledger: ledger.note_opening("s", Opening("2026-03-02T10:00:00+00:00", {}))
    ),
    "the importances": ("s", weigh),
    "the outer folds": ("s", lambda ledger: ledger.set_nested("s", NESTED)),
    "other outer folds": ("folded", lambda ledger: ledger.set_nested("folded", OTHER)),
    "own sections": (
        "s", lambda ledger: ledger.set_sections("s", [SectionRecord("mine:lift", "Lift")])
    ),
    "the header": ("s", lambda ledger: ledger.update("s", planned=4)),
    "a stop": ("s", lambda ledger: ledger.stop("s", "2026-03-02T10:00:00+00:00")),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A file with a finished study ``s``, one with outer folds, and one with waiting cells."""
    path = tmp_path_factory.mktemp("made") / "ledger.db"
    build(path, "s", failed=(1,))
    build(path, "folded")
    build(path, "waiting", done=1)
    opened = Ledger(f"sqlite:///{path}")
    opened.set_nested("folded", NESTED)
    opened.close()
    return path


@pytest.fixture
def ledger(made, tmp_path):
    """A copy of that ledger."""
    opened = Ledger(f"sqlite:///{shutil.copy(made, tmp_path)}")
    yield opened
    opened.close()


@pytest.fixture
def cache(ledger):
    """The cache of a server, which reads on a connection of its own."""
    reader = Ledger(ledger.url, reading=True)
    yield AnswersCache(reader)
    reader.close()


@pytest.fixture
def make():
    """Make a number that has not been there."""
    return count().__next__


def test_an_answer_is_kept_while_nothing_changes(cache, make):
    """Each question of each study has its own."""
    asked = [("s", "show"), ("s", ("show", 3)), ("folded", "show")]
    first = [cache.get(name, question, make) for name, question in asked]
    assert first == [0, 1, 2]
    assert [cache.get(name, question, make) for name, question in asked] == first


@pytest.mark.parametrize(("name", "change"), CHANGES.values(), ids=CHANGES)
def test_an_answer_is_made_anew_after_a_change(ledger, cache, make, name, change):
    """Whatever it is; once, and the answers about other studies stay."""
    names = sorted(("s", "folded", "waiting"), key=name.__eq__)
    assert [cache.get(each, "show", make) for each in names] == [0, 1, 2]
    change(ledger)
    assert [cache.get(each, "show", make) for each in names] == [0, 1, 3]
    assert cache.get(name, "show", make) == 3


def test_who_holds_a_lock_is_no_change(ledger, cache, make):
    """Its sign of life is renewed every few seconds."""
    cache.get("s", "show", make)
    ledger._write("s", f"{TURN}finish", {"turn": "1", "sign": 2})
    assert cache.get("s", "show", make) == 0


def test_a_deleted_study_has_no_answer(ledger, cache, make):
    """Though there was one."""
    cache.get("folded", "show", make)
    ledger.delete("folded")
    with pytest.raises(StudyNotFoundError):
        cache.get("folded", "show", make)


@pytest.mark.parametrize("kind", [bytes, lambda length: "x" * length])
def test_a_large_answer_is_not_kept(monkeypatch, cache, kind):
    """One of the limit's size is."""
    monkeypatch.setattr(answers_cache, "LARGEST", 10)
    for size, kept in ((10, True), (11, False)):
        first = cache.get("s", size, lambda size=size: kind(size))
        assert (cache.get("s", size, lambda size=size: kind(size)) is first) == kept


def test_of_too_many_answers_those_asked_for_last_are_kept(monkeypatch, cache, make):
    """Asking for one again keeps it longer."""
    monkeypatch.setattr(answers_cache, "MOST", 3000)
    made = [b"%d" % question * 1000 for question in range(4)]
    for question in (0, 1, 2, 0, 3):
        cache.get("s", question, lambda question=question: made[question])
    assert [cache.get("s", question, make) for question in (0, 2, 3)] == [made[0], *made[2:]]
    assert cache.get("s", 1, make) == 0


def test_an_answer_takes_no_room_twice(monkeypatch, ledger, cache, make):
    """What is made anew after a change stands in place of the one before."""
    monkeypatch.setattr(answers_cache, "MOST", 3000)
    for planned in range(4, 9):
        cache.get("folded", "show", lambda: b"x" * 1000)
        ledger.update("s", planned=planned)
        cache.get("s", "show", lambda: b"x" * 2000)
    assert cache.get("folded", "show", make) == b"x" * 1000


def test_a_maker_that_fails_leaves_nothing_behind(cache, make):
    """Its error is passed on, and the next one is asked."""

    def fails():
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        cache.get("s", "show", fails)
    assert cache.get("s", "show", make) == 0


class SlowMaker:
    """A maker that has begun in a thread and ends when it is told to."""

    def __init__(self, ask):
        self.began, self.goes_on, self.made = threading.Event(), threading.Event(), None
        self._thread = threading.Thread(target=lambda: setattr(self, "made", ask(self)))
        self._thread.start()
        assert self.began.wait(PATIENCE)

    def __call__(self):
        self.began.set()
        assert self.goes_on.wait(PATIENCE)
        return "old"

    def end(self):
        """Let it end; return what was answered."""
        self.goes_on.set()
        self._thread.join(PATIENCE)
        return self.made


@pytest.mark.parametrize("meanwhile", [True, False])
def test_what_a_slow_maker_read_before_a_change_is_no_answer_after_it(ledger, cache, meanwhile):
    """Also where others, who do not wait for it, were answered in between."""
    slow = SlowMaker(lambda maker: cache.get("waiting", "show", maker))
    complete_one(ledger)
    if meanwhile:
        assert cache.get("waiting", "show", lambda: "new") == "new"
    assert slow.end() == "old"
    assert cache.get("waiting", "show", lambda: "new") == "new"


def test_many_threads_ask_while_a_study_changes(ledger, cache):
    """No answer is older than what the ledger held when it was asked for."""
    written, wrong, over = [3], [], threading.Event()

    def ask():
        while not over.is_set():
            least = written[-1]
            found = cache.get("s", "header", lambda: ledger.header("s")["planned"])
            if found < least:
                wrong.append((found, least))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for planned in range(4, 44):
        ledger.update("s", planned=planned)
        written.append(planned)
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert wrong == []


class Moments:
    """A snapshot that is told its number."""

    def __init__(self):
        self.copy = Copy(1)


@pytest.fixture
def snapshot():
    return Moments()


def test_a_list_is_kept_as_long_as_its_copy(snapshot, make):
    """All of an older copy goes at once."""
    moment = MomentCache(snapshot)
    assert [moment.get(question, make) for question in ("a", "b", "a", "b")] == [0, 1, 0, 1]
    snapshot.copy = Copy(2)
    assert [moment.get(question, make) for question in ("a", "b", "a", "b")] == [2, 3, 2, 3]


def test_so_many_lists_of_a_copy_are_kept(monkeypatch, snapshot, make):
    """Else somebody who turns pages could fill the memory."""
    monkeypatch.setattr(answers_cache, "MOST", 3000)
    moment = MomentCache(snapshot)
    for question in range(50):
        page = f"{question:1000}"
        assert [moment.get(question, lambda page=page: page) for _ in range(2)] == [page] * 2
    kept = [moment.get(question, make) for question in range(47, 50)]
    assert kept == [f"{question:1000}" for question in range(47, 50)]
    assert moment.get(0, make) == 0


def test_a_list_that_is_kept_is_answered_in_the_event_loop(snapshot):
    """A new one is made in a thread, and is the same answer."""
    moment = MomentCache(snapshot)

    async def ask():
        asked = [await moment.soon("list", threading.get_ident) for _ in range(2)]
        return asked, await moment.soon("other", lambda: None), threading.get_ident()

    (first, second), nothing, loop = asyncio.run(ask())
    assert first == second != loop
    assert nothing is None


@pytest.mark.parametrize("meanwhile", [True, False])
def test_a_list_that_was_begun_before_a_change_is_no_answer_after_it(snapshot, meanwhile):
    """Also where others were answered in between."""
    moment = MomentCache(snapshot)
    slow = SlowMaker(lambda maker: moment.get("list", maker))
    snapshot.copy = Copy(2)
    if meanwhile:
        assert moment.get("list", lambda: "new") == "new"
    assert slow.end() == "old"
    assert moment.get("list", lambda: "new") == "new"


@pytest.mark.parametrize(
    ("change", "words"),
    [(weigh, "has the largest share"), (CHANGES["the outer folds"][1], "0.7500")],
)
def test_a_report_shows_what_is_written_after_the_winner(tmp_path, change, words):
    """Though no number of the study in the list moves by it."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    build(tmp_path / "ledger.db", "s", winner=True)
    with opened(url) as (_, client):

        def shown():
            return client.get("/studies/s/report", headers=bearer(START)).text.count(words)

        before, ledger = shown(), Ledger(url)
        change(ledger)
        ledger.close()
        assert shown() > before
