"""How long a study will take: a few of its models are trained for a moment, in another process.

The server itself loads no TensorFlow: it would stay half a gigabyte larger.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from sweep.service.problems import RefusedError

if TYPE_CHECKING:
    from sweep.service.settings import Settings

LONGEST = 300
"""Seconds that an estimate may take."""
PATIENCE = 20
"""Seconds that one waits for another's."""
_probing = threading.Lock()


def probed_plan(settings: Settings, source: str, name: str | None = None) -> dict[str, Any]:
    """Return the plan of a study file, with the minutes that it will take.

    Parameters
    ----------
    settings : Settings
        What this server allows.
    source, name
        The study file; another name for the study.

    Raises
    ------
    RefusedError
        422 with what is wrong; 503 where other estimates are under way, or it takes too long.
    """
    told = {
        "storage": settings.storage, "data_home": settings.data_home,
        "allow": list(settings.allow), "source": source, "name": name,
    }  # fmt: skip
    if not _probing.acquire(timeout=PATIENCE):
        raise RefusedError(503, "Another estimate is being made; ask again in a moment.")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sweep.service.probe"], input=json.dumps(told), text=True,
            capture_output=True, timeout=LONGEST, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RefusedError(503, f"The estimate took more than {LONGEST} seconds.") from None
    finally:
        _probing.release()
    if done.returncode:
        raise RefusedError(503, "The estimate failed; the plan without it stands.")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "refused" in answer:
        raise RefusedError(answer["refused"], answer["detail"], answer["problems"])
    return answer


def main() -> None:
    """Read what to estimate from standard input, write the plan or what is wrong with it."""
    from sweep.service.changes import plan_of
    from sweep.service.settings import Settings
    from sweep.study.answers.plan import plain_plan
    from sweep.support.spreadsheet import json_value

    told = json.load(sys.stdin)
    settings = Settings(
        storage=told["storage"], data_home=told["data_home"], allow=tuple(told["allow"])
    )
    try:
        plan = plain_plan(plan_of(settings, told["source"], told["name"], probe=True))
    except RefusedError as error:
        held = error.refusal
        plan = {"refused": held.status, "detail": held.detail, "problems": list(held.problems)}
    sys.stdout.write("\n" + json.dumps(json_value(plan), default=vars) + "\n")


if __name__ == "__main__":
    main()
