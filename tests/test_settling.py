"""A finished study goes on with repeats: which cells, what is recorded, what is said of it."""

import json
from contextlib import closing
from dataclasses import replace

import commands
import numpy as np
import pytest
from commands import read, sweep
from ledgers import LAYERS, build, sections, winner_of

from sweep import analysis
from sweep.analysis.overview import all_overviews
from sweep.analysis.settled_text import settled
from sweep.analysis.settling import is_current, settled_choice, standing
from sweep.cli.settled_text import picture
from sweep.errors import LedgerError, StudyFileError
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.ledger.records import SplitResult
from sweep.report import page
from sweep.search.repeats import Repeat, repeat_plan, repeat_spec, seeded
from sweep.search.splits import make_splits
from sweep.spec import load_study
from sweep.spec.settling import MARGIN, SettleSection
from sweep.study import run_study
from sweep.study.delete import delete_study
from sweep.study.settle import settle_study
from sweep.study.settling import Settling, repeats_of
from sweep.workers.recovery import enqueue_missing

here = commands.here

SPACE = {"hidden_size": [8, 16, 24, 32]}
TRUE = {8: 0.93, 16: 0.928, 24: 0.90, 32: 0.60}
ASKED = SettleSection(margin=0.02)


def fits(params, repeat, folds=3):
    """Splits of one candidate: its own noise, drawn from what it is."""
    rng = np.random.default_rng([params["hidden_size"], repeat])
    own = TRUE[params["hidden_size"]] + 0.004 * rng.normal(size=folds)
    luck = 0.01 * np.random.default_rng(repeat).normal(size=folds)
    return [
        SplitResult({1: float(score)}, seconds={1: 2.0}, n_test=479, split=number)
        for number, score in enumerate(own + luck)
    ]


def complete(ledger, name, repeat=0, cells=None):
    """Evaluate so many waiting cells, all by default."""
    done = 0
    while cells is None or done < cells:
        claim = ledger.claim(name, "elsewhere:1:1")
        if claim is None:
            return
        splits = fits(claim.params, repeat)
        mean = float(np.mean([s.test[1] for s in splits]))
        ledger.complete(claim, mean, splits, LAYERS)
        done += 1


@pytest.fixture
def study(tmp_path):
    """A ledger with a finished grid of four candidates."""
    plain = {**sections("tiny", SPACE), "model": {"factory": "mlp", "epochs": 1}}
    build(tmp_path / "l.db", done=0, study=plain)
    with closing(Ledger(f"sqlite:///{tmp_path / 'l.db'}")) as ledger:
        complete(ledger, "tiny")
        yield ledger


class Runs:
    """Runs repeats in the ledger, and stops after so many cells."""

    def __init__(self, ledger, cells=None, failing=()):
        self.ledger, self.cells, self.failing, self.seen = ledger, cells, failing, []
        self.stopped = False

    def see(self, spec, repeat, plan):
        """Make the study of a repeat, and evaluate its cells."""
        self.seen.append((repeat.repeat, [cell.params["hidden_size"] for cell in plan.cells]))
        if not self.ledger.has(repeat.name):
            header = dict(self.ledger.header(repeat.study))
            header |= {"spec": spec.plain(), "planned": len(plan.cells), "part": repeat.plain()}
            self.ledger.create(repeat.name, header)
        enqueue_missing(self.ledger, repeat.name, plan)
        for _ in self.failing:
            self.ledger.fail(self.ledger.claim(repeat.name, "elsewhere:1:1"), "out of luck")
        complete(self.ledger, repeat.name, repeat.repeat, self.cells)
        self.stopped = self.cells is not None

    def settle(self, asked=ASKED):
        """Settle the study ``tiny``; return its record."""
        spec = read_study(self.ledger, "tiny").settings
        spec = spec.model_copy(update={"search": spec.search.model_copy(update={"settle": asked})})
        self.ledger.update("tiny", spec=spec.plain())
        Settling(self.ledger, spec, self.see, lambda _line: None, lambda: self.stopped).run(
            asked, 2
        )
        return read_study(self.ledger, "tiny")


def left(ledger, name="tiny"):
    """What is left to be done of the study."""
    return {each.name: each.left for each in all_overviews(ledger)}[name]


def test_only_the_undecided_are_repeated(study):
    """The one far below has no further fits; the study is settled, the cheapest of two is taken."""
    runs = Runs(study)
    record = runs.settle()
    held = record.race
    assert held.end == "settled"
    assert [number for number, _ in runs.seen] == list(range(1, held.repeats + 1))
    assert all(32 not in sizes for _, sizes in runs.seen)
    assert held.repeats >= 1
    standings = {each.params["hidden_size"]: each.standing for each in held.runners}
    assert standings == {8: "as good", 16: "as good", 24: "worse"}
    assert analysis.chosen(record).params == settled_choice(record, "best").params
    assert study.names() == ["tiny"]
    assert "Settled after" in settled(record)


def test_a_repeat_that_was_interrupted_goes_on_to_the_same_end(study, tmp_path):
    """One cell at a time, or all at once: the same repeats, means and standings."""
    for _ in range(60):
        record = Runs(study, cells=1).settle()
        if record.race is not None:
            break
    other = Ledger(f"sqlite:///{tmp_path / 'other.db'}")
    plain = {**sections("tiny", SPACE), "model": {"factory": "mlp", "epochs": 1}}
    build(tmp_path / "other.db", done=0, study=plain)
    complete(other, "tiny")
    whole = Runs(other).settle()
    assert replace(record.race, ended_at="") == replace(whole.race, ended_at="")


def test_without_time_for_a_whole_repeat_none_begins(study):
    """The race ends as it stands, which is said; a later run goes on."""
    runs = Runs(study)
    record = runs.settle(SettleSection(margin=0.02, within=0.001))
    assert runs.seen == []
    assert (record.race.end, record.race.repeats) == ("time", 0)
    assert "no time for another repeat" in settled(record)
    assert Runs(study).settle().race.end == "settled"


def test_a_candidate_whose_repeat_fails_is_not_taken(study):
    """It is told as lost; the others are settled without it."""
    record = Runs(study, failing=[1]).settle()
    lost = [each for each in record.race.runners if each.standing == "lost"]
    assert len(lost) >= 1
    assert analysis.chosen(record).params not in [each.params for each in lost]


def test_the_test_score_of_another_winner_is_not_shown(study):
    """Where repeats take another candidate than the one that was refitted, the refit is left."""
    first = read_study(study, "tiny")
    loser = next(c for c in first.candidates if c.params["hidden_size"] == 24)
    study.set_winner("tiny", winner_of(loser))
    study.settle("tiny", 4, "best")
    record = Runs(study).settle()
    assert analysis.test_score(record, analysis.chosen(record)) is None
    assert left(study) == "refit"
    study.set_winner("tiny", winner_of(analysis.chosen(record)))
    study.settle("tiny", 4, f"best, {record.race.ended_at}")
    assert left(study) == ""


def test_a_study_asks_for_repeats_until_its_race_has_ended(study):
    """Other machines see that there is work; another margin makes work again."""
    assert left(study) == "refit"
    Runs(study, cells=1).settle()
    assert left(study) == "repeats"
    Runs(study).settle()
    assert left(study) == "refit"
    asked = {**study.header("tiny")["spec"]["search"], "settle": {"margin": 0.001}}
    study.update("tiny", spec={**study.header("tiny")["spec"], "search": asked})
    assert left(study) == "repeats"


def test_a_study_that_has_grown_is_not_settled_any_more(study):
    """Then the choice is that of the search, and the remedy is said."""
    record = Runs(study).settle()
    assert is_current(record)
    fewer = replace(record, candidates=record.candidates[1:])
    assert not is_current(fewer)
    assert settled_choice(fewer, "best") is None
    assert "has grown since it was settled" in settled(fewer)
    assert settled_choice(record, "one_standard_error") is None


def test_unsettled_the_choice_says_what_is_taken(study):
    """Of those that are left the highest mean, or the cheapest."""
    record = Runs(study).settle(SettleSection(margin=1e-6))
    assert record.race.end == "in vain"
    assert "further rows would" in settled(record)
    assert settled_choice(record, "best").params == record.race.runners[0].params
    assert settled_choice(record, "cheapest") in record.candidates


def test_deleting_a_study_deletes_its_repeats(study):
    """Nothing of it stays."""
    Runs(study).settle()
    delete_study("tiny", study.url)
    assert study.storage.get_all_studies() == []


def test_a_repeat_has_splits_and_seeds_of_its_own():
    """Other ones for each repeat, the same each time; the study's own splits stay as they were."""
    spec = load_study({**sections("tiny", SPACE), "study": {"name": "tiny", "seed": 7}})
    y = np.arange(60) % 3
    found = {}
    for number in (1, 2):
        again, shuffled = seeded(repeat_spec(spec), Repeat("tiny", number).plain())
        assert again.study.seed not in (7, spec.study.seed)
        found[number] = [test.tolist() for _, test in make_splits(again, y, shuffled=shuffled)]
        same, _ = seeded(repeat_spec(spec), Repeat("tiny", number).plain())
        assert same.study.seed == again.study.seed
        assert sorted(np.concatenate(found[number])) == list(range(60))
    assert found[1] != found[2]
    assert seeded(spec, {"study": "tiny", "number": 1, "of": 2}) == (spec, False)


def test_candidates_of_one_cell_share_it_in_a_repeat(tmp_path):
    """A grid's epochs are asked of one fit again, and no others than those that are needed."""
    record = build(tmp_path / "l.db")
    needed = [c for c in record.candidates if c.params["hidden_size"] == 16]
    (cell,) = repeat_plan(needed).cells
    assert (cell.key, cell.epochs) == (needed[0].trial.key, (2, 5))
    assert repeat_plan(needed[:1]).cells[0].epochs == (2,)


def test_repeats_that_are_missing_in_between_are_not_skipped(study):
    """Only those from the first on count: a look needs all before it."""
    Runs(study, cells=1).settle()
    assert len(repeats_of(study, "tiny")) == 1
    found = standing(read_study(study, "tiny"), repeats_of(study, "tiny"), 0.02)
    assert found.repeats == 0


@pytest.mark.parametrize(
    ("search", "told"),
    [
        ({"cv": None, "validation": 0.2}, "one validation split"),
        ({"nested": 3}, "leave nested out"),
        ({"choose": "one_standard_error"}, "a standard error is another margin"),
        ({"timeout": "1h"}, "say within"),
        ({"objectives": ["score", "parameters"]}, "settles one score"),
    ],
)
def test_what_repeats_cannot_settle_is_refused(search, told):
    """In the study file, with the reason."""
    plain = sections("tiny", SPACE, settle={"margin": 0.01}, **search)
    with pytest.raises(StudyFileError, match=told):
        load_study({**plain, "search": {k: v for k, v in plain["search"].items() if v}})


@pytest.mark.parametrize(
    "settle", [3, {"margin": 0}, {"margin": "x"}, {"within": "soon"}, {"m": 1}]
)
def test_bad_settings_are_refused(settle):
    """With what to write."""
    with pytest.raises(
        StudyFileError, match=r"search.settle: must be a table, as { margin = 0.005"
    ):
        load_study(sections("tiny", SPACE, settle=settle))


def test_settings_are_kept_as_they_are_read():
    """Through the ledger's plain values too; a whole number is a margin of a loss."""
    spec = load_study(sections("tiny", SPACE, settle={"margin": 1, "within": "30m"}))
    assert spec.search.settle == SettleSection(margin=1.0, within=1800.0)
    assert type(spec).from_plain(spec.plain()).search.settle == spec.search.settle
    assert load_study(sections("tiny", SPACE, settle={})).search.settle == SettleSection()


def test_a_study_that_has_not_ended_is_refused(tmp_path):
    """And so is a part of another one."""
    build(tmp_path / "l.db", done=2)
    url = f"sqlite:///{tmp_path / 'l.db'}"
    with pytest.raises(LedgerError, match="has not ended"):
        settle_study("tiny", url)
    with closing(Ledger(url)) as ledger:
        ledger.update("tiny", part={"study": "whole", "repeat": 1})
    with pytest.raises(LedgerError, match="is a part of 'whole'"):
        settle_study("tiny", url)


def test_what_it_says_on_the_command_line_and_in_the_report(study, here):
    """A sentence, each candidate with its interval, its splits; JSON; the table of the report."""
    Runs(study).settle()
    told = sweep("best", "tiny", "--storage", study.url).stdout
    assert "Settled after" in told
    assert "as good" in told
    assert "cannot be told" not in told
    held = json.loads(sweep("best", "tiny", "--storage", study.url, "--format", "json").stdout)[
        "settled"
    ]
    assert held["current"]
    assert {each["standing"] for each in held["runners"]} == {"as good", "worse"}
    assert "Settled after" in sweep("show", "tiny", "--storage", study.url).stdout
    assert "What further repeats have told" in page.render(read_study(study, "tiny"))


def test_the_picture_shows_interval_point_and_margin():
    """The point stands right of the middle where a candidate is behind the best."""
    line = picture({"low": -0.01, "behind": 0.02, "high": 0.05}, margin=0.01, reach=0.1)
    middle = len(line) // 2
    assert line.index("●") > middle
    assert "░" in picture({"low": 0.05, "behind": 0.06, "high": None}, margin=0.01, reach=0.1)
    assert line.count("─") > 3


def test_imported_results_are_not_settled(tmp_path, here):
    """Nothing goes on with them."""
    build(tmp_path / "l.db")
    url = f"sqlite:///{tmp_path / 'l.db'}"
    with closing(Ledger(url)) as ledger:
        ledger.update("tiny", imported={"tool": "Optuna", "source": "a.db"})
    with pytest.raises(LedgerError, match="imported"):
        settle_study("tiny", url)


REAL = {
    "study": {"name": "real"},
    "data": {"dataset": "digits", "train_rows": 200},
    "model": {"factory": "mlp", "epochs": 1},
    "search": {"method": "grid", "cv": 2, "settle": {"margin": 0.3}},
    "space": {"hidden_size": [4, 48, 64]},
}


def test_a_run_settles_before_it_opens_the_test_set(tmp_path):
    """The winner is what the repeats have settled; once opened, and no more."""
    url = f"sqlite:///{tmp_path / 'l.db'}"
    record = run_study(REAL, storage=url, n_jobs=2).record
    assert record.race.repeats >= 1
    assert analysis.is_current(record, analysis.chosen(record))
    assert record.test_openings == 1
    assert len(record.trials) == 3
    with closing(Ledger(url)) as opened:
        assert left(opened, "real") == ""


def test_a_study_settles_the_same_for_any_number_of_workers(tmp_path):
    """Asked for in the study file, or afterwards with two workers: the same means."""
    one, two = (f"sqlite:///{tmp_path / name}.db" for name in ("one", "two"))
    first = run_study(REAL, storage=one, n_jobs=1).record
    search = {key: value for key, value in REAL["search"].items() if key != "settle"}
    run_study({**REAL, "search": search}, storage=two, n_jobs=2)
    second = settle_study("real", two, margin=0.3, n_jobs=2).record
    assert replace(first.race, ended_at="") == replace(second.race, ended_at="")
    again = run_study(REAL, storage=one).record
    assert again.race == first.race


def test_the_help_names_the_default_margin():
    """The command is described without loading study files, so it repeats the number."""
    assert f"[default: {MARGIN}]" in " ".join(read("settle", "--help").split())
