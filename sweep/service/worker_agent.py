"""The workers of a server: one process that shares them between studies, in the queue's order.

Its settings come as one line of JSON on standard input (an address may hold a password), then
``look`` whenever something was handed in; the end of standard input ends it. Events go to standard
output, one line of JSON each: ``now``, ``line``, ``ended``.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.errors import InterruptedRunError, SweepError
from sweep.ledger.ledger import Ledger
from sweep.runner.forkserver import forkserver_started
from sweep.runner.progress import Watcher
from sweep.service.preload import load_libraries
from sweep.storage.locations import ledger_folder
from sweep.study.join import REST_SECONDS, join_study, open_rows, rest_of
from sweep.study.queue import shares

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sweep.runner.forkserver import ForkServer
    from sweep.runner.progress import Progress

LOOK_SECONDS = 2.0
"""How often the ledger is looked at though nobody says that something was handed in."""
SAY_SECONDS = 0.5


@dataclass(frozen=True)
class AgentSettings:
    """What the process is told on its first line."""

    storage: str
    workers: int
    at_once: int
    data_home: str | None = None
    allow: tuple[str, ...] = ()

    def line(self) -> str:
        """Return the settings as one line."""
        return json.dumps(self.__dict__) + "\n"

    @classmethod
    def from_line(cls, line: str) -> AgentSettings:
        """Read what :meth:`line` wrote."""
        plain = json.loads(line)
        return cls(**{**plain, "allow": tuple(plain["allow"])})


class Agent:
    """Share workers between the studies of a ledger.

    Parameters
    ----------
    settings : AgentSettings
        Which ledger, how many workers, how many studies.
    forkserver : ForkServer or None
        Where workers come from.
    """

    def __init__(self, settings: AgentSettings, forkserver: ForkServer | None) -> None:
        self.settings, self._forkserver = settings, forkserver
        self.ending = threading.Event()
        self.look = threading.Event()
        self._given: dict[str, int] = {}
        self._active: dict[str, threading.Thread] = {}
        self._rests: dict[str, float] = {}
        self._out = threading.Lock()

    def run(self) -> None:
        """Share until the end is asked for; the studies at work are left then."""
        with closing(Ledger(self.settings.storage)) as ledger:
            while not self.ending.is_set():
                self.look.clear()
                with suppress(SweepError):  # a database that is away comes back
                    self._share(ledger)
                if self._forkserver and not self._active:
                    self._forkserver.prepare(self.settings.workers, self._spare_log())
                self.look.wait(LOOK_SECONDS)
        self._given = {}
        for thread in list(self._active.values()):
            thread.join()

    def _share(self, ledger: Ledger) -> None:
        now = time.monotonic()
        settings, here = self.settings, set(self._active)
        rows = [r for r in open_rows(ledger, here=here) if self._rests.get(r.name, 0) < now]
        self._given = shares(rows, settings.workers, settings.at_once, here)
        for name in self._given:
            if name not in self._active:
                thread = threading.Thread(target=self._work, args=(name,), daemon=True)
                self._active[name] = thread
                thread.start()

    def _work(self, name: str) -> None:
        """Work on a study until it has no cell, or its place is another's."""
        settings, watcher = self.settings, AgentWatcher(self, name)
        try:
            record = join_study(
                name, settings.storage, n_jobs=max(1, self.share(name)), allow=settings.allow,
                data_home=settings.data_home, watcher=watcher, forkserver=self._forkserver,
                share=lambda: self.share(name),
            ).record  # fmt: skip
            if record.status == "stopped" and self.share(name):
                self._rest(name, rest_of(record))
        except InterruptedRunError:
            pass
        except SweepError as error:  # this machine cannot help here; another study it may
            self._rest(name, REST_SECONDS)
            self.say("line", study=name, text=f"left to others: {error}")
        finally:
            self._active.pop(name, None)
            self.say("ended", study=name)
            self.look.set()

    def _spare_log(self) -> Path:
        return ledger_folder(self.settings.storage) / "logs" / "spare-workers.log"

    def share(self, name: str) -> int:
        """Return how many workers a study may have now."""
        return self._given.get(name, 0)

    def say(self, event: str, **details: Any) -> None:
        """Send an event to the server."""
        with self._out, suppress(OSError, ValueError):
            sys.stdout.write(json.dumps({"event": event, **details}, default=str) + "\n")
            sys.stdout.flush()

    def _rest(self, name: str, seconds: float) -> None:
        self._rests[name] = time.monotonic() + seconds


class AgentWatcher(Watcher):
    """Pass on what happens in one study; end its run when the agent ends."""

    def __init__(self, agent: Agent, name: str) -> None:
        self._agent, self._name = agent, name
        self._said_at, self._said = 0.0, ""
        self._trains = False

    def update(self, progress: Progress) -> None:
        """Say what runs now: at most twice a second, and when the first epoch has ended."""
        if self._agent.ending.is_set():
            raise InterruptedRunError("the server ends")
        first = not self._trains and any(each.epoch for each in progress.current.values())
        if not first and time.monotonic() - self._said_at < SAY_SECONDS:
            return
        self._trains = self._trains or first
        plain = plain_progress(progress)
        self._said_at = time.monotonic()
        if (said := json.dumps(plain, default=str)) != self._said:
            self._said = said
            self._agent.say("now", study=self._name, **plain)

    def say(self, message: str) -> None:
        """Pass a line on."""
        self._agent.say("line", study=self._name, text=message)

    def ended(self, progress: Progress, trial: Mapping[str, Any]) -> None:
        """Pass on how a cell ended."""
        del progress
        words = f"trial {trial.get('trial', '')} {str(trial['state']).lower()}".replace("  ", " ")
        if trial.get("value") is not None:
            words += f", score {trial['value']:.4f}"
        if trial.get("reason"):
            words += f": {trial['reason']}"
        self._agent.say("line", study=self._name, text=words)


def plain_progress(progress: Progress) -> dict[str, Any]:
    """Return what runs now as JSON."""
    left = progress.seconds_left
    return {
        "phase": progress.phase,
        "part": progress.study,
        "outer": progress.outer,
        "done": progress.done,
        "planned": progress.planned,
        "failed": progress.failed,
        "pruned": progress.pruned,
        "splits": progress.splits,
        "best": None if progress.best is None else list(progress.best),
        "seconds_left": None if left is None else round(left),
        "running": [
            {
                "trial": current.trial, "params": dict(current.params), "split": current.split,
                "epoch": current.epoch, "epochs": current.epochs,
            }
            for current in list(progress.current.values())
        ],
    }  # fmt: skip


def main() -> None:
    """Read the settings, share workers until standard input ends."""
    settings = AgentSettings.from_line(sys.stdin.readline())
    with forkserver_started() as forkserver:
        agent = Agent(settings, forkserver)

        def end(*_: object) -> None:
            agent.ending.set()
            agent.look.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_listen, args=(agent, end), daemon=True).start()
        load_libraries()
        agent.run()


def _listen(agent: Agent, end: Any) -> None:
    for _line in sys.stdin:
        agent.look.set()
    end()


if __name__ == "__main__":
    main()
