"""Names of the user attributes in which sweep stores what Optuna has no column for."""

FORMAT = 2
"""Version of these attributes; a later one is refused. Studies of version 2 have digests."""

CELL, RESULT, REASON, WORKER, LOST, COPIED = (
    f"sweep:{name}" for name in ("cell", "result", "reason", "worker", "lost", "copied_from")
)
SECTIONS = "sweep:sections"
"""On a study: the report sections that the user's own code computed."""
STUDY, WINNER, NESTED = "sweep:study", "sweep:winner", "sweep:nested"
IDLE = "sweep:idle"
"""On a study: parameters of a user's factory that changed nothing."""
RACE = "sweep:race"
"""On a study: what further repeats of its cross-validation have settled."""
IMPORTANCES, OPENING = "sweep:importances", "sweep:opening:"
SETTLED = "sweep:settled"
"""On a study: of how many complete trials, and by which rule, its winner was last the choice."""
NO_NESTED = "sweep:no_nested"
"""On a nested study: how many cells its outer folds had when one of them ended without a score."""
SOURCE = "sweep:from"
"""On a warm-start trial: the study and the candidate that it was copied from."""
RUNG = "sweep:rung"
"""On a trial of hyperband or successive halving: where it pauses, and which trial it
continues."""
STOP = "sweep:stop"
"""On a study: when a stop was requested (workers finish their cells, then end); None otherwise."""
PRIORITY = "sweep:priority"
"""On a study: how soon its turn comes; 0 where nobody has said."""
TURN = "sweep:turn:"
"""On a study, prefix: which process holds a task's lock; see :mod:`sweep.storage.locks`."""
SUMMARY = "sweep:summary"
"""On a trial that has ended with a result or a reason: the numbers for lists and leaderboards."""
DIGEST = "sweep:digest"
"""On a trial that has ended, and in a winner: a digest that shows later changes."""
IMPORTED = "imported"
"""In a study's header: where its results come from, if another tool has found them."""
BY_DRAW, PATIENCE_FROM = "ends_by_draw", "patience_from"
"""In a study's header: whether patience counts trials in the order of their (precomputed) draws;
the first trial that it counts."""
