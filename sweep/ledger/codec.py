"""Convert records to JSON-able values and back, for the attributes of trials and studies."""

from __future__ import annotations

from dataclasses import asdict
from math import inf
from typing import TYPE_CHECKING, Any

from sweep.ledger.outcomes import (
    DataRecord,
    ImportanceRecord,
    ImportRecord,
    NestedRecord,
    Opening,
    OuterFold,
    RaceRecord,
    Runner,
    WinnerRecord,
)
from sweep.ledger.stored_split import BY_EPOCH, BY_SCORER, StoredSplit, history_from_plain
from sweep.section import SectionRecord
from sweep.storage.attributes import COPIED, RESULT
from sweep.support.layer import Layer, total_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.records import PlannedCell, SplitResult


def split_to_plain(split: SplitResult) -> dict[str, Any]:
    """Return a split's result as JSON-able values; epochs become strings."""
    plain = asdict(split)
    for name in BY_EPOCH:
        plain[name] = {str(epoch): value for epoch, value in plain[name].items()}
    for name in BY_SCORER:
        plain[name] = {
            scorer: {str(epoch): value for epoch, value in scores.items()}
            for scorer, scores in plain[name].items()
        }
    return without_empty(plain, "unrepeatable", "start", "taken", *BY_SCORER)


def without_empty(plain: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Leave out fields that are empty in most studies, so that these are written without them."""
    return {name: value for name, value in plain.items() if value or name not in names}


def winner_to_plain(winner: WinnerRecord) -> dict[str, Any]:
    """Return a winner as JSON-able values."""
    return without_empty(asdict(winner), "other_scores")


def opening_to_plain(opening: Opening) -> dict[str, Any]:
    """Return an opening of the test set as JSON-able values."""
    return without_empty(asdict(opening), "other_scores")


def nested_to_plain(nested: NestedRecord) -> dict[str, Any]:
    """Return a nested cross-validation as JSON-able values."""
    return {**asdict(nested), "folds": [fold_to_plain(fold) for fold in nested.folds]}


def race_to_plain(race: RaceRecord) -> dict[str, Any]:
    """Return what further repeats have settled as JSON-able values; no bound is None."""
    runners = [
        {key: None if value in (inf, -inf) else value for key, value in asdict(each).items()}
        for each in race.runners
    ]
    return {**asdict(race), "runners": runners}


def race_from_plain(plain: Mapping[str, Any] | None) -> RaceRecord | None:
    """Read what :func:`race_to_plain` wrote."""
    if plain is None:
        return None
    return RaceRecord(**{**plain, "runners": tuple(map(_runner, plain["runners"]))})


def _runner(plain: Mapping[str, Any]) -> Runner:
    ends = {"low": -inf, "high": inf}
    return Runner(**{**plain, **{n: end for n, end in ends.items() if plain[n] is None}})


def fold_to_plain(fold: OuterFold) -> dict[str, Any]:
    """Return an outer fold as JSON-able values."""
    return without_empty(asdict(fold), "other_scores")


def result_to_plain(splits: Sequence[SplitResult], layers: Sequence[Layer]) -> dict[str, Any]:
    """Return a trial's measurements as JSON-able values."""
    return {
        "splits": [split_to_plain(split) for split in splits],
        "parameters": total_parameters(layers) if layers else None,
        "layers": [list(layer) for layer in layers],
    }


def recorded(
    splits: Sequence[SplitResult], layers: Sequence[Layer], copied_from: int | None
) -> dict[str, Any]:
    """Return the attributes of a trial with a result, its own or copied from another trial."""
    copied = {} if copied_from is None else {COPIED: copied_from}
    return {RESULT: result_to_plain(splits, layers), **copied}


def cell_to_plain(cell: PlannedCell) -> dict[str, Any]:
    """Return a cell of the plan as JSON-able values."""
    params = None if cell.params is None else dict(cell.params)
    return {"key": cell.key, "params": params, "epochs": list(cell.epochs)}


def splits_from_plain(plain: Sequence[Mapping[str, Any]]) -> tuple[SplitResult, ...]:
    """Read a trial's results; in older ledgers a split's number is its position in the list."""
    return tuple(StoredSplit.read(each, i) for i, each in enumerate(plain))


def split_from_plain(plain: Mapping[str, Any]) -> SplitResult:
    """Read what :func:`split_to_plain` wrote."""
    return StoredSplit.read(plain)


def layers_from_plain(plain: Any) -> tuple[Layer, ...]:
    """Read a layer table."""
    return tuple(
        Layer(str(n), str(kind), str(shape), int(count)) for n, kind, shape, count in plain
    )


def data_from_plain(plain: Mapping[str, Any]) -> DataRecord:
    """Read a data record."""
    tuples = {name: tuple(plain[name]) for name in ("shape", "classes", "class_counts")}
    return DataRecord(**{**plain, **tuples, "notes": tuple(plain.get("notes", ()))})


def winner_from_plain(plain: Mapping[str, Any] | None) -> WinnerRecord | None:
    """Read a winner, if there is one."""
    if plain is None:
        return None
    return WinnerRecord(
        **{
            **_without_row(plain),
            "history": history_from_plain(plain["history"]),
            "layers": layers_from_plain(plain["layers"]),
            "confusion": tuple(tuple(row) for row in plain["confusion"]),
            "weights": tuple((name, tuple(shape)) for name, shape in plain.get("weights", ())),
        }
    )


def nested_from_plain(plain: Mapping[str, Any] | None) -> NestedRecord | None:
    """Read a nested cross-validation, if there is one."""
    if plain is None:
        return None
    return NestedRecord(**{**plain, "folds": tuple(OuterFold(**fold) for fold in plain["folds"])})


def importances_from_plain(plain: Mapping[str, Any] | None) -> ImportanceRecord | None:
    """Read importances, if there are any."""
    if plain is None:
        return None
    return ImportanceRecord(**{**plain, "left_out": tuple(plain["left_out"])})


def import_from_plain(plain: Mapping[str, Any] | None) -> ImportRecord | None:
    """Read where an imported study comes from; None for one of sweep's own."""
    if plain is None:
        return None
    return ImportRecord(**{**plain, "notes": tuple(plain["notes"])})


def sections_from_plain(plain: Sequence[Mapping[str, Any]]) -> tuple[SectionRecord, ...]:
    """Read the report sections that the user's own code computed."""
    tuples = ({"columns": tuple(s["columns"]), "rows": tuple(map(tuple, s["rows"]))} for s in plain)
    return tuple(SectionRecord(**{**s, **more}) for s, more in zip(plain, tuples, strict=True))


def openings_from_plain(
    plain: Sequence[Mapping[str, Any]], winner: WinnerRecord | None
) -> tuple[Opening, ...]:
    """Read the openings of the test set; older ledgers have recorded the winner's only."""
    found = {each["opened_at"]: Opening(**_without_row(each)) for each in plain}
    if winner is not None and winner.test_opened_at not in found:
        at = winner.test_opened_at
        found[at] = Opening(at, winner.params, winner.test_score, winner.other_scores)
    return tuple(found[at] for at in sorted(found))


def _without_row(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Drop ``candidate``, the row number of older versions: it changes when a grid grows."""
    return {name: value for name, value in plain.items() if name != "candidate"}
