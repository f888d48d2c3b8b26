"""The sections of a report: leaderboard, pivots, model, failures, search."""

import re
from dataclasses import replace

import pytest
from html_page import Page
from records import (
    grid_record,
    tpe_record,
    validation_record,
)

from sweep.analysis import best
from sweep.errors import ResultError
from sweep.report import answer, render
from sweep.report.curve_data import curve_folds
from sweep.report.curves import learning_curves
from sweep.report.failures import failures
from sweep.report.leaderboard import how_far, leaderboard
from sweep.report.model import confusion, layers
from sweep.report.parallel_coordinates import parallel
from sweep.report.pivots import heat_maps
from sweep.report.report_data import report_data
from sweep.report.search import cut_trials
from sweep.tables import candidates_frame, default_pivots


def test_every_candidate_is_a_row_of_the_leaderboard():
    """All rows are in the page, pruned and failed ones last, without a score."""
    html = render(tpe_record(60))
    body = html.split('<table id="board">')[1].split("<tbody>")[1].split("</tbody>")[0]
    states = re.findall(r"<td>(?:<bdi>)?(complete|pruned|failed)[^<]*(?:</bdi>)?</td>", body)
    assert len(states) == 60
    assert states == sorted(states, key=lambda s: s != "complete")


def test_a_row_without_a_rank_says_how_far_it_came_and_with_what():
    """Its last scores, and the reason; a complete one says nothing beside its score."""
    record = tpe_record(60)
    (pruned, *_) = [c for c in record.candidates if c.trial.state == "PRUNED"]
    (split,) = pruned.trial.splits
    last = max(split.test)
    epochs = f"{last} epoch" if last == 1 else f"{last} epochs"
    assert how_far(pruned, 1) == f": {split.test[last]:.4f} after {epochs}"
    several = replace(pruned, trial=replace(pruned.trial, splits=(split, replace(split, test={}))))
    assert how_far(several, 5).endswith(f"after {epochs} of 1 of 5 fits")
    further = replace(split, test={**split.test, last + 1: 1.0})
    uneven = replace(pruned, epoch=last + 1, trial=replace(pruned.trial, splits=(split, further)))
    assert how_far(uneven, 5) == f": {split.test[last]:.4f} after {epochs} of 2 of 5 fits"
    failed = replace(pruned.trial, state="FAIL", splits=(), reason="no memory " * 40)
    words = how_far(replace(pruned, trial=failed), 1)
    assert words.startswith(": no memory")
    assert words.endswith(" …")
    assert len(words) < 170
    assert how_far(best(record), 1) == ""
    assert "after" in render(record).split('<table id="board">')[1].split("</table>")[0]


def test_a_sparse_pivot_is_a_sentence_unless_it_is_asked_for():
    """Fewer than two candidates a cell; a grid whose cells are all filled is drawn."""
    record, frame = tpe_record(14), candidates_frame(tpe_record(14))
    made = heat_maps(record, frame)
    assert any(not each.rows for each in made)
    sparse = next(each for each in made if not each.rows)
    assert "fewer than 2 in each" in sparse.caption
    names = re.search(r'pivots = \["(.*?)"\]', sparse.caption)[1]
    (asked,) = heat_maps(record, frame, [names])
    assert asked.rows
    grid = grid_record(epochs=(5,), widths=(32, 64))
    assert all(each.rows for each in heat_maps(grid, candidates_frame(grid)))
    assert sparse.caption.split("cells")[0] in Page(render(record)).text


def test_a_pivot_that_is_asked_for_is_made():
    """pivots are names with commas; the specification's come where none are given."""
    record = grid_record()
    frame = candidates_frame(record)
    (asked,) = heat_maps(record, frame, ["hidden_size,epochs"])
    assert asked.title == "hidden_size against epochs"
    named = replace(record, spec={**record.spec, "report": {"pivots": ["epochs,hidden_size"]}})
    (written,) = heat_maps(named, frame)
    assert written.title == "epochs against hidden_size"
    (alone,) = heat_maps(record, frame, ["epochs"])
    assert alone.columns == ("mean",)
    assert [label for label, _ in alone.rows] == ["1", "5", "10"]


def test_a_pivot_of_an_unknown_parameter_is_refused():
    """The error names the allowed parameters."""
    with pytest.raises(ResultError, match="did you mean hidden_size"):
        render(grid_record(), ["hiden_size,epochs"])


def test_the_cells_of_a_heat_map_hold_value_and_n():
    """Each cell says its mean and count; the best is ringed and darkest."""
    record = grid_record()
    (made,) = heat_maps(record, candidates_frame(record))
    cells = [cell for _, row in made.rows for cell in row]
    assert all(cell.notes[-1] == "n 1" for cell in cells)
    assert [cell.text for cell in cells if cell.ringed] == ["0.9447"]
    assert max(cells, key=lambda c: float(c.text)).shade == 9
    assert min(cells, key=lambda c: float(c.text)).shade == 0


def test_many_numbers_stand_in_quartiles_and_the_caption_says_so():
    """A learning rate of many values becomes four rows."""
    record = tpe_record(60)
    (made,) = heat_maps(record, candidates_frame(record), ["learning_rate,optimizer"])
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
    table = layers(grid_record())
    assert table.rows[-1] == ("total", "", "", "203,530")
    assert [row[0] for row in table.rows[:-1]] == ["flatten", "hidden_1", "output"]


def test_the_confusion_matrix_says_the_recall_of_each_class():
    """Each row ends in the share of its class that was found."""
    made = confusion(grid_record())
    _, first = made.rows[0]
    assert first[0].text == "475"
    assert first[-1].text == "95.0%"
    assert confusion(validation_record()) is None


def test_many_classes_are_a_list_of_recalls():
    """A matrix of more than twenty classes is not drawn."""
    record = grid_record()
    matrix = tuple(tuple(3 if i == j else 1 for j in range(30)) for i in range(30))
    made = confusion(replace(record, winner=replace(record.winner, confusion=matrix)))
    assert made.columns == ("right", "rows", "recall")
    assert made.rows[29][0] == "29"


def test_cut_attempts_are_counted():
    """Attempts ended from outside are said where the search is told, once, in good grammar."""
    record = tpe_record(12)
    said = "1 attempt was cut from outside (an interrupted run, a lost worker); it is in no table."
    assert cut_trials(record) == said
    twice = replace(record, trials=(*record.trials, record.trials[-1]))
    assert cut_trials(twice).startswith("2 attempts were cut from outside")
    assert cut_trials(grid_record()) == ""
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
    table = failures(report_data(replace(record, trials=tuple(failed))))
    assert table.caption == "2 of 3 cells failed at their last attempts."
    assert [row[1] for row in table.rows] == ["attempt 12", "attempt 13"]
    well = replace(record, trials=(failed[0], *record.trials))
    assert failures(report_data(well)) is None


def test_the_page_speaks_of_candidates_not_of_rows_or_trial_numbers():
    """The candidate's number has one name; a curve is named by its settings."""
    html = render(tpe_record(60))
    titles = re.findall(r"<th[^>]*><button[^>]*>([^<]*)</button>", html)
    assert titles[:2] == ["rank", "held-out"]  # what it cost and its settings follow
    assert titles.index("parameters") < titles.index("candidate") < titles.index("filters")
    assert "row" not in titles
    keys = re.findall(r'class="keys">(.*?)</ul>', html, flags=re.DOTALL)[0]
    assert "filters = " in keys
    assert not re.search(r"trial \d", keys)
    first = learning_curves(grid_record(), *curve_folds(grid_record()))[0].data
    assert (first.head[0], first.rows[0][0]) == ("candidates", "0, 3, 6")


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
    record = tpe_record(12)
    first, *others = record.candidates
    copied = replace(first, trial=replace(first.trial, copied_from=5))
    record = replace(record, candidates=(copied, *others))
    made = leaderboard(report_data(record))
    assert [row.state for row in made.rows].count("complete (copy of candidate 5)") == 1
    assert "not trained again: 1." in made.caption


def test_seconds_and_sizes_are_weighed_against_the_score():
    """A figure for each, where they differ."""
    page = render(tpe_record())
    assert "Cost against score" in page
    assert "Size against score" in page
