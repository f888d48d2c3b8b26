"""One page that says which settings to take, and how sure one may be."""

from __future__ import annotations

from sweep.report.page import render, write_report

__all__ = ["render", "write_report"]
