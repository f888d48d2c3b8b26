"""A study on data larger than its memory: rows on the disk under a limit of 2 GB a process.

python benchmarks/mapped.py [--rows 350000] [--limit 2]

64 x 64 color pictures of noise, a class in their brightness, in a temporary folder that is removed
at the end: 4 GB of rows take 4 GB as a file and 4 GB as rows on the disk. The study runs on a
quarter of the rows, in memory without a limit and from the disk under it, then on all of them from
the disk under it. Prints seconds, the largest resident memory of any process, and the answer.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

SHAPE = (64, 64, 3)
TEST = 4000
BLOCK = 2000
STUDY = """
[study]
name = "large"
[data]
dataset = "{file}"
memory = "{memory}"
[model]
factory = "mlp"
batch_size = 256
learning_rate = 0.00001
[search]
method = "grid"
validation = 0.1
curves = false
train_scores = false
[space]
epochs = [1]
hidden_size = [8]
"""


def write(path: Path, rows: int) -> None:
    """Write an ``.npz`` file block by block: it is never in memory as a whole."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for part, count in (("train", rows), ("test", TEST)):
            y = (np.arange(count) % 4).astype(np.uint8)
            with archive.open(f"y_{part}.npy", "w") as stream:
                npy.write_array(stream, y)
            with archive.open(f"x_{part}.npy", "w", force_zip64=True) as stream:
                header = {"descr": "|u1", "fortran_order": False, "shape": (count, *SHAPE)}
                npy.write_array_header_1_0(stream, header)
                for first in range(0, count, BLOCK):
                    labels = y[first : first + BLOCK, None, None, None]
                    noise = rng.integers(0, 160, (len(labels), *SHAPE), dtype=np.uint8)
                    stream.write((noise + 24 * labels).tobytes())


def run(folder: Path, file: Path, memory: str, limit: str) -> tuple[float, float, str]:
    """Run the study in a ledger of its own; return seconds, peak MB, and its last lines."""
    home = Path(tempfile.mkdtemp(dir=folder))
    (home / "study.toml").write_text(STUDY.format(file=file, memory=memory))

    line = ["bash", "-c", f'ulimit -d {limit} && exec "$@"', "bash"]
    line += [sys.executable, "-m", "sweep", "run", "study.toml", "--n-jobs", "1", "--no-report"]
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    env.pop("SWEEP_STORAGE", None)
    began = time.perf_counter()
    with (home / "out").open("w") as out:
        process = subprocess.Popen(line, cwd=home, env=env, stdout=out, stderr=out)
        peaks = Peaks(process.pid)
        status = process.wait()
    seconds = time.perf_counter() - began
    said = (home / "out").read_text()
    shutil.rmtree(home)
    if status:
        return seconds, peaks.stop(), f"status {status}: {said.strip().splitlines()[-1][:300]}"
    answer = [each.strip() for each in said.splitlines() if each.strip()][-4:]
    return seconds, peaks.stop(), "; ".join(answer)[:400]


class Peaks:
    """The largest resident memory of a process and of those below it, in MB."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.05):
            pids, seen = [self._pid], set()
            while pids:
                pid = pids.pop()
                if pid in seen:
                    continue
                seen.add(pid)
                try:
                    fields = Path(f"/proc/{pid}/status").read_text()
                    pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
                except OSError:
                    continue
                held = [int(e.split()[1]) for e in fields.splitlines() if e.startswith("VmRSS")]
                self._most = max([self._most, *held])

    def stop(self) -> float:
        """Stop looking; return the peak."""
        self._ended.set()
        self._thread.join()
        return self._most / 1024


def main() -> None:
    """Write both sets, run the studies, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=350_000)
    parser.add_argument("--limit", type=float, default=2, help="GB of data that a process may hold")
    asked = parser.parse_args()
    limit = str(int(asked.limit * 2**20))
    quarter, whole = asked.rows // 4, asked.rows
    runs = ((quarter, "ram", "unlimited"), (quarter, "mapped", limit), (whole, "mapped", limit))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rows, memory, kilobytes in runs:
            file = folder / f"{rows}.npz"
            if not file.exists():
                for other in folder.glob("*.npz"):
                    other.unlink()
                write(file, rows)
            size = rows * int(np.prod(SHAPE)) / 2**30
            seconds, peak, said = run(folder, file, memory, kilobytes)
            print(
                f"{rows:,} rows, {size:.2f} GB, {memory}, limit {kilobytes} kB: {seconds:.1f} s, "
                f"peak {peak:.0f} MB; {said}",
                flush=True,
            )


if __name__ == "__main__":
    main()
