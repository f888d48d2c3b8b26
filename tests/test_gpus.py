"""Which GPU each worker sees, on a made-up machine: a fake ``nvidia-smi``, a fake driver."""

import os
import shutil
import subprocess
import sys
from contextlib import nullcontext

import pytest
from commands import here, sweep  # noqa: F401
from test_study import own, table

from sweep import run_study
from sweep.errors import DeviceError
from sweep.runner import gpus
from sweep.runner.gpus import Gpus, cores, find_gpus, see_only
from sweep.runner.progress import Watcher

TWO = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa1111-2222)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb1111-2222)
"""
DIVIDED = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa1111-2222)
  MIG 3g.20gb     Device  0: (UUID: MIG-cccc)
  MIG 3g.20gb     Device  1: (UUID: MIG-dddd)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb1111-2222)
"""
FOUR = "".join(f"GPU {n}: Tesla T4 (UUID: GPU-{n}{n}{n}{n})\n" for n in range(4))
DRIVER = """
#include <stdio.h>
#include <stdlib.h>
int cuInit(unsigned flags) {
    const char *seen = getenv("CUDA_VISIBLE_DEVICES"), *grows = getenv("TF_FORCE_GPU_ALLOW_GROWTH");
    fprintf(stderr, "cuInit sees %s, growth %s\\n", seen ? seen : "all", grows ? grows : "off");
    return 100; /* no device */
}
int cuGetErrorName(int error, const char **name) { *name = "CUDA_ERROR_NO_DEVICE"; return 0; }
int cuGetErrorString(int error, const char **words) { *words = "none"; return 0; }
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a function that makes up the machine's GPUs, CUDA's libraries beside them."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    folder = tmp_path / "driver"
    (folder / "nvidia" / "cudnn").mkdir(parents=True)
    (folder / "nvidia" / "cudnn" / "__init__.py").touch()
    monkeypatch.syspath_prepend(folder)

    def make(listing, status=0):
        command = folder / "nvidia-smi"
        command.write_text(f"#!/bin/sh\ncat <<'END'\n{listing}END\nexit {status}\n")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return folder

    return make


class Lines(Watcher):
    """Keeps what is said."""

    def __init__(self):
        self.said = []

    def say(self, message):
        self.said.append(message)


@pytest.mark.parametrize(
    ("listing", "mask", "gpus"),
    [
        (TWO, None, "0 1"),
        (TWO, "1,0", "1 0"),
        (TWO, " 1 ", "1"),
        (TWO, "", ""),
        (TWO, "-1", ""),
        (TWO, "1,-1,0", "1"),  # CUDA stops to read there
        (TWO, "0,7,1", "0"),
        (TWO, "NoDevFiles", ""),
        (TWO, "GPU-bbbb", "GPU-bbbb"),
        (TWO, "GPU-eeee", ""),
        (DIVIDED, None, "MIG-cccc MIG-dddd 1"),
        (DIVIDED, "MIG-dddd", "MIG-dddd"),
        ("", None, ""),
        ("No devices were found\n", "0", ""),
    ],
)
def test_the_gpus_are_those_that_cuda_would_show(machine, monkeypatch, listing, mask, gpus):
    """All of the machine's, or the mask's that are there, in its order and by its names."""
    machine(listing)
    if mask is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", mask)
    assert find_gpus().gpus == tuple(gpus.split())


def test_without_nvidia_smi_the_driver_s_own_list_counts(machine, tmp_path, monkeypatch):
    """A container may lack the command."""
    machine("")
    (tmp_path / "driver" / "nvidia-smi").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    for bus in ("0000:3b:00.0", "0000:af:00.0"):
        (tmp_path / "gpus" / bus).mkdir(parents=True)
        text = f"Model: T4\nGPU UUID: \t GPU-{bus[5:7]}aa\n"
        (tmp_path / "gpus" / bus / "information").write_text(text)
    monkeypatch.setattr(gpus, "PROC", tmp_path / "gpus")
    assert find_gpus().gpus == ("0", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-afaa")
    assert find_gpus().gpus == ("GPU-afaa",)
    monkeypatch.setattr(gpus, "PROC", tmp_path / "none")
    assert find_gpus() == Gpus()


def test_a_driver_that_fails_is_told_and_the_cpu_is_used(machine):
    """With the driver's own words: a GPU that idles unseen is a costly silence."""
    machine("Failed to initialize NVML: Driver/library version mismatch\n", status=18)
    found = find_gpus()
    assert found.gpus == ()
    assert "version mismatch" in found.line(8)


def test_without_cuda_s_libraries_the_cpu_is_used_by_all_cores(machine, monkeypatch):
    """TensorFlow alone cannot use a GPU: one worker on the CPU would be the worst of both."""
    machine(TWO)
    monkeypatch.setattr(gpus, "_has_libraries", lambda: False)
    found = find_gpus()
    assert found.default_workers() == cores()
    assert found.of(0) is None
    assert found.line(2) == (
        "GPU 0, 1 cannot be used without TensorFlow's CUDA libraries: "
        'pip install "tensorflow[and-cuda]"'
    )


def test_workers_share_the_gpus_in_turn(machine):
    """One a GPU by default; of eight on four, two on each."""
    machine(FOUR)
    found = find_gpus()
    assert found.default_workers() == 4
    assert [found.of(n) for n in range(8)] == ["0", "1", "2", "3"] * 2
    assert found.line(8) == "8 workers on GPU 0, 1, 2, 3"
    assert found.line(1) == "1 worker on GPU 0"


def test_gpus_can_be_named_or_left_alone(machine, monkeypatch):
    """In the order asked for; none hides them all."""
    machine(FOUR)
    assert find_gpus("2, 0").gpus == ("2", "0")
    hidden = find_gpus("none")
    assert (hidden.gpus, hidden.of(0), hidden.line(3)) == ((), "-1", "")
    assert hidden.default_workers() == cores()


@pytest.mark.parametrize(
    ("listing", "mask", "asked", "words"),
    [
        (FOUR, None, "0,5,x", "some of 0,1,2,3, each once, got '5', 'x'"),
        (FOUR, None, "1,1", "each once, got '1'"),
        (FOUR, None, "", "got ''"),
        (FOUR, "2,3", "0", "some of 2,3, each once, got '0'"),
        (FOUR, "", "0", "no GPU is visible here; got '0'; leave it out, or take none"),
        ("", None, "0", "no GPU is visible here"),
    ],
)
def test_a_gpu_that_is_not_there_is_refused(machine, monkeypatch, listing, mask, asked, words):
    """With those that are, and all that are wrong at once."""
    machine(listing)
    if mask is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", mask)
    with pytest.raises(DeviceError) as error:
        find_gpus(asked)
    assert words in str(error.value)


def test_commands_refuse_a_gpu_that_is_not_there(here, machine):  # noqa: F811
    """Before anything is read or written, with status 2."""
    machine(TWO)
    for words in (["run", "digits-grid"], ["worker", "--all"]):
        result = sweep(*words, "--gpus", "4")
        assert result.exit_code == 2
        assert "--gpus: must be none, or some of 0,1, each once, got '4'" in result.stderr
    assert not (here / ".sweep").exists()


def test_numbers_are_those_of_nvidia_smi_unless_the_person_has_said_otherwise():
    """CUDA alone counts the fastest first; a mask of the person's is read in the person's order."""
    fresh, masked, ordered = {}, {"CUDA_VISIBLE_DEVICES": "3,1"}, {"CUDA_DEVICE_ORDER": "X"}
    for environment in (fresh, masked, ordered):
        see_only(environment, "1")
    assert fresh == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert masked == {"CUDA_VISIBLE_DEVICES": "1"}
    assert ordered == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "X"}
    see_only(untouched := {}, None)
    assert untouched == {}


@pytest.mark.tensorflow
@pytest.mark.parametrize("forked", [True, False], ids=["forked", "spawned"])
def test_each_worker_sees_its_gpu_and_so_does_the_one_in_its_place(
    machine, tmp_path, monkeypatch, forked
):
    """Memory grows as needed, a worker that dies is replaced on its GPU; the table is the same."""
    study = own("seen")
    plain = run_study(study, storage=str(tmp_path / "plain.db"), n_jobs=1, allow=["own_models"])
    machine(TWO)
    monkeypatch.setenv("DEVICES_SEEN", str(tmp_path / "seen"))
    if not forked:
        monkeypatch.setattr("sweep.study.run.forkserver_started", lambda: nullcontext(None))
    lines = Lines()
    result = run_study(study, storage=str(tmp_path / "l.db"), allow=["own_models"], watcher=lines)
    seen = {tuple(line.split()) for line in (tmp_path / "seen").read_text().splitlines()}
    seen = {each for each in seen if each[1] != "None"}  # that is the run itself
    assert len(seen) == 3  # processes
    assert {device for _, device, _ in seen} == {"0", "1"}
    assert {grows for _, _, grows in seen} == {"true"}
    assert lines.said[0] == "2 workers on GPU 0, 1"
    assert table(result).equals(table(plain))


@pytest.mark.tensorflow
def test_without_gpus_nothing_is_said_or_hidden(tmp_path, monkeypatch):
    """Workers keep the environment of the run; none asks for the CPU alone."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(gpus, "PROC", tmp_path / "none")
    monkeypatch.setenv("DEVICES_SEEN", str(tmp_path / "seen"))
    lines = Lines()
    run_study(own("seen"), storage=str(tmp_path / "l.db"), allow=["own_models"], watcher=lines)
    assert lines.said == []
    assert {line.split()[1] for line in (tmp_path / "seen").read_text().splitlines()} == {"None"}


@pytest.mark.tensorflow
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="needs a C compiler")
def test_the_driver_is_first_asked_in_the_worker_and_sees_its_gpu(here, machine):  # noqa: F811
    """TensorFlow, loaded before the fork, starts CUDA after it: a driver that tells was asked."""
    folder = machine(TWO)
    (folder / "cuda.c").write_text(DRIVER)
    line = ["cc", "-shared", "-fPIC", "-o", folder / "libcuda.so.1", folder / "cuda.c"]
    subprocess.run(line, check=True)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    settings = {"LD_LIBRARY_PATH": str(folder), "PYTHONPATH": path}
    words = ["run", "digits-grid", "--no-report", "--n-jobs", "2", "--gpus"]
    for asked, told, seen in (("1,0", "2 workers on GPU 1, 0\n", "10"), ("none", "", "")):
        done = subprocess.run(
            [sys.executable, "-m", "sweep", *words, asked, "--name", f"on-{asked[:1]}"],
            env={**os.environ, **settings}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith(told or "[")
        for number in range(2):
            log = here / ".sweep" / "logs" / f"worker-{number}.log"
            device = seen[number] if seen else "-1"
            assert f"cuInit sees {device}, growth true" in log.read_text()
            log.unlink()
