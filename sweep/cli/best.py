"""``sweep best``: the settings to take, and how sure one may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.cli.board import test_line
from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import emit
from sweep.cli.text import clean, counted, score, setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from sweep.ledger.records import Candidate, StudyRecord

CLASSES = {"mlp": "KerasMLPClassifier", "cnn": "KerasCNNClassifier"}


@click.command(short_help="Say which settings to take, and how sure.")
@study_argument
@format_option
@storage_option
def best(*, study: str, form: str, storage: str | None) -> None:
    """Say which settings to take, and how sure one may be.

    \b
    Example:
      sweep best digits-grid
      sweep best digits-grid --format json
    """
    result = opened(study, storage)
    answer = _answer(result.record, result.best, storage)
    params = answer["params"]
    row = {key: value for key, value in answer.items() if key not in ("params", "interval")}
    row |= {f"interval_{key}": value for key, value in (answer["interval"] or {}).items()}
    row |= {f"param_{name}": value for name, value in params.items()}
    emit(form, answer, [row], lambda: _drawn(result.record, result.best, answer))


def _answer(record: StudyRecord, chosen: Candidate, storage: str | None) -> dict[str, Any]:
    from dataclasses import asdict

    from sweep import selection

    interval = selection.score_interval(record, chosen)
    return {
        "study": record.name,
        "status": record.status,
        "params": dict(chosen.params),
        "mean_test_score": selection.mean_score(chosen),
        "interval": asdict(interval) if interval else None,
        "indistinguishable": len(selection.indistinguishable(record)),
        "test_score": record.winner.test_score if record.winner else None,
        "parameters": chosen.trial.parameters,
        "python": _python(record, chosen, storage),
    }


def _python(record: StudyRecord, chosen: Candidate, storage: str | None) -> str:
    """Return a line that yields the fitted winner, or an estimator with its settings."""
    if record.winner is not None:
        where = f", {storage!r}" if storage else ""
        return (
            "from sweep import open_study; "
            f"model = open_study({record.name!r}{where}).best_estimator_"
        )
    return _constructor(record.spec, chosen)


def _constructor(spec: Mapping[str, Any], chosen: Candidate) -> str:
    """Return the estimator's construction, settled as the search did."""
    model = dict(spec.get("model", {}))
    factory = model.pop("factory", "mlp")
    params = {
        "scaling": spec.get("data", {}).get("scaling", "unit"),
        "random_state": spec.get("study", {}).get("seed", 0),
        **model.pop("params", {}),
        **model,
        **chosen.params,
    }
    name = CLASSES.get(factory, "KerasClassifier")
    words = [f"{key}={value!r}" for key, value in params.items()]
    imports = f"from sweep import {name}"
    if ":" in factory:
        module, _, function = factory.partition(":")
        imports, words = f"from {module} import {function}; {imports}", [function, *words]
    elif factory not in CLASSES:
        words = [repr(factory), *words]
    return f"{imports}; model = {name}({', '.join(words)})"


def _drawn(
    record: StudyRecord, chosen: Candidate, answer: Mapping[str, Any]
) -> list[RenderableType]:
    from rich.text import Text

    params = [f"  {clean(name)} = {setting(value)}" for name, value in chosen.params.items()]
    rest = [*_certainty(answer), test_line(record)]
    unfinished = [] if record.status == "finished" else [f"so far: {record.status}"]
    head = [
        f"{clean(record.name)}: best {', '.join([score(answer['mean_test_score']), *unfinished])}"
    ]
    return [*map(Text, [*head, *params, *rest, "", "in Python:"]), f"  {clean(answer['python'])}"]


def _certainty(answer: Mapping[str, Any]) -> list[str]:
    held, rivals = answer["interval"], answer["indistinguishable"]
    found = []
    if held:
        found.append(
            f"{held['level']:.0%} interval {score(held['low'])} to {score(held['high'])}\n"
            f"  {held['method']}"
        )
    if rivals:
        found.append(f"the data cannot tell {counted(rivals, 'other candidate')} from it")
    return found
