"""Image data for sweeps: load it, check it, subset it, scale it.

:func:`load_dataset` turns what the ``[data]`` section of a study file names (a built-in name, an
``.npz`` file, a folder of class folders, ``"module:function"``) into one checked
:class:`Dataset` of NumPy arrays.
"""

from __future__ import annotations

from sweep.datasets.builtin import DATASETS
from sweep.datasets.dataset import Dataset
from sweep.datasets.load import load_dataset
from sweep.datasets.scaling import Scaling, fit_scaling

__all__ = ["DATASETS", "Dataset", "Scaling", "fit_scaling", "load_dataset"]
