"""Machines that are none: namespaces on one bridge, and a PostgreSQL server of their own.

Each machine has a network, processes, a host name and a boot of its own, and a disk of its own at
/tmp. It sees the others over the bridge alone. All of it needs root, and goes with the program.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from sweep.study import StudyResult

BRIDGE, HERE, PORT = "sweepbr", "10.77.0.1", 5433
"""The bridge, this host's address on it, and the port of the database server."""
HOME = "/tmp/home"  # noqa: S108 - on a machine's own disk
BOOT = "8c1a4b1e-0000-4000-8000-00000000000"
ROOT = Path(__file__).resolve().parent.parent
DATABASE = "postgresql+psycopg://postgres@{host}:{port}/postgres?application_name={name}"


class Machines:
    """So many machines on a bridge.

    Parameters
    ----------
    count : int
        How many; the first is number 0.

    Attributes
    ----------
    folder : Path
        Lies on no machine's own disk: all see it, as they see a file server.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self.folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="sweep-"))
        self._started: list[subprocess.Popen] = []

    @staticmethod
    def address(number: int) -> str:
        """Return a machine's address on the bridge."""
        return f"10.77.0.{10 + number}"

    def disk(self, number: int) -> Path:
        """Return where this host sees a machine's disk, what the machine has at ``/tmp``."""
        return self.folder / f"disk-{number}"

    def home(self, number: int) -> Path:
        """Return where this host sees a machine's working folder."""
        return self.disk(number) / Path(HOME).name

    def lay(self) -> None:
        """Lay the bridge, and the machines on it."""
        self._take_down()
        shell(
            f"ip link add {BRIDGE} type bridge && ip addr add {HERE}/24 dev {BRIDGE} && "
            f"ip link set {BRIDGE} up"
        )
        for n in range(self._count):
            self.home(n).mkdir(parents=True)
            (self.folder / f"boot-{n}").write_text(f"{BOOT}{n}\n")
            shell(
                f"ip netns add sweep{n} && ip link add sv{n} type veth peer name se{n} && "
                f"ip link set sv{n} master {BRIDGE} up && ip link set se{n} netns sweep{n} && "
                f"ip netns exec sweep{n} ip addr add {self.address(n)}/24 dev se{n} && "
                f"ip netns exec sweep{n} ip link set se{n} up && "
                f"ip netns exec sweep{n} ip link set lo up"
            )

    def start(
        self, number: int, *words: str, env: Mapping[str, str] | None = None, log: str = "log"
    ) -> subprocess.Popen:
        """Start ``sweep`` on a machine; what it says goes into a file of its working folder.

        Killed, the process takes its machine's other processes of this start with it.
        """
        with (self.home(number) / log).open("a") as said:
            found = subprocess.Popen(
                self._line(number, words), env=_environment(env), stdout=said, stderr=said
            )
        self._started.append(found)
        return found

    def run(
        self, number: int, *words: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess:
        """Run ``sweep`` on a machine to its end."""
        return subprocess.run(
            self._line(number, words), env=_environment(env), capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    def close(self) -> None:
        """End what runs on them, take them down, delete their disks."""
        for each in self._started:
            each.kill()
            each.wait()
        self._take_down()
        shutil.rmtree(self.folder)

    def _line(self, number: int, words: tuple[str, ...]) -> list[str]:
        inside = (
            f"mount --bind {self.folder}/boot-{number} /proc/sys/kernel/random/boot_id && "
            f"hostname clone && mount --bind {self.disk(number)} /tmp && cd {HOME} && "
            f'exec {sys.executable} -m sweep "$@"'
        )
        return [
            "ip", "netns", "exec", f"sweep{number}", "unshare", "--mount", "--uts", "--pid",
            "--fork", "--mount-proc", "--kill-child", "sh", "-c", inside, "sweep", *words,
        ]  # fmt: skip

    def _take_down(self) -> None:
        for n in range(self._count):
            shell(f"ip netns del sweep{n}", check=False)
            shell(f"ip link del sv{n}", check=False)
        shell(f"ip link del {BRIDGE}", check=False)


class Database:
    """A PostgreSQL server of our own, on the bridge.

    Parameters
    ----------
    folder : Path
        Where its files go.
    name : str
        What its clients are called.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self.url = DATABASE.format(host=HERE, port=PORT, name=name)

    def start(self) -> None:
        """Make it, and start it."""
        self._folder.mkdir()
        shutil.chown(self._folder, "postgres")
        self._folder.parent.chmod(0o755)
        self._as_postgres("initdb", "--auth=trust", "--username=postgres")
        with (self._folder / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.77.0.0/24 trust\n")
        options = f"-p {PORT} -h {HERE} -k {self._folder}"
        self._as_postgres("pg_ctl", "start", "-w", "-l", f"{self._folder}/log", "-o", options)

    def restart(self) -> None:
        """Have it drop everything at once, as after a failure of power, and come back."""
        self._as_postgres("pg_ctl", "restart", "-w", "-m", "immediate", "-l", f"{self._folder}/log")

    def stop(self) -> None:
        """End it."""
        with suppress(subprocess.CalledProcessError):
            self._as_postgres("pg_ctl", "stop", "-w", "-m", "fast")

    def connections(self) -> int:
        """Return how many connections its clients have."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        with suppress(psycopg.Error):
            address = self.url.replace("+psycopg", "")
            with psycopg.connect(address, application_name="benchmark") as server:
                return server.execute(query, [self._name]).fetchone()[0]
        return 0

    def _as_postgres(self, program: str, *words: str) -> None:
        account = pwd.getpwnam("postgres")
        line = [next(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")), "-D", self._folder]
        subprocess.run(
            [*line, *words], check=True, stdout=subprocess.DEVNULL, cwd="/",
            user=account.pw_uid, group=account.pw_gid, extra_groups=[],
        )  # fmt: skip


@contextmanager
def laid(count: int, name: str) -> Iterator[tuple[Machines, Database]]:
    """Yield machines and a database server on their bridge; take both down afterwards."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machines = Machines(count)
    database = Database(machines.folder / "database", name)
    try:
        machines.lay()
        database.start()
        yield machines, database
    finally:
        database.stop()
        machines.close()


def shell(line: str, *, check: bool = True) -> None:
    """Run a line of shell."""
    subprocess.run(line, shell=True, check=check, capture_output=not check)  # noqa: S602


def pid_here(name: str) -> int | None:
    """Return a worker's number among our processes: its own counts in its machine alone."""
    _host, number, _birth, room, *_ = name.split(":")
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, StopIteration):
            status = (place / "status").read_text().splitlines()
            inside = next(line for line in status if line.startswith("NSpid")).split()[-1]
            if inside == number and room in str((place / "ns" / "pid").readlink()):
                return int(place.name)
    return None


def table(result: StudyResult) -> pd.DataFrame:
    """Return a study's table without what depends on the clock."""
    return result.frame.drop(columns=[c for c in result.frame.columns if c.endswith("_time")])


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    """Return all that a machine knows: nothing of this host but where sweep lies."""
    return {"PATH": os.environ["PATH"], "HOME": HOME, "PYTHONPATH": str(ROOT), **(more or {})}
