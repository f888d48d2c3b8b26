"""Figures: their data, and drawings that fit a strict page."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path
from records import HOSTILE, RIGHT_TO_LEFT, grid_record, tpe_record

from sweep import figures
from sweep.tables import candidates_frame, folds_frame


def every_svg(record):
    """One drawing of each kind."""
    frame, folds = candidates_frame(record), folds_frame(record)
    name = next(c for c in frame if c.startswith("param_")).removeprefix("param_")
    drawn = {
        "history": figures.draw_history(figures.history_frame(record)),
        "cost": figures.draw_cost(figures.cost_frame(frame)),
        "slice": figures.draw_slice(figures.slice_frame(frame, name)),
        "curves": figures.draw_curves(folds, [0, 1]),
        "loss": figures.draw_loss(folds, [0, 1]),
        "timeline": figures.draw_timeline(figures.timeline_frame(record)),
    }
    return {k: figures.to_svg(v, f"{k}-", "a title", "a description") for k, v in drawn.items()}


@pytest.fixture(scope="module")
def svgs():
    return every_svg(tpe_record(30))


def test_the_history_keeps_the_best_complete_score_so_far():
    """best is the running maximum over complete trials; pruned ones do not raise it."""
    data = figures.history_frame(tpe_record(30))
    complete = data[data["state"] == "COMPLETE"]
    assert data["best"].dropna().is_monotonic_increasing
    assert data["best"].iloc[-1] == complete["score"].max()
    assert data["order"].tolist() == list(range(1, 31))


def test_the_history_leaves_out_cut_attempts():
    """An attempt ended from outside is no row."""
    record = tpe_record(30)
    assert "CUT" in {t.state for t in record.trials}
    assert "CUT" not in set(figures.history_frame(record)["state"])


def test_the_cost_front_is_what_nothing_cheaper_beats():
    """A row is on the front where no cheaper or equal row scores at least as high."""
    data = figures.cost_frame(candidates_frame(grid_record()))
    for row in data.itertuples():
        others = data[(data["seconds"] <= row.seconds) & (data.index != row.Index)]
        assert row.front == (not (others["score"] >= row.score).any())


def test_a_slice_holds_complete_candidates_to_which_the_parameter_applies():
    """momentum's slice has the complete sgd candidates alone."""
    frame = candidates_frame(tpe_record(60))
    wanted = frame[(frame["state"] == "COMPLETE") & (frame["param_optimizer"] == "sgd")]
    data = figures.slice_frame(frame, "momentum")
    assert data["candidate"].tolist() == wanted["candidate"].tolist()
    assert list(data) == ["candidate", "value", "score"]


def test_curves_are_means_over_splits():
    """curves_frame averages the splits of a trial, epoch by epoch."""
    folds = folds_frame(grid_record())
    row = figures.curves_frame(folds).set_index(["trial", "epoch"]).loc[(2, 4)]
    rows = folds[(folds["trial"] == 2) & (folds["epoch"] == 4)]
    assert row["test_score"] == pytest.approx(np.mean(rows["test_score"]))


def test_the_timeline_has_a_bar_for_each_trial_in_one_drawing_a_state():
    """Bars lie on their worker's row from start to end, and are not thousands of artists."""
    data = pd.DataFrame(
        {
            "worker": [1, 1, 2],
            "trial": [0, 2, 1],
            "state": ["COMPLETE", "FAIL", "COMPLETE"],
            "from": [0.0, 4.0, 1.0],
            "to": [3.5, 6.0, 9.0],
        }
    )
    drawn = figures.draw_timeline(data).axes[0]
    bars = {tuple(p.get_extents().bounds) for patch in drawn.patches for p in boxes(patch)}
    whole = {(0.0, 0.64, 3.5, 0.72), (4.0, 0.64, 2.0, 0.72), (1.0, 1.64, 8.0, 0.72)}
    assert {tuple(np.round(b, 9)) for b in bars} == whole
    assert len(drawn.patches) == data["state"].nunique()
    assert drawn.get_xlim()[0] == 0
    assert drawn.get_xlim()[1] > 9


def boxes(patch):
    """The closed boxes of a compound path."""
    vertices = patch.get_path().vertices
    return [Path(corners[:-1]) for corners in vertices.reshape(-1, 5, 2)]


def test_drawings_have_the_colours_of_the_page(svgs):
    """No colour but CSS variables and none; each theme fills them in."""
    for svg in svgs.values():
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
        assert colours <= {"none"} | {c for c in colours if c.startswith("var(--")}
        assert len(colours) > 1


def test_drawings_hold_nothing_that_a_strict_policy_forbids(svgs):
    """No style attribute, no style element, no address, no fixed size."""
    for svg in svgs.values():
        assert not re.search(r"style=|<style|https?:|<svg[^>]* width=|font-family", svg)


def test_drawings_say_what_they_show(svgs):
    """Each is an image with a label, a title and a description."""
    for svg in svgs.values():
        root = ET.fromstring(svg)  # noqa: S314 - our own drawing
        assert root.get("role") == "img"
        assert root.get("aria-label") == root[0].text == "a title"
        assert root[1].text == "a description"
        assert root.get("aria-describedby") == root[1].get("id")


def test_ids_are_the_figures_own_and_every_reference_holds(svgs):
    """Ids carry the figure's prefix, are unique, and all that is referred to exists."""
    for name, svg in svgs.items():
        ids = re.findall(r' id="([^"]+)"', svg)
        assert len(ids) == len(set(ids))
        assert all(ident.startswith(f"{name}-") for ident in ids)
        assert set(re.findall(r"#([\w-]+)", svg)) <= set(ids)


def test_drawings_repeat_byte_for_byte(svgs):
    """The same record gives the same bytes."""
    assert every_svg(tpe_record(30)) == svgs


def test_hostile_labels_are_text():
    """Markup, mathtext and direction characters in a value are drawn as text or dropped."""
    data = pd.DataFrame(
        {"candidate": [0, 1], "value": [HOSTILE, RIGHT_TO_LEFT], "score": [0.1, 0.2]}
    )
    svg = figures.to_svg(figures.draw_slice(data, "$\\frac{"), "x", HOSTILE, HOSTILE)
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "held-out $\\frac{" in svg


@pytest.mark.parametrize(
    "name", ["$x^2$", "$", "$$", "$\\frac{$", "_nolegend_", "a\nb", "%s{}", ""]
)
def test_a_name_that_mathtext_would_read_is_drawn_as_it_is(name):
    """Wherever a figure writes a name of the person's: ticks, titles, beside bars and levels."""
    data = pd.DataFrame({"candidate": [0, 1], "value": [name, "b"], "score": [0.1, 0.2]})
    weighed = pd.DataFrame({"parameter": [name], "importance": [0.5]})
    folds = folds_frame(grid_record())
    drawn = {
        "slice": figures.draw_slice(data, name),
        "importances": figures.draw_importances(weighed),
        "curves": figures.draw_curves(folds, [0], name),
    }
    for kind, figure in drawn.items():
        svg = figures.to_svg(figure, "x", "t", "d")
        texts = ET.fromstring(svg).iter("text")  # noqa: S314 - our own
        said = {text.text or "" for text in texts}
        assert not name or any(name.replace("\n", "")[:6] in each for each in said), kind


def test_labels_of_many_values_do_not_lie_over_each_other():
    """Where there is no room for three letters each, every second or third is named."""
    values = [f"kind{n:02}" for n in range(20)]
    data = pd.DataFrame({"candidate": range(20), "value": values, "score": np.linspace(0, 1, 20)})
    figure = figures.draw_slice(data, "accuracy")
    axes = figure.axes[0]
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert 3 <= len(boxes) < 20
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize(
    "values",
    [
        [16, 32, 64, 128],
        [0.0001, 0.001, 0.01, 0.1],
        [0.0, 0.25, 0.5],
        [1, 2, 3, 1000, 1001],
        [5, 6],
    ],
)
def test_a_few_numbers_keep_their_distances(values):
    """Means stand at their numbers, on a logarithmic axis where one is many times another."""
    data = pd.DataFrame({"candidate": range(len(values)), "value": values})
    data = data.assign(score=np.linspace(0, 1, len(values)))
    axes = figures.draw_slice(data, "accuracy").axes[0]
    bars = [line.get_xdata().mean() for line in axes.lines if len(line.get_xdata()) == 2]
    wide = values[0] > 0 and values[-1] >= 20 * values[0]
    np.testing.assert_allclose(bars, np.log10(values) if wide else values)
    labels = axes.get_xticklabels()
    boxes = [label.get_window_extent() for label in labels]
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
    assert (labels[0].get_text(), labels[-1].get_text()) == (
        f"{values[0]:.4g}",
        f"{values[-1]:.4g}",
    )


def test_one_value_and_no_value_can_be_drawn():
    """A figure of one point, and of a study whose trials all lack a score, does not fail."""
    record = tpe_record(1)
    svg = figures.to_svg(figures.draw_history(figures.history_frame(record)), "h", "t", "d")
    assert svg.count("<use") >= 1
    frame = candidates_frame(tpe_record(60))
    none = figures.cost_frame(frame[frame["state"] != "COMPLETE"])
    assert none.empty
    assert figures.to_svg(figures.draw_cost(none), "k", "t", "d").startswith("<svg")


@pytest.mark.parametrize(
    ("values", "ranged", "expected"),
    [
        (range(9), False, True),
        (range(8), False, False),
        (range(5), True, True),
        ([0.1, None, 0.2], True, False),
        (["a"] * 20, False, False),
        ([True, False] * 9, False, False),
    ],
)
def test_many_numbers_get_an_axis(values, ranged, expected):
    """More than eight numbers, or more than four of a range, are drawn along an axis."""
    from sweep.tables import is_continuous

    assert is_continuous(values, ranged=ranged) is expected
