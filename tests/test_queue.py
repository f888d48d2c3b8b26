"""The queue: whose turn it is, and how many workers each study gets."""

from hypothesis import given
from hypothesis import strategies as st

from sweep.ledger.queue_rows import QueueRow
from sweep.study.queue import in_order, shares


def row(name, owner="ann", *, priority=0, waiting=10, running=0, began="", created=None):
    """Return a study of the queue; its name says when it was handed in."""
    return QueueRow(name, owner, priority, created or name, waiting, running, began)


def names(rows, here=()):
    """Return names in the order of the queue."""
    return [each.name for each in in_order(rows, here)]


def test_first_come_first_served():
    """One person's studies, whatever the order in which they are given."""
    assert names([row("2"), row("1"), row("3")]) == ["1", "2", "3"]


def test_priority_comes_first():
    """Also before a study that is being worked on."""
    found = [row("1", running=2, began="2026-01-01"), row("2", priority=1)]
    assert names(found, here={"1"}) == ["2", "1"]


def test_a_hundred_studies_do_not_starve_another_s_one():
    """The one comes second, though it came last; alone at a time it comes when one ends."""
    many = [row(f"{n:03}", "ann", began="2026-01-02" if n == 0 else "") for n in range(100)]
    late = row("999", "bob")
    assert names([*many, late], here={"000"})[:2] == ["000", "999"]
    assert names([*many[1:], row("000", "ann", began="2026-01-02"), late])[0] == "999"


def test_a_study_at_work_is_not_left_for_an_equal_one():
    """A change costs seconds."""
    found = [row("1", "ann"), row("2", "bob", running=1, began="2026-01-01")]
    assert names(found, here={"2"}) == ["2", "1"]
    assert names(found) == ["1", "2"]


def test_workers_are_shared_evenly():
    """Between as many studies as may run at once; the first ones get what is left over."""
    found = [row(str(n), f"owner {n}") for n in range(5)]
    assert shares(found, 4, 2) == {"0": 2, "1": 2}
    assert shares(found, 5, 3) == {"0": 2, "1": 2, "2": 1}
    assert shares(found, 1, 3) == {"0": 1}
    assert shares([], 4, 2) == {}
    assert shares(found, 0, 2) == {}


def test_what_a_study_has_no_cells_for_goes_to_the_others():
    """One cell left needs one worker; a winner to refit too."""
    found = [row("1", "ann", waiting=0, running=1), row("2", "bob"), row("3", "eve", waiting=0)]
    assert shares(found, 6, 3) == {"1": 1, "2": 4, "3": 1}


ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 99).map(str),
        st.sampled_from(["ann", "bob", "eve"]),
        priority=st.integers(-1, 1),
        waiting=st.integers(0, 4),
        running=st.integers(0, 3),
        began=st.sampled_from(["", "2026-01-01", "2026-01-02"]),
    ),
    max_size=12,
    unique_by=lambda each: each.name,
)


@given(ROWS, st.integers(0, 9), st.integers(1, 5))
def test_no_worker_is_given_twice_or_without_work(rows, workers, at_once):
    """And none idles while a chosen study could use it."""
    found = shares(rows, workers, at_once)
    useful = {each.name: max(1, each.waiting + each.running) for each in rows}
    assert sum(found.values()) <= workers
    assert len(found) <= at_once
    assert all(1 <= given <= useful[name] for name, given in found.items())
    if sum(found.values()) < workers:
        assert all(given == useful[name] for name, given in found.items())
        assert len(found) == min(at_once, workers, len(rows))


@given(ROWS)
def test_the_order_does_not_depend_on_how_rows_are_listed(rows):
    """Each machine comes to the same."""
    assert names(rows) == names(list(reversed(rows)))
    assert sorted(names(rows)) == sorted(each.name for each in rows)
