"""Processes that evaluate cells: the loop each runs, and the pool that a run starts."""
