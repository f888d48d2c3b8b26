"""The queue: which studies the workers of a machine share now, and how many each gets.

Higher priority comes first. Among equals the study of the owner who has fewest chosen comes first,
then one that is being worked on here (a change costs seconds), then the owner who has waited
longest, then the older study. So a hundred studies of one person leave a place to another's one.
The ledger alone is asked: every machine comes to the same order, and a restart changes nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sweep.ledger.queue_rows import QueueRow


def in_order(rows: Sequence[QueueRow], here: Collection[str] = ()) -> list[QueueRow]:
    """Return studies in the order in which workers should take them.

    Parameters
    ----------
    rows : sequence of QueueRow
        Those that have work.
    here : collection of str
        Studies that this machine's workers are at.
    """
    served: dict[str, str] = {}
    for row in rows:
        served[row.owner] = max(served.get(row.owner, ""), row.began)
    left, ordered, chosen = list(rows), [], Counter[str]()
    while left:
        first = min(
            left,
            key=lambda row: (
                -row.priority, chosen[row.owner], row.name not in here, served[row.owner],
                row.created, row.name,
            ),
        )  # fmt: skip
        left.remove(first)
        ordered.append(first)
        chosen[first.owner] += 1
    return ordered


def shares(
    rows: Sequence[QueueRow], workers: int, at_once: int, here: Collection[str] = ()
) -> dict[str, int]:
    """Return how many workers each study gets; studies that get none are left out.

    Parameters
    ----------
    rows : sequence of QueueRow
        Studies that have work.
    workers : int
        Workers of this machine.
    at_once : int
        Studies that share them.
    here : collection of str
        Studies that they are at.

    Returns
    -------
    dict of str to int
        Workers by study, in the order of the queue. What a study has no cells for goes to the
        next ones.
    """
    chosen = in_order(rows, here)[: min(at_once, workers)]
    useful = {row.name: max(1, row.waiting + row.running) for row in chosen}
    given = dict.fromkeys(useful, 0)
    for _ in range(workers):
        wanting = [name for name in given if given[name] < useful[name]]
        if not wanting:
            break
        given[min(wanting, key=lambda name: given[name])] += 1
    return given
