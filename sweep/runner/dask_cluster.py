"""A Dask cluster as a run sees it: on this machine, or at an address; it only starts loops."""

from __future__ import annotations

import logging
import signal
import socket
from contextlib import closing, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sweep.errors import ClusterError
from sweep.runner import dask_loop
from sweep.runner.progress import Watcher
from sweep.runner.signals import SignalRequests
from sweep.storage.locations import sqlite_path
from sweep.support.file_names import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sweep.workers.job import Job

CONNECT_SECONDS = 10
LOCAL = "local:"


class DaskCluster:
    """Where loops are submitted to.

    Parameters
    ----------
    address : str
        A scheduler's address, or ``local:N``: N Dask workers on this machine's loopback.
    resources : str, optional
        What each loop takes of a Dask worker: ``GPU=1``, several with commas.

    Raises
    ------
    ClusterError
        If the extra is missing, or the address or resources cannot be read.
    """

    def __init__(self, address: str, resources: str | None = None) -> None:
        if find_spec("distributed") is None:
            raise ClusterError(
                '--dask needs an extra: pip install ".[dask]" in a checkout of sweep'
            )
        problems: list[str] = []
        self.address = address
        self.local = _local(address, problems)
        self.resources = _resources(resources, problems)
        if problems:
            raise ClusterError("\n".join(problems))
        self._client: Any = None
        self._cluster: Any = None

    def check_ledger(self, url: str) -> None:
        """Refuse a ledger that the cluster's machines cannot reach.

        Raises
        ------
        ClusterError
            For an SQLite file and a scheduler elsewhere.
        """
        host = _host(self.address)
        if self.local is None and sqlite_path(url) and not is_here(host):
            raise _unreachable(f"the Dask scheduler is on {host}")

    def open(self, url: str) -> None:
        """Connect, or start the cluster of this machine; once.

        Raises
        ------
        ClusterError
            If nothing answers, or no worker of the cluster can take a loop.
        """
        if self._client is not None:
            return
        _quiet()
        interrupts = SignalRequests()
        with interrupts.noted():  # Dask may swallow a KeyboardInterrupt
            self._connect()
        interrupts.check(Watcher())
        workers = self.workers()
        if self.resources and workers and not any(workers.values()):
            asked = ",".join(f"{k}={v:g}" for k, v in self.resources.items())
            raise ClusterError(
                f"--dask-resources: no worker of the cluster has {asked}; start one with: "
                f"dask worker {self.address} --resources {asked}"
            )
        away = [host for each in workers if not is_here(host := _host(each))]
        if away and sqlite_path(url):
            raise _unreachable(f"a Dask worker is on {away[0]}")

    def workers(self) -> dict[str, int]:
        """Return how many loops each Dask worker can take, by its address.

        Raises
        ------
        ClusterError
            If the scheduler is gone.
        """
        self.check()
        try:
            found = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError) as error:
            raise self._gone() from error
        return {address: self._room(each) for address, each in found.items()}

    def submit(self, job: Job) -> Any:
        """Start a loop; return its future."""
        key = f"sweep-{slug(job.study)}-{uuid4().hex[:12]}"
        asked = self.resources or None
        return self._client.submit(
            dask_loop.loop, job, key=key, pure=False, resources=asked, retries=0
        )

    def cancel(self, futures: Iterable[Any]) -> None:
        """Have loops leave; a scheduler that is gone has ended them itself."""
        if self._client is not None and self._client.status == "running":
            with suppress(OSError, TimeoutError):
                self._client.cancel(list(futures), reason="the run has no use for it")

    def check(self) -> None:
        """Raise if the scheduler is gone."""
        if self._client is None or self._client.status != "running":
            raise self._gone()

    def close(self) -> None:
        """Leave; end the cluster of this machine."""
        for each in (self._client, self._cluster):
            if each is not None:
                with suppress(OSError, TimeoutError):
                    each.close()
        self._client = self._cluster = None

    def _connect(self) -> None:
        from distributed import Client

        try:
            where = self._started() if self.local else self.address
            self._client = Client(where, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            if self.local:
                raise ClusterError(f"--dask: Dask cannot be started here: {error}") from error
            raise ClusterError(
                f"--dask: no Dask scheduler answers at {self.address}: start one with: "
                "dask scheduler --host 127.0.0.1"
            ) from error

    def _started(self) -> Any:
        """Start a cluster on loopback whose processes leave Ctrl-C to the command."""
        from multiprocessing.resource_tracker import ensure_running

        from distributed import LocalCluster
        from distributed.gc import disable_gc_diagnosis

        ensure_running()  # when it starts it takes the block away
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # it is inherited
        try:
            self._cluster = LocalCluster(
                n_workers=self.local,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # None would take port 8787 all the same
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
                memory_limit=0,
                resources=self.resources,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        disable_gc_diagnosis(force=True)  # a KeyboardInterrupt in its callback would be lost
        return self._cluster

    def _room(self, worker: Mapping[str, Any]) -> int:
        has = worker.get("resources") or {}
        parts = [int(has.get(name, 0) // asked) for name, asked in self.resources.items()]
        return int(min([worker["nthreads"], *parts]))

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"the Dask scheduler at {self.address} is gone: what is done is kept; start it again, "
            "and the same command continues"
        )


def is_here(host: str) -> bool:
    """Return whether a host's address is one of this machine's."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(_can_bind(family, place) for family, *_, place in found)


def _can_bind(family: int, place: Any) -> bool:
    with closing(socket.socket(family, socket.SOCK_STREAM)) as tried:
        try:
            tried.bind(place)
        except OSError:
            return False
    return True


def _unreachable(why: str) -> ClusterError:
    return ClusterError(
        f"--dask: an SQLite ledger is a file of this machine, and {why}; name a PostgreSQL ledger "
        "that all machines reach: SWEEP_STORAGE=postgresql://..."
    )


def _host(address: str) -> str:
    return address.rpartition("://")[2].rpartition(":")[0].strip("[]")


def _local(address: str, problems: list[str]) -> int | None:
    number = address.removeprefix(LOCAL) if address.startswith(LOCAL) else None
    if number is not None and not (number.isdecimal() and 1 <= int(number) <= 1024):
        problems.append(f"--dask: local:N needs a number of workers from 1 on, got {address!r}")
    if number is None and not (_host(address) and address.rpartition(":")[2].isdecimal()):
        problems.append(
            f"--dask: must be a scheduler's address, tcp://HOST:PORT, or local:N, got {address!r}"
        )
    return int(number) if number is not None and number.isdecimal() else None


def _resources(text: str | None, problems: list[str]) -> dict[str, float]:
    found = {}
    for part in text.split(",") if text else []:
        name, _, number = part.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            number = ""
        if not name.strip() or not number or not 0 < found[name.strip()] < float("inf"):
            problems.append(f"--dask-resources: must be NAME=NUMBER above 0, got {part!r}")
    return found


def _quiet() -> None:
    """Keep Dask's own words from the display: what matters is said by the run."""
    import distributed  # noqa: F401 - it sets its loggers up when it is imported

    names = [n for n in logging.root.manager.loggerDict if n.partition(".")[0] == "distributed"]
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
