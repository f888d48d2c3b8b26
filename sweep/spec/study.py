"""A study file as a whole: sections read, rules applied, every problem found at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sweep.errors import StudyFileError
from sweep.spaces import Cell, cells, grid_candidates
from sweep.spec import estimator_rules, fit_parameters, search_rules, section_rules
from sweep.spec.base import Section
from sweep.spec.canonical_values import KERAS_NAMES, double_problems, respelled
from sweep.spec.dimensions import parse_space, plain_dimension
from sweep.spec.estimator_facts import EstimatorFacts
from sweep.spec.methods import is_grid
from sweep.spec.parameter_rules import idle_problems, optimizer_problems, pruner_problems
from sweep.spec.parameters import OF_THE_COMPILATION, ParametersOf, is_own
from sweep.spec.plain_values import cleaned
from sweep.spec.problems import Problem, did_you_mean, translated
from sweep.spec.pruner_budgets import budget_problems, epochs_of, whole_epochs
from sweep.spec.pruning import inside_problems
from sweep.spec.scorers import scorer_problems
from sweep.spec.sections import (
    DataSection,
    ModelSection,
    ReportSection,
    SearchSection,
    SpaceSection,
    StudySection,
)
from sweep.spec.settling import settle_problems
from sweep.spec.study_file import StudyFile

SECTIONS = ("study", "data", "model", "search", "space", "report")
_Section = TypeVar("_Section", bound=Section)


class StudySpec(BaseModel):
    """What a study file says, with every default filled in.

    Attributes
    ----------
    study, data, model, search, space, report
        The six sections.
    source : str
        The study file's text; written anew where ``--set`` changed something.
    folder : Path or None
        Where the file lies; modules and files it names are looked up there first.
    facts : EstimatorFacts or None
        What the code of ``[model] estimator`` says; None for a factory, and until it is loaded.
    file : StudyFile
        The file itself, for messages; empty for a study that is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: StudySection
    data: DataSection
    model: ModelSection
    search: SearchSection
    space: SpaceSection
    report: ReportSection
    source: str = ""
    folder: Path | None = None
    facts: EstimatorFacts | None = None
    file: StudyFile = StudyFile()

    @property
    def budget(self) -> str:
        """The parameter that says how long a fit trains; empty where fits have no epochs."""
        if self.model.estimator is None:
            return "epochs"
        return self.facts.budget if self.facts else ""

    @property
    def fixed_epochs(self) -> int:
        """Epochs of a candidate that does not say its own."""
        return int(self.settled({})["epochs"]) if self.budget else 1

    def epochs_of(self, params: Mapping[str, Any]) -> int:
        """Return the epochs of a candidate; 1 where fits have none."""
        return int(params.get(self.budget, self.fixed_epochs))

    @property
    def largest_epochs(self) -> int:
        """The most epochs that a trial may run."""
        searched = self.space.dimensions.get(self.budget)
        space = {} if searched is None else {"epochs": searched}
        return whole_epochs(self._fixed(), space) if self.budget else 1

    @property
    def searched_epochs(self) -> bool:
        """Whether ``epochs``, or what plays its role, is in the search space."""
        return self.budget in self.space.dimensions

    def settled(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a candidate is trained with: searched, fixed, or a study's default.

        The parameters of an estimator's last step have their own names (``epochs`` for
        ``clf__epochs``); where that step is not sweep's, the defaults mean nothing.
        """
        return fit_parameters.settled(self._fixed(), self._by_own_name(params))

    def staged(self, params: Mapping[str, Any]) -> bool:
        """Whether a candidate's fit answers the same one with fewer ``epochs`` too."""
        return fit_parameters.staged(self.settled(params))

    def by_epoch(self, params: Mapping[str, Any]) -> bool:
        """Whether a candidate's fit may be run epoch by epoch, and gone on with later."""
        return bool(self.budget) and fit_parameters.ends_itself(self.settled(params)) is None

    def named(self, *names: str) -> list[str]:
        """Return training parameters as this study's space names them: ``clf__callbacks``."""
        prefix = self.budget.removesuffix("epochs")
        return [prefix + name for name in names] if self.budget else []

    def _by_own_name(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.model.estimator is None:
            return params
        return self.facts.own_params(params) if self.facts else {}

    def _fixed(self) -> dict[str, Any]:
        follows = epochs_of(self.search.pruner and self.search.pruner.model_dump())
        defaults = self.facts.defaults if self.facts else {}
        fixed = self._by_own_name(self.model.params)
        return {**defaults, **follows, "scaling": self.data.scaling, **fixed}

    def grid_cells(self) -> list[Cell]:
        """Return the cells of a grid; their ``candidates`` count :func:`grid_candidates`."""
        candidates = grid_candidates(self.space.dimensions)
        return cells(candidates, self.fixed_epochs, staged=self.staged, budget=self.budget)

    def sections(self) -> dict[str, Any]:
        """Write the six sections as plain values, None left out: a study file's content."""
        left_out = {"model", "space", "source", "folder", "facts", "file"}
        plain = self.model_dump(mode="json", exclude=left_out)
        plain["model"] = {**self.model.source, **self.model.params}
        dimensions = self.space.dimensions.items()
        plain["space"] = {name: plain_dimension(each) for name, each in dimensions}
        return {name: _given(plain[name]) for name in SECTIONS}

    def plain(self) -> dict[str, Any]:
        """Write everything as JSON-able values; :meth:`from_plain` is the way back.

        Returns
        -------
        dict
            The six sections, ``source`` (str), ``folder`` (str or None), and ``facts`` where an
            estimator's are known.
        """
        folder = None if self.folder is None else str(self.folder)
        facts = {} if self.facts is None else {"facts": self.facts.model_dump(mode="json")}
        return {**self.sections(), "source": self.source, "folder": folder, **facts}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> StudySpec:
        """Read what :meth:`plain` wrote; looks up no model, so it works anywhere.

        Raises
        ------
        StudyFileError
            It does not hold a study.
        """
        beside = ("source", "folder", "facts")
        raw = {key: value for key, value in plain.items() if key not in beside}
        spec, problems = read(raw, name="study", parameters=None)
        if spec is None:
            lines = [f"{'.'.join(each.place)}: {each.message}" for each in problems]
            raise StudyFileError("study", lines)
        folder, facts = plain.get("folder"), plain.get("facts")
        place = {
            "source": plain.get("source", ""),
            "folder": Path(folder) if folder else None,
            "facts": None if facts is None else EstimatorFacts.model_validate(facts),
        }
        return spec.model_copy(update=place)


def read(
    raw: Mapping[str, Any],
    *,
    name: str,
    parameters: ParametersOf | None,
    folder: Path | None = None,
) -> tuple[StudySpec | None, list[Problem]]:
    """Read the sections of a study.

    Parameters
    ----------
    raw : mapping
        Sections as received.
    name : str
        The study's name where ``[study]`` gives none.
    parameters : callable or None
        From a factory's name to its estimator's parameters; None skips checks that need it.
    folder : Path, optional
        The study file's folder.

    Returns
    -------
    spec : StudySpec or None
        None when there are problems.
    problems : list of Problem
        All of them, one a place.
    """
    tables, problems = cleaned(raw)
    reader = _Reader(respelled(tables), problems)
    reader.unknown_sections()
    spec = reader.spec(name, parameters, folder)
    return (None if reader.problems else spec), list(reader.problems.values())


class _Reader:
    """Reads section by section and keeps the first problem of each place."""

    def __init__(self, tables: Mapping[str, Any], problems: list[Problem]) -> None:
        self.tables = tables
        self.problems: dict[tuple[str, ...], Problem] = {}
        self.add(problems)

    def add(self, problems: Any) -> None:
        """Keep problems whose place has none yet; a section's own silences those in it."""
        for each in problems:
            told = any(each.place[:end] in self.problems for end in (1, 2, len(each.place)))
            if not told and (len(each.place) > 1 or not self.inside(each.place)):
                self.problems[each.place] = each

    def inside(self, place: tuple[str, ...]) -> bool:
        """Whether a problem inside a section has been found."""
        return any(each[: len(place)] == place for each in self.problems)

    def unknown_sections(self) -> None:
        for name in self.tables:
            if name not in SECTIONS:
                hint = did_you_mean(name, SECTIONS)
                self.add([Problem((name,), f"unknown section{hint}")])

    def table(self, name: str) -> dict[str, Any]:
        table = self.tables.get(name, {})
        return dict(table) if isinstance(table, Mapping) else {}

    def section(self, kind: type[_Section], name: str, raw: Mapping[str, Any]) -> _Section | None:
        """Read one section; its problems are kept, and None returned."""
        try:
            return kind.model_validate(dict(raw))
        except ValidationError as error:
            found = translated(name, kind.model_fields, error, raw)
            told = {place[:2] for place in self.problems}
            self.add(each for each in found if each.place not in told)
            return None

    def spec(
        self, name: str, parameters: ParametersOf | None, folder: Path | None
    ) -> StudySpec | None:
        model, search, space = (self.table(each) for each in ("model", "search", "space"))
        made_by = estimator_rules.made_by(model)
        factory, estimator = made_by.get("factory", ""), made_by.get("estimator")
        dimensions, problems = parse_space(space, model)
        self.add([*problems, *inside_problems(search), *scorer_problems(search)])
        own: Collection[str] = ()
        if estimator is not None:  # what its parameters may be, only its code says
            own = {*model, *dimensions}
        elif isinstance(factory, str) and is_own(factory):
            own = OF_THE_COMPILATION
        data = {**estimator_rules.data_defaults(estimator), **self.table("data")}
        parts = {
            "study": self.section(StudySection, "study", {"name": name, **self.table("study")}),
            "data": self.section(DataSection, "data", data),
            "model": self.section(ModelSection, "model", {**made_by, "params": model}),
            "search": self.section(SearchSection, "search", section_rules.search_defaults(search)),
            "space": SpaceSection(dimensions=dict(dimensions)),
            "report": self.section(ReportSection, "report", self.table("report")),
        }
        if estimator is not None and isinstance(parts["model"], ModelSection):
            parts["model"] = parts["model"].model_copy(update={"factory": ""})
            self.add(estimator_rules.file_problems(self.tables, parts["model"].code))
        self.between(model, dimensions, own)
        if parameters is not None:  # a ledger may hold such a name of an older version
            self.add(section_rules.study_name_problems(self.table("study").get("name", name)))
            self.add(search_rules.imported_problems(search))
        if parameters is not None and parts["model"] is not None:
            if not problems and estimator is None:
                self.add(optimizer_problems(model, dimensions, own))
                self.add(double_problems(dimensions, () if own else KERAS_NAMES))
                self.add(idle_problems(model, dimensions))
                self.add(pruner_problems(search, model, dimensions))
                self.add(budget_problems(section_rules.search_defaults(search), model, dimensions))
            self.add(section_rules.twice_problems(model, space))
            self.add(section_rules.callback_problems(model, dimensions))
            self.add(section_rules.dataset_problems(self.table("data"), folder))
            if estimator is None:
                self.add(section_rules.name_problems(factory, model, space, parameters))
                self.add(section_rules.model_value_problems(factory, model, dimensions))
                self.add(section_rules.scaling_problems(self.table("data"), model, space))
        return None if None in parts.values() or self.problems else StudySpec(**parts)

    def between(self, model: Mapping[str, Any], dimensions: Any, own: Collection[str]) -> None:
        """Apply the rules that no single key can break alone."""
        search, space = self.table("search"), self.table("space")
        self.add(section_rules.search_problems(search, space))
        self.add(search_rules.sampler_problems(search, dimensions))
        self.add(search_rules.count_problems(search))
        self.add(search_rules.start_problems(search.get("start"), dimensions))
        self.add(settle_problems(search, self.table("data")))
        self.add(search_rules.start_from_problems(search, self.table("study").get("name")))
        self.add(section_rules.data_problems(self.table("data")))
        self.add(section_rules.value_problems(model, dimensions, own))
        if is_grid(search.get("method")):
            self.add(section_rules.grid_space_problems(dimensions))
        self.add(section_rules.report_problems(self.table("report"), space))


def _given(section: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is None, inside a pruner too, and lists that few studies have."""
    return {
        key: _given(value) if key in ("pruner", "split_pruner", "wrapped", "settle") else value
        for key, value in section.items()
        if value is not None and not (key in ("start", "start_from") and not value)
    }
