"""The report: one page, self-contained, honest, the same every time."""

import base64
import hashlib
import re
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise

import own_models
import pytest
from records import (
    HOSTILE,
    empty_record,
    grid_record,
    hostile_record,
    running_record,
    tpe_record,
    validation_record,
)

from sweep.errors import ResultError
from sweep.report import answer, details, pivots, plots, render, text, write_report
from sweep.report.parallel_coordinates import parallel
from sweep.study import StudyResult
from sweep.tables import candidates_frame, default_pivots, folds_frame

VOID = {"meta", "link", "input", "br", "hr", "img"}
RECORDS = {
    "grid": grid_record,
    "tpe": tpe_record,
    "validation": validation_record,
    "running": running_record,
    "empty": empty_record,
    "hostile": hostile_record,
}


class Page(HTMLParser):
    """Elements of a page, with a check that every one is closed in order."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.words, self.open, self.wrong = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if not {"script", "style", "svg"} & set(self.open):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module", params=RECORDS)
def page(request):
    html = render(RECORDS[request.param]())
    return html, Page(html)


def test_every_element_is_closed_in_order(page):
    """The page is well formed."""
    assert page[1].wrong == []
    assert page[1].open == []


def test_the_page_asks_for_nothing_from_outside(page):
    """No address of another place, and no element that would load one."""
    html, parsed = page
    html = re.sub(r'data-packed="[^"]*"|src="data:image/png;base64,[^"]*"', "", html)
    assert not re.search(r"https?://|//[a-z]|@import|url\((?!#)", html)
    assert {a.get("href") for a in parsed.all("link")} == {"data:,"}
    assert not [t for t, a in parsed.elements if t in {"img", "iframe", "object"} or "src" in a]


def test_nothing_is_styled_or_scripted_in_line(page):
    """No style attribute and no event attribute: the policy would stop them."""
    for tag, attributes in page[1].elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag


def test_the_policy_allows_only_the_pages_own_style_and_script(page):
    """The policy is default-src 'none' and the hashes of the one style and the one script."""
    html, parsed = page
    policy = next(a["content"] for a in parsed.all("meta") if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (source,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert len(parsed.all(tag)) == 1


def test_headings_come_in_order(page):
    """One h1, first; no level is skipped on the way down."""
    levels = [int(tag[1]) for tag, _ in page[1].elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_ids_are_unique_and_links_lead_somewhere(page):
    """Every link within the page has its target."""
    ids = [a["id"] for _, a in page[1].elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = {a["href"] for a in page[1].all("a")}
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_every_table_has_a_caption_and_a_container_that_the_keyboard_reaches(page):
    """As many captions as tables; scroll containers take focus and have a label."""
    parsed = page[1]
    assert len(parsed.all("caption")) == len(parsed.all("table"))
    scrolls = [a for a in parsed.all("div") if a.get("class") == "scroll"]
    scrolls = [a for a in scrolls if a["aria-label"] != "All parameters together"]
    assert len(scrolls) == len(parsed.all("table"))
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in scrolls)


def test_the_same_record_gives_the_same_bytes(page, request):
    """Rendering twice gives one page."""
    name = request.node.callspec.params["page"]
    assert render(RECORDS[name]()) == page[0]


def test_the_answer_says_settings_scores_intervals_and_the_opening():
    """Settings, held-out score with its interval and method, test score with date and rows."""
    words = Page(render(grid_record())).text
    assert "Take epochs = 10 , hidden_size = 256" in words
    assert "0.9447 0.9386 to 0.9503 95% interval, corrected resampled t over 5 splits" in words
    assert "test set of 5,000 rows opened once, on 2026-03-02 09:41" in words
    assert "0.9482" in words


def test_the_refitted_candidate_is_the_answer_even_when_the_study_has_grown():
    """The page keeps to what was refitted, and says that another candidate is now better."""
    record = grid_record()
    older = record.candidates[3]
    winner = replace(record.winner, params=older.params)
    words = Page(render(replace(record, winner=winner))).text
    assert "Take epochs = 5 , hidden_size = 32" in words
    assert "The study has grown since the choice: candidate 8" in words


def test_a_test_set_opened_more_than_once_is_no_clean_witness():
    """The page says how often the test set was opened, and what that means."""
    record = grid_record()
    again = replace(record, winner=replace(record.winner, test_openings=2))
    words = Page(render(again)).text
    assert "so may be the test score, for the test set was opened twice" in words
    assert "the test score is not" in Page(render(record)).text


def test_a_closed_test_set_is_said():
    """refit = false leaves the test set closed, and the page says so."""
    assert "The test set is still closed (refit = false)" in Page(render(validation_record())).text


def test_a_running_study_says_how_far_it_is():
    """The state and the cells stand on top."""
    words = Page(render(running_record())).text
    assert "running, 2 of 3 cells" in words
    assert "So far, take" in words


def test_a_study_without_a_complete_trial_says_so():
    """No settings are recommended where nothing is complete."""
    words = Page(render(empty_record())).text
    assert "No settings to take: no trial is complete, 1 cell failed" in words
    assert "out of memory" in words


def nan_scores(record):
    """The study with every score NaN."""
    trials = {
        t.number: replace(
            t,
            splits=tuple(replace(s, test=dict.fromkeys(s.test, float("nan"))) for s in t.splits),
        )
        for t in record.trials
    }
    rows = tuple(replace(c, trial=trials[c.trial.number]) for c in record.candidates)
    return replace(record, trials=tuple(trials.values()), candidates=rows, winner=None)


@pytest.mark.parametrize(
    "record",
    [
        replace(grid_record(), candidates=(), trials=(), winner=None),
        nan_scores(grid_record()),
        grid_record(epochs=(1,), widths=(32,), folds=1),
        tpe_record(1, refit=False),
        replace(
            grid_record(),
            spec={},
            environment={},
            data=replace(grid_record().data, class_counts=(), classes=()),
        ),
        replace(grid_record(), winner=replace(grid_record().winner, layers=(), confusion=())),
    ],
    ids=["nothing", "nan", "one", "one tpe", "no spec", "no layers"],
)
def test_sparse_studies_have_a_page(record):
    """Whatever a study lacks, its page is made and well formed."""
    parsed = Page(render(record))
    assert parsed.wrong == []
    assert "Take" in parsed.text or "No settings to take" in parsed.text


def test_every_candidate_is_a_row_of_the_leaderboard():
    """All rows are in the page, pruned and failed ones last, without a score."""
    html = render(tpe_record(60))
    body = html.split('<table id="board">')[1].split("<tbody>")[1].split("</tbody>")[0]
    states = re.findall(r"<td>(complete|pruned|failed)</td>", body)
    assert len(states) == 60
    assert states == sorted(states, key=lambda s: s != "complete")


def test_a_pivot_that_is_asked_for_is_made():
    """pivots are names with commas; the specification's come where none are given."""
    record = grid_record()
    frame = candidates_frame(record)
    (asked,) = pivots.heat_maps(record, frame, ["hidden_size,epochs"])
    assert asked.title == "hidden_size against epochs"
    named = replace(record, spec={**record.spec, "report": {"pivots": ["epochs"]}})
    (alone,) = pivots.heat_maps(named, frame)
    assert alone.columns == ("mean",)
    assert [label for label, _ in alone.rows] == ["1", "5", "10"]


def test_a_pivot_of_an_unknown_parameter_is_refused():
    """The error names the allowed parameters."""
    with pytest.raises(ResultError, match="did you mean hidden_size"):
        render(grid_record(), ["hiden_size,epochs"])


def test_the_cells_of_a_heat_map_hold_value_and_n():
    """Each cell says its mean and count; the best is ringed and darkest."""
    record = grid_record()
    (made,) = pivots.heat_maps(record, candidates_frame(record))
    cells = [cell for _, row in made.rows for cell in row]
    assert all(cell.notes[-1] == "n 1" for cell in cells)
    assert [cell.text for cell in cells if cell.ringed] == ["0.9447"]
    assert max(cells, key=lambda c: float(c.text)).shade == 9
    assert min(cells, key=lambda c: float(c.text)).shade == 0


def test_many_numbers_stand_in_quartiles_and_the_caption_says_so():
    """A learning rate of many values becomes four rows."""
    record = tpe_record(60)
    (made,) = pivots.heat_maps(record, candidates_frame(record), ["learning_rate,optimizer"])
    assert len(made.rows) == 4
    assert "learning_rate in quartiles of the values tried" in made.caption


def test_the_default_pivots_lead_with_what_matters():
    """The parameter that moves the score is in the first pair; one that does not apply is kept."""
    record = tpe_record(60)
    frame = candidates_frame(record)
    complete = frame[frame["state"] == "COMPLETE"]
    pairs = default_pivots(complete, frozenset({"learning_rate", "dense_dropout_rate"}))
    assert len(pairs) == 3
    assert sum("learning_rate" in pair for pair in pairs) == 2


def test_the_layers_end_in_their_total():
    """The layer table sums the weights."""
    table = details.layers(grid_record())
    assert table.rows[-1] == ("total", "", "", "203,530")
    assert [row[0] for row in table.rows[:-1]] == ["flatten", "hidden_1", "output"]


def test_the_confusion_matrix_says_the_recall_of_each_class():
    """Each row ends in the share of its class that was found."""
    made = details.confusion(grid_record())
    _, first = made.rows[0]
    assert first[0].text == "475"
    assert first[-1].text == "95.0%"
    assert details.confusion(validation_record()) is None


def test_many_classes_are_a_list_of_recalls():
    """A matrix of more than twenty classes is not drawn."""
    record = grid_record()
    matrix = tuple(tuple(3 if i == j else 1 for j in range(30)) for i in range(30))
    made = details.confusion(replace(record, winner=replace(record.winner, confusion=matrix)))
    assert made.columns == ("right", "rows", "recall")
    assert made.rows[29][0] == "29"


def test_cut_attempts_are_counted():
    """Attempts ended from outside are said where the search is told, once, in good grammar."""
    record = tpe_record(12)
    said = "1 attempt was cut from outside (an interrupted run, a lost worker); it is in no table."
    assert details.cut_attempts(record) == said
    twice = replace(record, trials=(*record.trials, record.trials[-1]))
    assert details.cut_attempts(twice).startswith("2 attempts were cut from outside")
    assert details.cut_attempts(grid_record()) == ""
    section = render(record).split('<section id="search">')[1].split("</section>")[0]
    assert said in section


def test_an_interrupted_run_is_no_failure():
    """A cut attempt alone makes no section of failures, and no entry of the navigation."""
    record = grid_record()
    cut = replace(record.trials[0], number=9, state="CUT", splits=())
    html = render(replace(record, trials=(*record.trials, cut)))
    assert "1 attempt was cut from outside" in html
    assert "failures" not in html.partition("<body>")[2]


def test_failures_are_cells_at_their_latest_attempt():
    """A retry counts once; a retry that went well counts not at all."""
    record = grid_record(done=2)
    failed = [
        replace(t, number=n, state="FAIL", splits=(), reason=f"attempt {n}")
        for n, t in enumerate((*record.trials, *record.trials), start=10)
    ]
    table = details.failures(replace(record, trials=tuple(failed)))
    assert table.caption == "2 of 3 cells failed at their last attempts."
    assert [row[1] for row in table.rows] == ["attempt 12", "attempt 13"]
    well = replace(record, trials=(failed[0], *record.trials))
    assert details.failures(well) is None


def test_time_at_work_leaves_out_pauses_and_counts_overlaps_once():
    """Trials side by side count once; the night between two runs counts not at all."""
    record = grid_record()
    begun = record.trials[0].started

    def at(trial, start, end, **changes):
        span = {
            "started": begun + timedelta(seconds=start),
            "finished": begun + timedelta(seconds=end),
        }
        return replace(trial, **span, **changes)

    a, b, c = record.trials
    cut = at(a, 0, 9_000, number=7, state="CUT")
    trials = (at(a, 0, 40), at(b, 20, 50), at(c, 3_600, 3_610), cut)
    facts = dict(answer.facts(replace(record, trials=trials)))
    assert facts["Time running trials"] == "1 min 0 s"
    assert "Wall clock" not in facts


def built(record, factory, **model):
    """The record without a winner, of another model; what its Python says."""
    spec = {**record.spec, "model": {"factory": factory, **model}}
    return details.repeat(replace(record, winner=None, spec=spec))


def test_python_opens_the_refitted_winner():
    """With a winner the page gives the lines that load it."""
    python = details.repeat(grid_record()).python
    assert python.splitlines() == [
        "from sweep import open_study", "model = open_study('mnist-mlp-grid').best_estimator_",
    ]  # fmt: skip
    assert "in the same project, the refitted model" in Page(render(grid_record())).text


@pytest.mark.parametrize(
    ("factory", "made", "first"),
    [
        ("mlp", "KerasMLPClassifier", ()),
        ("cnn", "KerasCNNClassifier", ()),
        ("two_stage", "KerasClassifier", ("two_stage",)),
        ("own_models:plain", "KerasClassifier", (own_models.plain,)),
    ],
)
def test_python_builds_the_estimator(monkeypatch, factory, made, first):
    """Without a winner it builds the estimator with the settings of the search."""
    held = {}

    def note(*args, **params):
        held.update(args=args, params=params)
        return "built"

    monkeypatch.setattr(f"sweep.{made}", note, raising=False)
    record = grid_record()
    names = {}
    exec(built(record, factory, batch_size=128).python, names)  # noqa: S102 - the subject
    assert names["model"] == "built"
    assert held["args"] == first
    settled = {"scaling": "unit", "random_state": 0, "batch_size": 128}
    assert held["params"] == {**settled, "epochs": 10, "hidden_size": 256}


def test_python_breaks_long_lines():
    """A construction with many settings has one a line; a short one stays on one."""
    long, short = built(tpe_record(30), "cnn"), built(grid_record(), "mlp")
    assert max(map(len, long.python.splitlines())) < 60
    assert len(short.python.splitlines()) == 2


def test_the_command_allows_the_modules_that_the_study_names():
    """Model and data of a person's own are allowed in the command, each module once."""
    record = grid_record()
    assert built(record, "mine.nets:build").command.endswith(".toml --allow mine.nets")
    data = {"dataset": "pets:load"}
    spec = {**record.spec, "data": data, "model": {"factory": "pets:build"}}
    assert details.repeat(replace(record, spec=spec)).command.count("--allow pets") == 1


def test_the_page_speaks_of_candidates_not_of_rows_or_trial_numbers():
    """The candidate's number has one name; a curve is named by its settings."""
    html = render(tpe_record(60))
    titles = re.findall(r"<th[^>]*><button[^>]*>([^<]*)</button>", html)
    assert titles[:2] == ["rank", "candidate"]
    assert "row" not in titles
    keys = re.findall(r'class="keys">(.*?)</ul>', html, flags=re.DOTALL)[0]
    assert "filters = " in keys
    assert not re.search(r"trial \d", keys)
    first = plots.learning(grid_record(), folds_frame(grid_record()))[0].data
    assert (first.head[0], first.rows[0][0]) == ("candidates", "0, 3, 6")


def test_the_command_names_a_harmless_file():
    """A study's name never reaches the command as it stands."""
    record = replace(grid_record(), name="../../etc; rm -rf $HOME")
    assert details.repeat(record).command == "sweep run etc-rm--rf-HOME--8341b4fadea7d96e.toml"


def test_hostile_names_are_text():
    """Markup in a name is escaped everywhere, direction characters are gone."""
    html = render(hostile_record())
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "\u202e" not in html
    assert len(Page(html).all("script")) == 1
    assert HOSTILE in Page(html).text


def test_2000_trials_of_five_splits_stay_below_2_mb():
    """Curves are sampled and tables cut, and the page says so."""
    page = render(tpe_record(2000, splits=5))
    assert len(page.encode()) < 2_000_000
    assert re.search(r"300 of the 1,\d{3} others are drawn\.", page)
    assert "The first 100 rows of 2,000." in page


def test_200_trials_of_five_splits_stay_below_400_kb():
    """A large study's page is small."""
    assert len(render(tpe_record(200, splits=5)).encode()) < 400_000


def test_a_report_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """The folder is made; a failure leaves the old page and no remains."""
    target = write_report(grid_record(), tmp_path / "deep" / "report.html")
    before = target.read_bytes()
    assert before.startswith(b"<!doctype html>")
    assert stat.S_IMODE(target.stat().st_mode) & 0o077 != 0 or sys.platform == "win32"

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(running_record(), target)
    assert target.read_bytes() == before
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]


def test_the_read_arm_imports_neither_tensorflow_nor_scikit_learn():
    """Rendering a report loads none of the libraries of the write arm, and no pyplot."""
    code = (
        "import sys; sys.path.insert(0, 'tests'); import records; from sweep.report import render; "
        "render(records.grid_record()); "
        "print(*{'tensorflow', 'keras', 'sklearn', 'optuna', 'matplotlib.pyplot'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "0.50 s"),
        (12.4, "12 s"),
        (125, "2 min 5 s"),
        (7322, "2 h 2 min"),
        (float("nan"), text.NOTHING),
    ],
)
def test_durations_read_as_a_person_would_say_them(seconds, words):
    """Seconds, minutes, hours."""
    assert text.seconds(seconds) == words


def test_scores_of_any_size_read_well():
    """Four decimals, or four digits; nothing is a dash."""
    assert [text.score(v) for v in (0.5, -12.3456, None)] == ["0.5000", "-12.35", text.NOTHING]


def test_lone_winners_are_said_to_stand_alone():
    """Where the data tell the best from all others the page says so, otherwise it lists rivals."""
    alone, crowd = answer.answer(grid_record()), answer.answer(tpe_record(60))
    assert "Every other candidate scores lower by more than chance" in alone.caution
    assert alone.rivals is None
    assert "Every other candidate" not in crowd.caution
    assert len(crowd.rivals.rows) == 5


@pytest.mark.parametrize("name", ["parameters", "candidate", "score", "rank", "place"])
def test_a_parameter_named_like_a_column(name):
    """It has a column and an axis of its own beside that one, wherever the page lists them."""
    renamed = _renamed(tpe_record(60), "learning_rate", name)
    rivals = answer.answer(renamed).rivals
    assert rivals.head.count(name) == (2 if name in ("parameters", "candidate") else 1)
    assert {len(rivals.head), len(rivals.numeric)} == {len(row) for row in rivals.rows}
    axes = [axis.name for axis in parallel(renamed, candidates_frame(renamed)).axes]
    before = parallel(tpe_record(60), candidates_frame(tpe_record(60))).axes
    assert axes == [axis.name.replace("learning_rate", name) for axis in before]
    assert name in render(renamed)


def _renamed(record, old, new):
    """Return a record with a parameter under another name."""

    def fit(params):
        return {new if key == old else key: value for key, value in params.items()}

    trials = {t.number: replace(t, params=fit(t.params)) for t in record.trials}
    rows = tuple(
        replace(c, params=fit(c.params), trial=trials[c.trial.number]) for c in record.candidates
    )
    winner = record.winner and replace(record.winner, params=fit(record.winner.params))
    spec = {**record.spec, "space": fit(record.spec["space"])}
    return replace(
        record, spec=spec, trials=tuple(trials.values()), candidates=rows, winner=winner,
        importances=None,
    )  # fmt: skip


def test_a_copied_result_is_marked_in_the_leaderboard():
    """Its row says whose result it is, the caption how many were not trained again."""
    from sweep.report.leaderboard import leaderboard

    record = tpe_record(12)
    first, *others = record.candidates
    copied = replace(first, trial=replace(first.trial, copied_from=5))
    record = replace(record, candidates=(copied, *others))
    made = leaderboard(record, candidates_frame(record))
    assert [row.state for row in made.rows].count("complete (copy of candidate 5)") == 1
    assert "not trained again: 1." in made.caption


def test_a_notebook_shows_a_result_and_its_report(tmp_path):
    """The ten best with a small picture; the page where it was written."""
    result = StudyResult(tpe_record(), "sqlite:///none.db")
    shown = result._repr_html_()
    assert shown.count("<tr") == 11
    assert "<svg" in shown
    assert "--accent: #3b82c4" in shown
    path = result.report(tmp_path / "r.html")
    assert path.is_file()
    page = path._repr_html_()
    assert page.startswith('<iframe title="Report" srcdoc="&lt;!doctype html&gt;')
    assert "<script>" not in page


def test_seconds_and_sizes_are_weighed_against_the_score():
    """A figure for each, where they differ."""
    page = render(tpe_record())
    assert "Cost against score" in page
    assert "Size against score" in page
