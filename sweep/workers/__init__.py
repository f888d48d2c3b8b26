"""Processes that evaluate cells: the loop that each runs."""
