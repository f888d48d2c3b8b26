"""One page that says which settings to take, and how sure one may be."""

from __future__ import annotations

from sweep.report.comparison import render_comparison, write_comparison
from sweep.report.page import render, write_report

__all__ = ["render", "render_comparison", "write_comparison", "write_report"]
