"""Figures of a study: for each, a function that prepares its data and one that draws it."""

from __future__ import annotations

from sweep.figures.canvas import to_svg
from sweep.figures.cost import cost_frame, draw_cost
from sweep.figures.curves import curves_frame, draw_curves, draw_loss
from sweep.figures.differences import draw_differences
from sweep.figures.fit import draw_fit, fit_frame
from sweep.figures.history import draw_history, history_frame
from sweep.figures.importances import draw_importances
from sweep.figures.pareto import AXES, draw_pareto
from sweep.figures.progress import draw_progress
from sweep.figures.sampling import sample_note
from sweep.figures.slices import draw_slice, slice_frame
from sweep.figures.timeline import draw_timeline, timeline_frame

__all__ = [
    "AXES",
    "cost_frame",
    "curves_frame",
    "draw_cost",
    "draw_curves",
    "draw_differences",
    "draw_fit",
    "draw_history",
    "draw_importances",
    "draw_loss",
    "draw_pareto",
    "draw_progress",
    "draw_slice",
    "draw_timeline",
    "fit_frame",
    "history_frame",
    "sample_note",
    "slice_frame",
    "timeline_frame",
    "to_svg",
]
