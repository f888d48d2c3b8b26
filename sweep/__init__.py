"""Hyperparameter sweeps for Keras image models, for people who think in scikit-learn.

Nothing heavy is imported until it is asked for: ``import sweep`` loads neither TensorFlow nor
scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.support.lazy_package import lazy_package
from sweep.support.notebook import ignore_missing_widgets

if TYPE_CHECKING:
    from sweep.client.server import connect
    from sweep.datasets import Dataset, load_dataset
    from sweep.errors import SweepError
    from sweep.estimators import KerasClassifier, KerasCNNClassifier, KerasMLPClassifier
    from sweep.export.loading import load_best
    from sweep.importing.search_object import import_results
    from sweep.search_cv import OptunaSearchCV
    from sweep.section import Section
    from sweep.spec import StudySpec, load_study
    from sweep.study import StudyResult, open_study, run_study

ignore_missing_widgets()

__version__ = "0.1.0"
__distribution__ = "keras-sweep"  # keras_sweep.py looks for this line

__all__ = [
    "Dataset",
    "KerasCNNClassifier",
    "KerasClassifier",
    "KerasMLPClassifier",
    "OptunaSearchCV",
    "Section",
    "StudyResult",
    "StudySpec",
    "SweepError",
    "connect",
    "import_results",
    "load_best",
    "load_dataset",
    "load_study",
    "open_study",
    "run_study",
]

_HOMES = {
    "Dataset": "sweep.datasets",
    "KerasCNNClassifier": "sweep.estimators",
    "KerasClassifier": "sweep.estimators",
    "KerasMLPClassifier": "sweep.estimators",
    "OptunaSearchCV": "sweep.search_cv",
    "Section": "sweep.section",
    "StudyResult": "sweep.study",
    "StudySpec": "sweep.spec",
    "SweepError": "sweep.errors",
    "connect": "sweep.client.server",
    "import_results": "sweep.importing.search_object",
    "load_best": "sweep.export.loading",
    "load_dataset": "sweep.datasets",
    "load_study": "sweep.spec",
    "open_study": "sweep.study",
    "run_study": "sweep.study",
}

__getattr__, __dir__ = lazy_package(globals(), _HOMES)
