"""Figures are drawn one at a time: matplotlib's settings are those of the whole process."""

import threading

DRAWING = threading.Lock()
