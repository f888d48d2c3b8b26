"""Work on a study file that the server leaves to a process of its own.

There a few models are trained for a moment, to say how long a study takes; there a user's own code
and uploaded pictures are loaded. The server itself loads no TensorFlow, which would stay half a
gigabyte larger, no code of others, and no picture that a decoder could fall over.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, Any

from sweep.datasets import DATASETS
from sweep.service.child_process import run_child
from sweep.service.problems import RefusedError
from sweep.support.code_references import is_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.service.settings import Settings
    from sweep.spec import StudySpec

LONGEST = 300
"""Seconds that it may take."""
PATIENCE = 20
"""Seconds that one waits for others'."""
_places = threading.Semaphore(2)


def needs_own_process(spec: StudySpec) -> bool:
    """Return whether a study names code of a user's, or data that sweep does not bring."""
    code = (*spec.search.scorers, *spec.report.sections)
    named = (spec.data.dataset, spec.model.code, *code)
    return spec.data.dataset not in DATASETS or any(is_reference(each) for each in named)


def ask_own_process(settings: Settings, act: str, **told: Any) -> dict[str, Any]:
    """Have a process of its own do something with a study file; return its answer.

    Parameters
    ----------
    settings : Settings
        What this server allows.
    act : {"plan", "submit"}
        Check the study, or put it into the ledger.
    **told
        As for :func:`answer`.

    Raises
    ------
    RefusedError
        422 with what is wrong; 503 where others are under way, or it takes too long.
    """
    asked = {
        "storage": settings.storage, "data_home": settings.data_home,
        "allow": list(settings.allow), "act": act, **told,
    }  # fmt: skip
    done = run_child(
        ["-m", "sweep.service.own_process"], _places, patience=PATIENCE, seconds=LONGEST,
        busy="Other studies are being checked; ask again in a moment.",
        late=f"Checking it took more than {LONGEST} seconds.", told=json.dumps(asked),
    )  # fmt: skip
    if done.returncode:
        raise RefusedError(
            503, f"Checking it ended with status {done.returncode}; is the memory enough?"
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "refused" in found:
        raise RefusedError(found["refused"], found["detail"], found["problems"])
    return found


def answer(settings: Settings, told: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is asked, in this process.

    Parameters
    ----------
    settings : Settings
        What the server allows.
    told : mapping
        ``act``; ``source`` and ``name`` of a study file, or ``stored``, the name of a study of the
        ledger; ``probe`` for a plan with its minutes; ``retry_failed`` and ``owner`` to submit.
    """
    from sweep.service.changes import plan_of, spec_of, submit_here
    from sweep.study.answers.plan import plain_plan

    spec = spec_of(settings, told.get("source"), told.get("name"), told.get("stored"))
    if told["act"] == "plan":
        return plain_plan(plan_of(settings, spec, probe=bool(told.get("probe"))))
    retry = bool(told.get("retry_failed"))
    return {"enqueued": submit_here(settings, spec, str(told["owner"]), retry_failed=retry)}


def main() -> None:
    """Read what to do from standard input, write what came of it or what is wrong."""
    from sweep.service.settings import Settings
    from sweep.support.spreadsheet import json_value

    answers, sys.stdout = sys.stdout, sys.stderr  # a user's code may print, also when it ends
    told = json.load(sys.stdin)
    settings = Settings(
        storage=told["storage"], data_home=told["data_home"], allow=tuple(told["allow"])
    )
    try:
        found = answer(settings, told)
    except RefusedError as error:
        held = error.refusal
        found = {"refused": held.status, "detail": held.detail, "problems": list(held.problems)}
    answers.write("\n" + json.dumps(json_value(found), default=vars) + "\n")


if __name__ == "__main__":
    main()
