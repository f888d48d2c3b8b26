"""Shared by all tests: one thread, no accelerator, no ledger but a temporary one."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

os.environ.update(
    {
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
)


@pytest.fixture(autouse=True)
def no_ledger_of_the_person(monkeypatch):
    """Keep tests away from a ledger or an address that the person has set."""
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    monkeypatch.delenv("SWEEP_STORAGE_FILE", raising=False)


@pytest.fixture
def data_home():
    """Return the folder with mnist.npz and cifar10.npz, or skip."""
    folder = os.environ.get("SWEEP_DATA_HOME")
    if not folder or not (Path(folder) / "mnist.npz").is_file():
        pytest.skip("SWEEP_DATA_HOME names no folder with mnist.npz")
    return folder
