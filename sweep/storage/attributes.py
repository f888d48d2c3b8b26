"""Under which names the ledger keeps what Optuna has no place for."""

FORMAT = 2
"""Version of what we keep in the storage; a later one is refused. From 2 on with digests."""

CELL, RESULT, REASON, WORKER, LOST, COPIED = (
    f"sweep:{name}" for name in ("cell", "result", "reason", "worker", "lost", "copied_from")
)
SECTIONS = "sweep:sections"
"""A person's own sections of the report."""
STUDY, WINNER, NESTED = "sweep:study", "sweep:winner", "sweep:nested"
IMPORTANCES, OPENING = "sweep:importances", "sweep:opening:"
SOURCE = "sweep:from"
"""On a trial of another study, put in for the sampler to learn from: which study, which
candidate."""
RUNG = "sweep:rung"
"""On a trial of hyperband or successive halving: where it pauses, and what it goes on from."""
STOP = "sweep:stop"
"""On a study: when somebody asked its workers to finish their cells and leave; None after."""
TURN = "sweep:turn:"
"""On a study: who is at a part of the work on it that one process does at a time."""
SUMMARY = "sweep:summary"
"""On a trial that has ended with a result or a reason: what a list and a leaderboard count."""
DIGEST = "sweep:digest"
"""On a trial that has ended, and in a winner: what tells whether it was changed since."""
BY_DRAW, SINCE = "ends_by_draw", "patience_from"
"""In a study's header: whether patience takes trials in the order of their draws, which were known
beforehand; from which trial on it counts."""
