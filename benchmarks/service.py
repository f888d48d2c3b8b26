"""The service under load, and how soon it answers: streams, requests, E6 handed in.

python benchmarks/service.py load [--studies 200] [--trials 100] [--seconds 60] [--streams 100]
python benchmarks/service.py e6 --peer-python peers/bin/python [--repeats 3]

``load``: a server over a ledger of many studies; open event streams beside 200 requests a second
(the list, studies as JSON and as pages, in turn). Answers in milliseconds, errors, the server's
memory. ``e6``: E6's grid (SWEEP_DATA_HOME with mnist.npz) from the shell by ``sweep submit --wait``
on a server that is warm, by ``sweep run``, and by GridSearchCV over SciKeras, in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from common import Timing, disagreement, heading, heading_only, median, ours, peer, show, timed

if TYPE_CHECKING:
    from collections.abc import Iterator

A_SECOND = 200
"""Requests."""
WARM_SECONDS = 20
"""How long a server is given before it counts as warm."""


def main() -> None:
    """Run the part that is asked for."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("part", choices=("load", "e6"))
    words.add_argument("--studies", type=int, default=200)
    words.add_argument("--trials", type=int, default=100)
    words.add_argument("--seconds", type=float, default=60)
    words.add_argument("--streams", type=int, default=100)
    words.add_argument("--repeats", type=int, default=3)
    words.add_argument("--peer-python")
    asked = words.parse_args()
    load(asked) if asked.part == "load" else e6(asked)


@contextmanager
def server(folder: str, *words: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Yield a running server, its address and its token."""
    line = [sys.executable, "-m", "sweep", "serve", "--port", "0", *words]
    process = subprocess.Popen(
        line, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        url, token = re.search(r"(http\S+)/\?token=(\S+)", process.stdout.readline()).groups()
        yield process, url, token
    finally:
        process.terminate()
        process.wait()


# -- load ------------------------------------------------------------------------------------------


def load(asked: argparse.Namespace) -> None:
    """Ask a server over many studies; print what it answers, how fast, and its memory."""
    heading_only(f"service: {asked.studies} studies of {asked.trials} trials")
    with tempfile.TemporaryDirectory() as folder:
        fill(folder, asked.studies, asked.trials)
        with server(folder, "--workers", "0") as (process, url, token):
            found = asyncio.run(ask(process, url, token, asked))
    times = sorted(found["times"])
    print(f"requests {len(times):,}, errors {found['errors']}, streams {asked.streams}")
    print(f"a second {len(times) / asked.seconds:.0f} (asked {A_SECOND})")
    for name, share in (("median", 0.5), ("95 %", 0.95), ("99 %", 0.99)):
        print(f"{name:8s} {1000 * times[int(share * (len(times) - 1))]:8.1f} ms")
    print(f"events received {found['events']:,}")
    print("memory MB " + ", ".join(f"{each / 2**20:.0f}" for each in found["memory"]))
    print(f"CPU of the server {found['cpu']:.1f} s in {asked.seconds:.0f} s")


def fill(folder: str, studies: int, trials: int) -> None:
    """Write a ledger of finished studies, without training: one, and copies under other names."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from ledgers import build

    path = Path(folder, ".sweep", "ledger.db")
    path.parent.mkdir()
    build(path, name="study-000", space={"hidden_size": list(range(1, trials + 1))})
    with closing(sqlite3.connect(path)) as ledger, ledger:
        for number in range(1, studies):
            for table, own in OWN_IDS.items():
                copy_rows(ledger, table, own, number)


OWN_IDS = {
    "studies": "study_id",
    "study_directions": "study_direction_id",
    "study_user_attributes": "study_user_attribute_id",
    "study_system_attributes": "study_system_attribute_id",
    "trials": "trial_id",
    "trial_params": "param_id",
    "trial_values": "trial_value_id",
    "trial_user_attributes": "trial_user_attribute_id",
    "trial_system_attributes": "trial_system_attribute_id",
}
"""Tables of an Optuna ledger by the column that numbers their rows."""
APART = 1_000_000
"""Between the numbers of one copy and the next."""


def copy_rows(ledger: sqlite3.Connection, table: str, own: str, number: int) -> None:
    """Copy the rows of the first study for another one."""
    columns = [row[1] for row in ledger.execute(f"PRAGMA table_info({table})")]
    shifted = {own, "study_id", "trial_id"}
    terms = [f"{c} + {number * APART}" if c in shifted else c for c in columns]
    named = f"'study-{number:03}'"
    terms = [named if c == "study_name" else t for c, t in zip(columns, terms, strict=True)]
    ledger.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(terms)} FROM {table} "  # noqa: S608 - names of our own
        f"WHERE {own} < {APART}"
    )


async def ask(
    process: subprocess.Popen[str], url: str, token: str, asked: argparse.Namespace
) -> dict[str, Any]:
    """Keep streams open and ask so many times a second; return what came of it."""
    found: dict[str, Any] = {"times": [], "errors": 0, "events": 0, "memory": []}
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=64)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, limits=limits, timeout=30) as client:
        listed = (await client.get(f"{url}/api/v1/studies")).json()["studies"]
        paths = [path for each in listed for path in paths_of(each["key"])]
        for path in paths:  # each has been seen before
            await client.get(url + path)
        streams = [asyncio.create_task(stream(client, url, found)) for _ in range(asked.streams)]
        await asyncio.sleep(1)
        before, found["memory"] = cpu_seconds(process.pid), [resident(process.pid)]
        began, asks = time.perf_counter(), []
        for number in range(int(asked.seconds * A_SECOND)):
            late = began + number / A_SECOND - time.perf_counter()
            if late > 0:
                await asyncio.sleep(late)
            asks.append(asyncio.create_task(one(client, url + paths[number % len(paths)], found)))
            if number % (10 * A_SECOND) == 0:
                found["memory"].append(resident(process.pid))
        await asyncio.gather(*asks)
        found["memory"].append(resident(process.pid))
        found["cpu"] = cpu_seconds(process.pid) - before
        for each in streams:
            each.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    return found


def paths_of(key: str) -> list[str]:
    """Return what is asked about a study: the list, the study as JSON and as a page."""
    return ["/api/v1/studies", f"/api/v1/studies/{key}?top=10", f"/studies/{key}", "/"]


async def one(client: Any, url: str, found: dict[str, Any]) -> None:
    """Ask once; note how long it took, or that it failed."""
    began = time.perf_counter()
    try:
        answer = await client.get(url)
        found["errors"] += answer.status_code != 200
    except httpx2.HTTPError:
        found["errors"] += 1
    found["times"].append(time.perf_counter() - began)


async def stream(client: Any, url: str, found: dict[str, Any]) -> None:
    """Listen to the events."""
    with suppress(asyncio.CancelledError):
        async with client.stream("GET", f"{url}/api/v1/events", timeout=None) as answer:
            async for line in answer.aiter_lines():
                found["events"] += line.startswith("event:")


def resident(pid: int) -> int:
    """Return the bytes that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- E6 --------------------------------------------------------------------------------------------


def e6(asked: argparse.Namespace) -> None:
    """Hand E6 in on a warm server, run it, and run the peer, in turn."""
    heading(f"e6 handed in: {asked.repeats} rounds, medians")
    runs: dict[str, list[Timing]] = {}
    first: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        server(folder, "--workers", "2") as (_, url, token),
    ):
        for number in range(asked.repeats):
            time.sleep(WARM_SECONDS)
            sides = {"submit --wait": lambda n=number: handed_in(folder, url, token, n, first)}
            sides["sweep run"] = lambda: ours("mnist-mlp-grid")
            if asked.peer_python:
                sides["scikeras, n_jobs=2"] = lambda: peer(
                    asked.peer_python, "scikeras_grid.py", "e6", 2
                )
            for name, run in sides.items():
                runs.setdefault(name, []).append(run())
                show(f"  {name}", runs[name][-1])
    medians = {name: median(timings) for name, timings in runs.items()}
    for name, run in medians.items():
        show(name, run)
    mine = medians.pop("submit --wait")
    for name, run in medians.items():
        print(f"against {name}: {run.whole / mine.whole:.2f}x, scores differ by at most "
              f"{disagreement(mine, run):.4f}")  # fmt: skip
    print(f"handing in to the first epoch: {', '.join(f'{each:.2f}' for each in first)} s")


def handed_in(folder: str, url: str, token: str, number: int, first: list[float]) -> Timing:
    """Run ``sweep submit --wait`` of E6 under a new name, from the shell."""
    name = f"e6-{number}"
    os.environ |= {"SWEEP_SERVER": url, "SWEEP_TOKEN": token}
    line = [sys.executable, "-m", "sweep", "submit", "mnist-mlp-grid", "--wait", "--name", name]
    with listening(url, token, name, first):
        whole, cpu, _ = timed(line, folder)
    for key in ("SWEEP_SERVER", "SWEEP_TOKEN"):
        del os.environ[key]
    from tasks import key

    from sweep import open_study

    record = open_study(name, f"{folder}/.sweep/ledger.db").record
    began = min(trial.started for trial in record.trials if trial.started)
    ended = max(trial.finished for trial in record.trials if trial.finished)
    scores = {
        key(dict(row.params)): statistics.fmean(s.test[row.epoch] for s in row.trial.splits)
        for row in record.candidates
    }
    return Timing(whole, (ended - began).total_seconds(), cpu, scores)


@contextmanager
def listening(url: str, token: str, name: str, first: list[float]) -> Iterator[None]:
    """Note the seconds from the study's being there to its first ended epoch."""
    import threading

    over = threading.Event()

    def watch() -> None:
        with httpx2.Client(headers={"Authorization": f"Bearer {token}"}) as client:
            made = 0.0
            while not over.wait(0.03):
                answer = client.get(f"{url}/api/v1/studies/{name}/now")
                if answer.status_code != 200:
                    continue
                made = made or time.perf_counter()
                running = answer.json().get("running", [])
                if any(each["epoch"] for each in running):
                    first.append(time.perf_counter() - made)
                    return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
