"""Settings of ``[search]`` in a study's header, without reading the whole study file.

What asks for them does so often, or for many studies at once. A whole record has the study file
parsed: :attr:`sweep.ledger.records.StudyRecord.settings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.spec import SearchSection
from sweep.spec.settling import MARGIN

if TYPE_CHECKING:
    from collections.abc import Mapping


class StoredSearch:
    """``[search]`` as a header holds it; what it leaves out has the study file's own default.

    Parameters
    ----------
    header : mapping
        The study's.
    """

    def __init__(self, header: Mapping[str, Any]) -> None:
        self._held: Mapping[str, Any] = header["spec"]["search"]

    @property
    def method(self) -> str:
        """The search method."""
        return str(self._held["method"])

    @property
    def objectives(self) -> tuple[str, ...]:
        """What it optimizes, ``score`` first."""
        return tuple(self._get("objectives"))

    @property
    def patience(self) -> int | None:
        """Ended trials without improvement after which the search ends."""
        found: int | None = self._get("patience")
        return found

    @property
    def max_fit_seconds(self) -> float | None:
        """Seconds above which a fit takes its candidate out of the ranking."""
        found: float | None = self._get("max_fit_seconds")
        return found

    @property
    def refit(self) -> bool:
        """Whether the winner is refitted and meets the test set."""
        return bool(self._get("refit"))

    @property
    def choose(self) -> str:
        """The rule by which the winner is chosen."""
        return str(self._get("choose"))

    @property
    def nested(self) -> int | None:
        """Outer folds of the nested estimate, where one is asked for."""
        found: int | None = self._get("nested")
        return found

    @property
    def margin(self) -> float | None:
        """The margin within which further repeats settle what to take, where they are asked for."""
        settle = self._get("settle")
        return float(settle.get("margin", MARGIN)) if settle else None

    def _get(self, name: str) -> Any:
        return self._held.get(name, SearchSection.model_fields[name].default)
