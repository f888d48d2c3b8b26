"""A project folder of KerasTuner's: its ``trial_*/trial.json`` files."""

from __future__ import annotations

import json
from math import isclose, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.importing.found import MOST_PARAMETERS, MOST_TRIALS, FoundStudy
from sweep.importing.problems import Problems, refused, shown
from sweep.importing.space import holds, space_of, unmixed
from sweep.importing.values import plain_value, read_number, scorer_name
from sweep.ledger.imported import EndedTrial
from sweep.ledger.records import SplitResult
from sweep.spaces import Choices, FloatRange, IntRange
from sweep.spec.scorers import column_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweep.spaces import Dimension

TOOL = "KerasTuner"
LARGEST_TRIAL = 5 * 2**20
OWN = "tuner/"
"""What begins the names of Hyperband's own values among the hyperparameters."""
EPOCHS, BEGUN, BEFORE = (OWN + name for name in ("epochs", "initial_epoch", "trial_id"))
ENDED = {"COMPLETED": "COMPLETE", "FAILED": "FAIL", "INVALID": "FAIL", "STOPPED": "PRUNED"}
GOING = ("RUNNING", "IDLE")

Trial = dict[str, Any]


def is_project(folder: Path) -> bool:
    """Return whether a folder is a project of KerasTuner's."""
    return (folder / "oracle.json").exists() or any(folder.glob("trial_*/trial.json"))


def read_project(folder: Path, *, score: str | None = None) -> FoundStudy:
    """Read a project folder; files of weights are not looked at.

    Parameters
    ----------
    folder : Path
        The folder that holds ``oracle.json`` and ``trial_*``.
    score : str, optional
        The metric that is the objective, where several could be.

    Raises
    ------
    ImportFileError
        With everything that is wrong.
    """
    source = folder.name
    files = sorted(folder.glob("trial_*/trial.json"))
    if not files:
        raise refused(source, "there is no trial_*/trial.json in this folder")
    if len(files) > MOST_TRIALS:
        raise refused(source, f"must have at most {MOST_TRIALS:,} trials, it has {len(files):,}")
    problems = Problems(source)
    read = [(f"{path.parent.name}/{path.name}", _read(path, problems)) for path in files]
    problems.check()
    held = [(place, trial) for place, trial in read if trial is not None]
    ended = [(place, trial) for place, trial in held if trial["status"] in ENDED]
    if not ended:
        raise refused(source, "no trial of this project has ended")
    objective = _objective([trial for _, trial in ended], source, score)
    params = unmixed([_params(trial) for _, trial in ended])
    names = {name for each in params for name in each}
    if not names or len(names) > MOST_PARAMETERS:
        rule = f"must have 1 to {MOST_PARAMETERS} hyperparameters, it has {len(names)}"
        raise refused(source, rule)
    metrics = _metrics([trial for _, trial in ended], objective)
    most = max((_budget(trial) or 0 for _, trial in ended), default=0)
    followed = {_values(trial).get(BEFORE): str(trial.get("trial_id")) for _, trial in ended}
    trials = [
        _trial(trial, each, metrics, (most, followed), place, problems)
        for (place, trial), each in zip(ended, params, strict=True)
    ]
    problems.check()
    left = len(held) - len(ended)
    return FoundStudy(
        tool=TOOL,
        source=source,
        scores=tuple(name for name, _ in metrics.values()),
        trials=tuple(trials),
        space=space_of(params, _known_space([trial for _, trial in ended], params)),
        notes=tuple(_notes(objective, metrics, left)),
    )


def _notes(objective: str, metrics: Mapping[str, tuple[str, int]], left: int) -> list[str]:
    found = [f"{TOOL} keeps each trial's best epoch alone: its scores are flattered by that choice"]
    minimized = [column_of(name) for name, sign in metrics.values() if sign < 0]
    if minimized:
        found.append(f"minimized, so negated here: {', '.join(minimized)}")
    if left:
        found.append(f"left out, because they had not ended: {left} trials")
    return [f"ranked by {objective}", *found]


def _read(path: Path, problems: Problems) -> Trial | None:
    place = f"{path.parent.name}/{path.name}"
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_TRIAL:
            rule = f"must be an ordinary file of at most {LARGEST_TRIAL:,} bytes"
            problems.add(place, rule)
            return None
        held = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        problems.add(place, f"no JSON that can be read: {type(error).__name__}")
        return None
    return _checked(held, place, problems)


def _checked(held: Any, place: str, problems: Problems) -> Trial | None:
    """Return a trial in which everything that is read later is what it must be."""
    if not isinstance(held, dict) or held.get("status") not in (*ENDED, *GOING):
        known = ", ".join((*ENDED, *GOING))
        got = held.get("status") if isinstance(held, dict) else held
        problems.add(place, f"status: must be one of {known}, got {shown(got)}")
        return None
    for path, kind in (
        (("hyperparameters",), dict), (("hyperparameters", "values"), dict),
        (("hyperparameters", "space"), list), (("metrics",), dict), (("metrics", "metrics"), dict),
    ):  # fmt: skip
        value: Any = held
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, kind):
            problems.add(place, f"{'.'.join(path)}: must be {kind.__name__}, got {shown(value)}")
            return None
    return held


def _values(trial: Trial) -> Mapping[str, Any]:
    values: Mapping[str, Any] = trial["hyperparameters"]["values"]
    return values


def _params(trial: Trial) -> dict[str, Any]:
    values = _values(trial).items()
    return {str(n): plain_value(v) for n, v in values if not str(n).startswith(OWN)}


def _budget(trial: Trial) -> int | None:
    epochs = _values(trial).get(EPOCHS)
    return epochs if isinstance(epochs, int) and not isinstance(epochs, bool) else None


def _value(trial: Trial, metric: str) -> float | None:
    """Return a metric at the trial's best epoch, the mean of its executions."""
    held = trial["metrics"]["metrics"].get(metric)
    seen = held.get("observations") if isinstance(held, dict) else None
    for each in seen if isinstance(seen, list) else ():
        if isinstance(each, dict) and each.get("step") == trial.get("best_step"):
            values = each.get("value")
            numbers = [read_number(v) for v in values] if isinstance(values, list) else []
            known = [v for v in numbers if v is not None]
            if known and len(known) == len(numbers):
                return float(np.mean(known))
    return None


def _objective(trials: Sequence[Trial], source: str, score: str | None) -> str:
    """Return the metric whose values are the trials' scores."""
    complete = [trial for trial in trials if trial["status"] == "COMPLETED"]
    names = dict.fromkeys(str(n) for trial in complete for n in trial["metrics"]["metrics"])
    fitting = [name for name in names if all(_is_score(trial, name) for trial in complete)]
    if score is not None and score in fitting:
        return score
    if score is not None or len(fitting) != 1:
        known = ", ".join(fitting or names) or "none"
        rule = "say which metric the objective is: --score" if score is None else f"--score {score}"
        raise refused(source, f"{rule}; metrics that are the score of each trial: "
                      f"{known if fitting else f'none of {known}'}")  # fmt: skip
    return fitting[0]


def _is_score(trial: Trial, metric: str) -> bool:
    score, value = read_number(trial.get("score")), _value(trial, metric)
    return score is not None and value is not None and isclose(score, value, rel_tol=1e-9)


def _metrics(trials: Sequence[Trial], objective: str) -> dict[str, tuple[str, int]]:
    """Return each metric's name as a scorer and its sign, the objective first."""
    found: dict[str, tuple[str, int]] = {}
    held = [trial["metrics"]["metrics"] for trial in trials]
    for name in dict.fromkeys([objective, *(str(n) for each in held for n in each)]):
        said = [each[name] for each in held if isinstance(each.get(name), dict)]
        minimize = any(each.get("direction") == "min" for each in said)
        scorer = scorer_name(name, minimize=minimize)
        while scorer in {each for each, _ in found.values()}:
            scorer += "_"
        found[name] = (scorer, -1 if minimize else 1)
    return found


def _trial(
    trial: Trial, params: Mapping[str, Any], metrics: Mapping[str, tuple[str, int]],
    rounds: tuple[int, Mapping[Any, str]], place: str, problems: Problems,
) -> EndedTrial:  # fmt: skip
    state = ENDED[trial["status"]]
    if state == "FAIL":
        lines = str(trial.get("message") or "").strip().splitlines()
        return EndedTrial("FAIL", params, reason=lines[-1] if lines else "no reason recorded")
    objective, *further = metrics
    value = read_number(trial.get("score"))
    step = trial.get("best_step")
    if value is None or not isfinite(value) or not isinstance(step, int) or step < 0:
        got = f"{shown(trial.get('score'))} and {shown(step)}"
        problems.add(place, f"score and best_step: must be numbers, got {got}")
        return EndedTrial("FAIL", params)
    begun = _values(trial).get(BEGUN, 0)
    epoch = step + 1 + (begun if isinstance(begun, int) else 0)
    others: dict[str, dict[float, float | None]] = {
        column_of(metrics[n][0]): {epoch: _signed(_value(trial, n), metrics[n][1])} for n in further
    }
    split = SplitResult(test={epoch: metrics[objective][1] * value}, others=others)
    most, followed = rounds
    budget, after = _budget(trial), followed.get(trial.get("trial_id"))
    if budget is not None and (budget < most or after is not None):
        reason = f"Hyperband gave it {budget} of {most} epochs"
        reason += f" and went on with it as trial {after}" if after is not None else ""
        return EndedTrial("PRUNED", params, (split,), epoch, reason=reason)
    return EndedTrial(state, params, (split,), epoch)


def _signed(value: float | None, sign: int) -> float | None:
    return None if value is None or not isfinite(value) else sign * value


def _known_space(
    trials: Sequence[Trial], params: Sequence[Mapping[str, Any]]
) -> dict[str, Dimension]:
    """Return the ranges and choices that KerasTuner itself names, where they hold all values."""
    found: dict[str, Dimension] = {}
    for entry in (entry for trial in trials for entry in trial["hyperparameters"]["space"]):
        config = entry.get("config") if isinstance(entry, dict) else None
        if isinstance(config, dict) and isinstance(config.get("name"), str):
            dimension = _dimension(entry.get("class_name"), config)
            tried = [each[config["name"]] for each in params if config["name"] in each]
            if dimension is not None and tried and holds(dimension, tried):
                found.setdefault(config["name"], dimension)
    return found


def _dimension(kind: Any, config: Mapping[str, Any]) -> Dimension | None:
    low, high = config.get("min_value"), config.get("max_value")
    if kind == "Boolean":
        return Choices((False, True))
    if kind == "Choice" and isinstance(config.get("values"), list):
        values = [plain_value(value) for value in config["values"]]
        return Choices(tuple(values)) if values else None
    numbers = [v for v in (low, high) if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 2 or not numbers[0] < numbers[1] or max(map(abs, numbers)) > 2**53:
        return None
    log = config.get("sampling") in ("log", "reverse_log") and numbers[0] > 0
    if kind == "Int" and all(isinstance(each, int) for each in numbers):
        return IntRange(int(numbers[0]), int(numbers[1]), log=log)
    return FloatRange(float(numbers[0]), float(numbers[1]), log=log) if kind == "Float" else None
