"""The recipes of docs/machines.md: each command, directive, field and instruction is real."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
import yaml
from commands import here, process  # noqa: F401
from test_study import table

from sweep import run_study
from sweep.cli.main import cli
from sweep.ledger.ledger import Ledger

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "machines.md").read_text("utf-8")
SLURM = (ROOT / "docs" / "slurm.sh").read_text("utf-8")
CONTAINER = (ROOT / "Containerfile").read_text("utf-8")
KUBERNETES = (ROOT / "docs" / "kubernetes.yaml").read_text("utf-8")

DIRECTIVES = {
    "job-name", "array", "ntasks", "cpus-per-task", "mem", "time", "signal", "requeue", "output",
    "gpus-per-task",
}  # fmt: skip
INSTRUCTIONS = {
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}  # fmt: skip
# The fields of a batch/v1 Job that the manifest may use, in the API's own spelling; None: a value.
CONTEXT = {
    "runAsNonRoot": bool, "runAsUser": int, "runAsGroup": int, "fsGroup": int,
    "seccompProfile": {"type": str},
}  # fmt: skip
CONTAINER_FIELDS = {
    "name": str,
    "image": str,
    "args": [str],
    "env": [{"name": str, "value": str}],
    "resources": {
        "requests": {"cpu": str, "memory": str},
        "limits": {"cpu": str, "memory": str, "nvidia.com/gpu": int},
    },
    "securityContext": {
        "allowPrivilegeEscalation": bool,
        "readOnlyRootFilesystem": bool,
        "capabilities": {"drop": [str]},
    },
    "volumeMounts": [{"name": str, "mountPath": str, "readOnly": bool}],
}
LABELS = {"app.kubernetes.io/name": str}
JOB = {
    "apiVersion": str,
    "kind": str,
    "metadata": {"name": str, "labels": LABELS},
    "spec": {
        "parallelism": int,
        "backoffLimit": int,
        "podFailurePolicy": {"rules": [{"action": str, "onPodConditions": [{"type": str}]}]},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                "restartPolicy": str,
                "terminationGracePeriodSeconds": int,
                "automountServiceAccountToken": bool,
                "securityContext": CONTEXT,
                "containers": [CONTAINER_FIELDS],
                "volumes": [
                    {
                        "name": str,
                        "secret": {"secretName": str, "defaultMode": int},
                        "persistentVolumeClaim": {"claimName": str},
                        "emptyDir": {},
                    }
                ],
            },
        },
    },
}


def misfits(found, form, place="job"):
    """Return the places where a document is not of a form."""
    if isinstance(form, type):
        return [] if type(found) is form else [place]
    if isinstance(form, list):
        if not isinstance(found, list):
            return [place]
        return [
            bad for n, each in enumerate(found) for bad in misfits(each, form[0], f"{place}.{n}")
        ]
    if not isinstance(found, dict):
        return [place]
    return [
        bad
        for name, each in found.items()
        for bad in (
            misfits(each, form[name], f"{place}.{name}") if name in form else [f"{place}.{name}"]
        )
    ]


def pod():
    """Return the manifest's pod, and its only container."""
    spec = yaml.safe_load(KUBERNETES)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container


def instructions():
    """Return the Containerfile's instructions and what they say, lines joined."""
    lines = re.sub(r"\\\n\s*", "", CONTAINER).splitlines()
    return [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]


def sweep_lines():
    """Return every command line of sweep's in the recipes, without the word sweep."""
    text = f"{PAGE}\n{SLURM}".replace("\\\n", " ")
    found = re.findall(
        r"(?:^\$ |nohup |\"\$SLURM_CPUS_PER_TASK\" )sweep ([^#>\n]*)", text, re.MULTILINE
    )
    found += re.findall(r" sweep:[\d.]+ (\w[^#>\n]*)", text)
    return [*map(shlex.split, found), pod()[1]["args"]]


def test_every_command_line_of_the_recipes_is_one_that_sweep_takes():
    """Parsed by the command itself, with options and arguments."""
    lines = sweep_lines()
    assert len(lines) == 10
    for words in lines:
        command = cli.get_command(click.Context(cli), words[0])
        command.make_context(words[0], words[1:])


def test_the_shell_recipes_are_shell():
    """The Slurm script and the page's blocks, read by bash and not run."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for text in (SLURM, *blocks):
        done = subprocess.run(
            ["bash", "-n"], input=text, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_the_slurm_directives_are_known_and_stand_before_the_first_command():
    """Slurm reads none after it, and ignores what it does not know in silence or refuses it."""
    lines = SLURM.splitlines()
    first = next(n for n, line in enumerate(lines) if line and not line.startswith("#"))
    places = [n for n, line in enumerate(lines) if line.startswith(("#SBATCH", "##SBATCH"))]
    names = [re.match(r"##?SBATCH --([a-z-]+)(=\S+)?$", lines[n])[1] for n in places]
    assert lines[0] == "#!/bin/bash"
    assert max(places) < first
    assert set(names) <= DIRECTIVES
    assert len(names) == len(set(names))


@pytest.mark.parametrize("status", [0, 143])
def test_the_slurm_script_starts_one_worker_with_what_it_needs(tmp_path, status):
    """Run with an srun and an environment that are made up; its status is the worker's."""
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "activate").write_text(f'PATH="{tmp_path}:$PATH"\n')
    srun = tmp_path / "srun"
    srun.write_text(
        f'#!/bin/sh\necho "$@"; echo "$SWEEP_STORAGE_FILE $SWEEP_DATA_HOME"; exit {status}\n'
    )
    srun.chmod(0o755)
    settings = {"PATH": os.environ["PATH"], "HOME": "/home/me", "SLURM_CPUS_PER_TASK": "4"}
    done = subprocess.run(
        ["bash", ROOT / "docs" / "slurm.sh"], env={**settings, "SWEEP_VENV": f"{tmp_path}/venv"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status
    assert done.stdout.splitlines() == [
        "--ntasks=1 --cpus-per-task=4 sweep worker --all --quiet",
        "/home/me/.config/sweep/ledger /home/me/data",
    ]


def test_the_manifest_is_a_job_with_known_fields():
    """In the spelling of Kubernetes, values of their type; every mount has its volume."""
    job = yaml.safe_load(KUBERNETES)
    assert misfits(job, JOB) == []
    assert misfits({**job, "specs": 1, "kind": 2}, JOB) == ["job.kind", "job.specs"]
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    spec, container = pod()
    volumes = {volume["name"] for volume in spec["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_the_pods_have_no_rights_that_they_do_not_need():
    """Not root, writing to volumes alone, no token; the address from a secret; time to end."""
    spec, container = pod()
    rights = container["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert rights["readOnlyRootFilesystem"]
    assert not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert spec["automountServiceAccountToken"] is False
    assert spec["terminationGracePeriodSeconds"] >= 10
    file = next(e["value"] for e in container["env"] if e["name"] == "SWEEP_STORAGE_FILE")
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert mounts[str(Path(file).parent)]["readOnly"]
    assert {"/srv/sweep", "/tmp"} <= mounts.keys()  # noqa: S108 - a mount's place
    assert container["resources"]["limits"]["cpu"] == container["args"][-1]


def test_the_containerfile_builds_from_what_is_here():
    """Known instructions, files that exist and are not ignored, a user who is the manifest's."""
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    assert found[0] == ["FROM", "python:3.11-slim"]
    copied = [word for name, rest in found if name == "COPY" for word in rest.split()[:-1]]
    ignored = (ROOT / ".containerignore").read_text("utf-8").splitlines()
    assert all((ROOT / name).exists() for name in copied)
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)
    assert ["ENTRYPOINT", '["sweep"]'] in found
    user = dict(found)["USER"].split(":")[0]
    assert int(user) == pod()[0]["securityContext"]["runAsUser"] > 0
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert all(f"\n{extra} = [" in project for extra in re.findall(r"/src\[(\w+)\]", CONTAINER))


def test_no_recipe_holds_a_password_or_a_registry():
    """Addresses come from the environment or a secret; images by their plain names."""
    for text in (SLURM, KUBERNETES, CONTAINER):
        assert "://" not in text
    assert "/" not in pod()[1]["image"]
    assert "/" not in instructions()[0][1]


def begun(words, **options):
    """Start a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "sweep", *words], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, **options,
    )  # fmt: skip


def told_to_end(worker):
    """Send SIGTERM, and return status, seconds and what was said."""
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    _, said = worker.communicate(timeout=60)
    return worker.returncode, time.monotonic() - began, said


@pytest.mark.tensorflow
def test_a_worker_that_is_told_to_end_leaves_its_cell_to_another(here):  # noqa: F811
    """SIGTERM, as of a preempted machine: status 143, no cell held; the table is the same."""
    (here / "s.toml").write_text(
        '[data]\ndataset = "digits"\ntrain_rows = 200\n[model]\nepochs = 100\n'
        '[search]\nmethod = "grid"\ncv = 2\n[space]\nhidden_size = [4, 5, 6, 7, 8, 9, 10, 11]\n'
    )
    plain = run_study("s.toml", storage="plain.db", n_jobs=2)
    for words in (["run", "s.toml", "--no-report"], ["worker", "--study", "s"]):
        at_work = begun([*words, "--n-jobs", "1"])
        at_work.stderr.readline()  # a cell has ended, the next is in hand
        status, seconds, said = told_to_end(at_work)
        assert (status, seconds < 10) == (143, True), said
        counts = Ledger(f"sqlite:///{here}/.sweep/ledger.db").counts("s")
        assert counts["RUNNING"] == 0
        assert counts["WAITING"] > 0
    done = process("worker", "--study", "s")
    assert done.returncode == 0, done.stderr
    said = r"no cell is left to take; \d+ cells? ended here\ns is finished: 8 of 8 cells done, .*\n"
    assert re.fullmatch(said, done.stdout)
    assert table(run_study("s.toml")).equals(table(plain))


def listens(pid):
    """Return whether a process has a handler of its own for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (signal.SIGTERM - 1) & 1


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_that_waits_ends_when_told_to(here):  # noqa: F811
    """Also as a container's first process, which a signal that nothing handles does not end."""
    Ledger(f"sqlite:///{here}/l.db").close()
    line = ["worker", "--all", "--wait", "--storage", "l.db"]
    waiting = begun(line)
    end = time.monotonic() + 30
    while not listens(waiting.pid) and time.monotonic() < end:
        time.sleep(0.05)
    status, _, said = told_to_end(waiting)
    assert status == 143
    assert said.startswith("interrupted; go on with: ")
    assert said.endswith(f" {' '.join(line)}\n")
