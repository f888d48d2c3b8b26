"""The user's own sections of a report: computed by the run, stored as text and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.section import SectionRecord, recorded
from sweep.support.code_references import is_reference, resolve
from sweep.support.tensorflow_loading import without_noise

if TYPE_CHECKING:
    from collections.abc import Collection

    from sweep.ledger.records import StudyRecord
    from sweep.spec import StudySpec


def own_sections(spec: StudySpec) -> list[str]:
    """Return the functions that ``[report] sections`` names, in order."""
    return [name for name in spec.report.sections if is_reference(name)]


def check_own_section(spec: StudySpec, reference: str, allow: Collection[str]) -> None:
    """Refuse a function that may not or cannot be loaded, before anything trains.

    Raises
    ------
    ReferenceError_
        With the reason.
    """
    with without_noise():  # a module that holds a model too loads Keras
        resolve(reference, allow=allow, folder=spec.folder)


def compute_sections(
    spec: StudySpec, record: StudyRecord, allow: Collection[str]
) -> tuple[SectionRecord, ...]:
    """Call each function; one that fails is recorded with its reason, the others are kept.

    Parameters
    ----------
    spec : StudySpec
        The study; its ``[report] sections`` name the functions.
    record : StudyRecord
        Its results, which the functions get as frames.
    allow : collection of str
        Modules that the user allows.
    """
    from sweep import tables

    frames = {"frame": tables.candidates_frame(record), "folds": tables.folds_frame(record)}
    return tuple(_compute(name, spec, frames, allow) for name in own_sections(spec))


def _compute(
    reference: str, spec: StudySpec, frames: dict[str, Any], allow: Collection[str]
) -> SectionRecord:
    function: Any = resolve(reference, allow=allow, folder=spec.folder)
    copies = {name: frame.copy() for name, frame in frames.items()}
    try:
        return recorded(reference, function(**copies))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - user code may raise anything
        return SectionRecord(reference, reason=f"{type(error).__name__}: {error}")
