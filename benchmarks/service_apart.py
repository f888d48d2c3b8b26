"""A server and two machines that train, on one PostgreSQL: kills of the server, and a restart.

python benchmarks/service_apart.py [--workers 0] [--kills 10]

As root, with PostgreSQL installed, in a checkout that does not lie below /tmp.

Server, trainers and the machine of two people are namespaces (``benchmarks/machines.py``): each has
a network, processes, a host name and a disk of its own. The trainers know the database and a folder
for weights, the people's machine nothing but the server's address and tokens. Six studies are
handed in and run while the server is killed and started again, and PostgreSQL restarted once. At
the end: all studies ended, no cell doubled or missing, the tables those of one local worker, the
trainers alive, every act written down, and what the people's machine reads is what was found.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pandas as pd
from common import heading_only
from machines import Database, Machines, laid, table

from sweep import open_study, run_study
from sweep.ledger.ledger import Ledger
from sweep.service.token_commands import add_token
from sweep.storage.attributes import CELL, WORKER

if TYPE_CHECKING:
    import subprocess

SERVER, TRAINERS, PEOPLE = 0, (1, 2), 3
PORT, NAME = 8080, "service_apart"
OWNERS = ("ann", "bob")
STUDIES = {f"study-{n}": OWNERS[n % 2] for n in range(6)}
TROUBLE = ("error", "warning", "Traceback", "left to others", "replacement", "failed")
"""Words of a trainer's log that say that something went wrong there."""
STUDY = """
[study]
name = "{name}"
seed = {number}
[data]
dataset = "digits"
train_rows = 400
test_rows = 200
[model]
factory = "mlp"
[search]
method = "grid"
cv = 3
[space]
epochs = [5, 20]
hidden_size = {{ int = [{least}, {most}] }}
dropout_rate = [0, 0.2]
"""
HAND_IN_SECONDS, END_SECONDS = 600, 1200
"""How long a study may take to be handed in, and all of them to end, before that is a fault."""
CELLS = 16
"""Of each study: its epochs share one."""


def source(number: int) -> str:
    """Return the file of a study."""
    least = 6 + number
    return STUDY.format(name=f"study-{number}", number=number, least=least, most=least + 7)


class Server:
    """The server, started again when it was killed; a client that knows of every answer.

    Parameters
    ----------
    machines : Machines
        Where it runs.
    env : dict of str to str
        What it knows.
    workers : int
        Its own.
    admin : str
        A token that may do everything.
    """

    url = f"http://{Machines.address(SERVER)}:{PORT}"

    def __init__(self, machines: Machines, env: dict[str, str], workers: int, admin: str) -> None:
        self._machines, self._env, self._workers = machines, env, workers
        self._client = httpx2.Client(headers={"Authorization": f"Bearer {admin}"}, timeout=60)
        self.kills, self.answers, self.away = 0, Counter[int](), 0
        self.back: list[float] = []

    def start(self) -> None:
        """Start it; return when it answers."""
        began = time.monotonic()
        self._process = self._machines.start(
            SERVER, "serve", "--host", Machines.address(SERVER), "--public", "--port", str(PORT),
            "--workers", str(self._workers), env=self._env,
        )  # fmt: skip
        while not self._is_there():
            if self._process.poll() is not None:
                sys.exit(f"the server does not start:\n{log_of(self._machines, SERVER)}")
            time.sleep(0.05)
        self.back.append(time.monotonic() - began)

    def kill(self) -> None:
        """End it as ``kill -9`` does, its workers with it; start it again."""
        self._process.kill()
        self._process.wait()
        self.kills += 1
        self.start()

    def ask(self, path: str) -> Any:
        """Return what it answers to a question; None where it is away or refuses."""
        try:
            answer = self._client.get(f"{self.url}/api/v1{path}")
        except httpx2.TransportError:
            self.away += 1
            return None
        self.answers[answer.status_code] += 1
        return answer.json() if answer.status_code == 200 else None

    def _is_there(self) -> bool:
        with suppress(httpx2.TransportError):
            return self._client.get(f"{self.url}/health").is_success
        return False


class People:
    """Ann and Bob, on a machine that knows the server's address alone."""

    def __init__(self, machines: Machines, tokens: dict[str, str]) -> None:
        self._machines, self._tokens = machines, tokens
        self.tries, self.failed = 0, list[str]()

    def sweep(self, who: str, *words: str) -> subprocess.CompletedProcess:
        """Run a command of theirs."""
        env = {"SWEEP_SERVER": Server.url, "SWEEP_TOKEN": self._tokens[who]}
        return self._machines.run(PEOPLE, *words, env=env)

    def hand_all_in(self) -> None:
        """Hand the studies in; the last is watched until it has ended."""
        last = len(STUDIES) - 1
        for number in range(last):
            self._hand_in(number)
        self._hand_in(last, "--wait")

    def _hand_in(self, number: int, *words: str) -> None:
        """Hand a study in; once more where the server went away meanwhile."""
        name = f"study-{number}"
        file = self._machines.home(PEOPLE) / f"{name}.toml"
        file.write_text(source(number))
        end = time.monotonic() + HAND_IN_SECONDS
        while time.monotonic() < end:
            self.tries += 1
            done = self.sweep(STUDIES[name], "submit", file.name, *words)
            if done.returncode == 0:
                return
            time.sleep(1)
        self.failed.append(f"{name} could not be handed in: {done.stderr}")


def main() -> None:
    """Lay it out, run it, check what came of it."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--workers", type=int, default=0, help="the server's own")
    words.add_argument("--kills", type=int, default=10)
    asked = words.parse_args()
    heading_only(f"a server killed {asked.kills} times, {asked.workers} workers of its own")
    with laid(PEOPLE + 1, NAME) as (machines, database):
        env = {"SWEEP_STORAGE": database.url, "SWEEP_ARTIFACTS": str(machines.folder / "shared")}
        tokens = {who: add_token(database.url, who, "submit") for who in OWNERS}
        server = Server(machines, env, asked.workers, add_token(database.url, "root", "admin"))
        server.start()
        trainers = {
            n: machines.start(n, "worker", "--all", "--wait", "--n-jobs", "1", env=env)
            for n in TRAINERS
        }
        people, began = People(machines, tokens), time.monotonic()
        hand_in = threading.Thread(target=people.hand_all_in)
        hand_in.start()
        trouble(server, database, asked.kills)
        hand_in.join()
        wait_for_all(server)
        print(f"{time.monotonic() - began:.0f} s; server killed {server.kills} times, back after "
              f"{min(server.back[1:]):.1f} to {max(server.back[1:]):.1f} s")  # fmt: skip
        print(f"answers {dict(server.answers)}, away at {server.away} questions; "
              f"{people.tries} tries to hand in {len(STUDIES)} studies")  # fmt: skip
        found = [
            *people.failed, *check_trainers(machines, trainers), *check_acts(server),
            *check_ledger(database.url, asked.workers), *check_reading(people, machines),
        ]  # fmt: skip
        if found:
            sys.exit("\n".join(["NOT AS PROMISED:", *found, log_of(machines, SERVER)]))
    print("all as promised")


def trouble(server: Server, database: Database, kills: int) -> None:
    """Kill the server again and again, restart PostgreSQL once."""
    chance = random.Random(7)
    for number in range(kills):
        until = time.monotonic() + chance.uniform(1, 8)
        while time.monotonic() < until:
            server.ask("/studies")
            time.sleep(0.2)
        server.kill()
        if number == kills // 2:
            database.restart()
            print(f"PostgreSQL restarted after {server.kills} kills", flush=True)


def wait_for_all(server: Server) -> None:
    """Return when nothing is left of any study, or after too long: the checks say what is."""
    end = time.monotonic() + END_SECONDS
    while time.monotonic() < end:
        found = server.ask("/studies")
        if found and sum(not each["left"] for each in found["studies"]) == len(STUDIES):
            return
        time.sleep(0.5)


# -- checks: each returns what does not hold -------------------------------------------------------


def check_trainers(machines: Machines, trainers: dict[int, subprocess.Popen]) -> list[str]:
    """Return which of those that train do not live any more, and of what they complain."""
    found = []
    for number, process in trainers.items():
        log = log_of(machines, number)
        if process.poll() is not None:
            found.append(f"trainer {number} ended with status {process.returncode}")
        bad = [line for line in log.splitlines() if any(word in line for word in TROUBLE)]
        found += [f"trainer {number} says: {line}" for line in bad]
    print(f"trainers alive: {sum(each.poll() is None for each in trainers.values())} of 2")
    return found


def check_acts(server: Server) -> list[str]:
    """Return the acts, unless each study was handed in by whom it belongs to."""
    acts = {(each["study"], each["who"]) for each in server.ask("/acts?limit=1000")["acts"]
            if each["act"] == "submit"}  # fmt: skip
    print(f"acts: {len(acts)} studies handed in by {sorted({who for _, who in acts})}")
    return [] if acts == set(STUDIES.items()) else [f"acts: {sorted(acts)}"]


def check_ledger(url: str, workers: int) -> list[str]:
    """Return cells that are missing or doubled, and tables that are not of one local worker."""
    found, hosts, cells = [], Counter[str](), 0
    for number, name in enumerate(STUDIES):
        with closing(Ledger(url, reading=True)) as ledger:
            trials = ledger.trials(name)
        ended = [t for t in trials if t.state.name == "COMPLETE"]
        keys = Counter(t.user_attrs[CELL]["key"] for t in ended)
        hosts.update(t.user_attrs[WORKER].split(":")[4][-1] for t in ended)
        cells += len(keys)
        if len(keys) != CELLS or max(keys.values()) > 1:
            found.append(f"{name}: {len(keys)} of {CELLS} cells, {keys.most_common(1)}")
        found += [f"{name}: {line}" for line in differences(number, name, url)]
    print(f"cells {cells} of {CELLS * len(STUDIES)}, by machine {dict(sorted(hosts.items()))}")
    if len(hosts) != len(TRAINERS) + bool(workers):
        found.append(f"machines that trained: {sorted(hosts)}")
    return found


def differences(number: int, name: str, url: str) -> list[str]:
    """Return in what a study differs from that of one local worker."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "study.toml")
        file.write_text(source(number))
        local = run_study(file, storage=f"{folder}/l.db", n_jobs=1)
    there = open_study(name, url)
    found = []
    try:
        pd.testing.assert_frame_equal(table(there), table(local), check_exact=True)
    except AssertionError as error:
        found.append(str(error))
    if there.record.status != "finished" or there.test_score_ != local.test_score_:
        found.append(f"{there.record.status}, {there.test_score_} for {local.test_score_}")
    if there.record.test_openings != 1:
        found.append(f"test set opened {there.record.test_openings} times")
    return found


def check_reading(people: People, machines: Machines) -> list[str]:
    """Return what goes wrong where people read: the candidates, a report, an export."""
    found = []
    for name, who in STUDIES.items():
        home = machines.home(PEOPLE)
        shown = people.sweep(who, "show", name, "--format", "json")
        report = people.sweep(who, "report", name, "--output", f"{name}.html")
        export = people.sweep(who, "export", name, "--output", name)
        if any(each.returncode for each in (shown, report, export)):
            found += [
                f"{name}: {e.stderr.strip()}" for e in (shown, report, export) if e.returncode
            ]
            continue
        score, made = json.loads(shown.stdout)["test_score"], home / name
        if json.loads((made / "recipe.json").read_text())["test_score"] != score:
            found.append(f"{name}: show and export differ")
        if f"{score:.4f}" not in (home / f"{name}.html").read_text():
            found.append(f"{name}: its report does not have the score")
    print(f"shown, reported and exported from the people's machine: {len(STUDIES)} studies")
    return found


def log_of(machines: Machines, number: int) -> str:
    """Return what a machine's process has said."""
    return (machines.home(number) / "log").read_text()


if __name__ == "__main__":
    main()
