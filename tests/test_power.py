"""What more repeats would tell: the number that is said, held against simulated studies."""

from dataclasses import replace

import numpy as np
import pytest
from records import grid_record

from sweep.analysis.power import outlook, outlook_text, repeats_to_tell
from sweep.analysis.racing import Rules, half_width, pair_noise
from sweep.report import page

LOOKS = tuple(5 * (1 + repeat) for repeat in range(21))
RULES = Rules(shared=0.25, margin=1e-9, most=LOOKS[-1])
NOISE = np.sqrt(2 * 0.8)


def gap_for(repeats, candidates):
    """A difference that so many more repeats are said to tell."""
    gaps = np.linspace(1, 6, 300)
    said = [repeats_to_tell(gap, NOISE, candidates, (5, 5), RULES) for gap in gaps]
    return float(np.mean([g for g, each in zip(gaps, said, strict=True) if each == repeats]))


def first_told(rng, gap, candidates):
    """The repeat that tells two candidates of several, or 99; None where they began otherwise."""
    shared = np.sqrt(0.2) * rng.normal(size=(candidates, 1))
    scores = shared + np.sqrt(0.8) * rng.normal(size=(candidates, LOOKS[-1]))
    scores[1] -= gap
    if abs(np.subtract(*scores[:2, :5].mean(axis=1)) - gap) > 0.05 * gap:
        return None
    for repeat, look in enumerate(LOOKS):
        noise, freedom = pair_noise(scores[:, :look])
        bound = half_width(candidates, look, freedom, RULES) * noise[0, 1]
        if np.subtract(*scores[:2, :look].mean(axis=1)) > bound:
            return repeat
    return 99


@pytest.mark.parametrize(("repeats", "candidates"), [(2, 6), (4, 6), (5, 12), (4, 2)])
def test_half_of_the_studies_need_so_many_repeats(repeats, candidates):
    """The median of simulated studies that began with that difference, within a factor of 1.5."""
    rng, gap = np.random.default_rng(3), gap_for(repeats, candidates)
    found = [first_told(rng, gap, candidates) for _ in range(2500)]
    median = np.median([each for each in found if each])
    assert repeats / 1.5 <= median <= repeats * 1.5


def test_what_no_repeat_would_tell_is_said_to_need_rows():
    """A difference within what the splits share, and one of too few rows."""
    assert repeats_to_tell(0.5, NOISE, 2, (5, 5), RULES) is None
    few = replace(RULES, rows=1000.0)
    assert repeats_to_tell(0.002, 1e-4, 2, (5, 5), few) is None
    assert repeats_to_tell(0.05, 1e-4, 2, (5, 5), few) == 1
    assert repeats_to_tell(0.05, 0.0, 2, (5, 5), few) is None


def flat(spread):
    """A study of three candidates that no split tells apart; their means differ by so much."""
    record = grid_record(epochs=(5,), widths=(8, 16, 32))
    rng, rows = np.random.default_rng(0), []
    for place, candidate in enumerate(record.candidates):
        splits = tuple(
            replace(s, test={5: float(0.9 - spread * place + 0.01 * rng.normal())})
            for s in candidate.trial.splits
        )
        trial = replace(candidate.trial, splits=splits)
        rows.append(replace(candidate, trial=trial))
    return replace(record, candidates=tuple(rows), trials=tuple(c.trial for c in rows))


def test_the_answer_says_that_splits_are_too_few():
    """First of all, and what it would take; not where the study is of groups."""
    record = flat(0.0)
    held = outlook(record)
    assert (held.alike, held.told) == (3, 0)
    assert "splits are too few to tell any candidate from the best" in outlook_text(record)
    assert "splits are too few" in page.render(record)
    data = {**record.spec["data"], "groups": "subject"}
    grouped = replace(record, spec={**record.spec, "data": data})
    assert outlook(grouped) is None


def test_a_reachable_difference_has_its_number():
    """Some of them would be told by a few more repeats."""
    held = outlook(flat(0.016))
    assert held.repeats is not None
    assert held.within_reach >= 1
    assert "more repeat" in outlook_text(flat(0.016))
