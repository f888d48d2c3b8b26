"""What control groups say: of both versions, and where the container's own path is hidden."""

import os

import pytest

from sweep.runner.gpus import cores
from sweep.support import container_limits
from sweep.support.container_limits import ended_for_memory, memory_limit, share_of_cpus
from sweep.support.npz_archives import free_memory

V1 = "4:memory:/docker/ab\n3:cpuset:/\n1:cpu,cpuacct:/docker/ab\n0::/system.slice\n"
V2 = "0::/pod/work\n"


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Return a function that makes this process part of groups with these files."""

    def make(own, **files):
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            file = tmp_path / "groups" / name.replace("__", "/").replace("_0_", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    monkeypatch.setattr(container_limits, "OWN", tmp_path / "own")
    monkeypatch.setattr(container_limits, "GROUPS", tmp_path / "groups")
    return make


@pytest.mark.parametrize(
    ("own", "files", "share"),
    [
        (V2, {"pod__work__cpu_0_max": "50000 100000\n"}, 0.5),
        (V2, {"pod__work__cpu_0_max": "max 100000\n", "pod__cpu_0_max": "150000 100000\n"}, 1.5),
        (V2, {"cpu_0_max": "250000 100000\n"}, 2.5),  # a container's own path, seen from outside
        (V2, {"pod__work__cpu_0_max": "max 100000\n"}, None),
        (V1, {"cpu__cpu_0_cfs_quota_us": "-1\n", "cpu__cpu_0_cfs_period_us": "100000\n"}, None),
        (V1, {"cpu__docker__ab__cpu_0_cfs_quota_us": "70000\n",
              "cpu__docker__ab__cpu_0_cfs_period_us": "100000\n"}, 0.7),
        (V1, {"cpu__cpu_0_cfs_quota_us": "30000\n", "cpu__cpu_0_cfs_period_us": "10000\n"}, 3.0),
        ("", {}, None),
    ],
)  # fmt: skip
def test_the_share_of_the_cpus_is_the_least_of_all_groups(groups, own, files, share):
    """And cores are that share, rounded up, never more than there are."""
    groups(own, **files)
    assert share_of_cpus() == share
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert cores() == min(seen, {None: seen, 0.5: 1, 0.7: 1, 1.5: 2, 2.5: 3, 3.0: 3}[share])


@pytest.mark.parametrize(
    ("own", "files", "count"),
    [
        (V2, {"pod__work__memory_0_events": "low 0\noom 3\noom_kill 2\n"}, 2),
        (V1, {"memory__memory_0_oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"}, 5),
        (V1, {}, 0),
        ("", {}, 0),
    ],
)
def test_ends_for_want_of_memory_are_those_of_the_own_group(groups, own, files, count):
    """Nothing is told where nobody counts."""
    groups(own, **files)
    assert ended_for_memory() == count


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        (V2, {"pod__work__memory_0_max": "3000\n", "memory_0_max": "9000\n"}, 3000),
        (V2, {"pod__work__memory_0_max": "max\n", "pod__memory_0_max": "5000\n"}, 5000),
        (V2, {"pod__work__memory_0_max": "max\n"}, None),
        (V1, {"memory__docker__ab__memory_0_limit_in_bytes": "7000\n"}, 7000),
        ("", {}, None),
    ],
)
def test_the_memory_is_the_least_of_all_groups(groups, own, files, limit):
    """And what an archive may take lies within it: also in a group below the root."""
    groups(own, **files)
    assert memory_limit() == limit
    assert limit is None or free_memory() == limit
