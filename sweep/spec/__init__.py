"""Study files: TOML to frozen models, every problem at once, each with its place."""

from sweep.spec.dimensions import takes
from sweep.spec.loading import load_study, read_study_text
from sweep.spec.own_factory_rules import training_problems
from sweep.spec.parameters import OPTIMIZERS, TRAINING, estimator_parameters
from sweep.spec.pruning import PrunerSection, SplitPrunerSection
from sweep.spec.scorers import SCORERS
from sweep.spec.sections import (
    DataSection,
    ModelSection,
    ReportSection,
    SearchSection,
    SpaceSection,
    StudySection,
)
from sweep.spec.study import StudySpec
from sweep.spec.toml import to_toml
from sweep.support.study_files import shipped_studies

__all__ = [
    "OPTIMIZERS",
    "SCORERS",
    "TRAINING",
    "DataSection",
    "ModelSection",
    "PrunerSection",
    "ReportSection",
    "SearchSection",
    "SpaceSection",
    "SplitPrunerSection",
    "StudySection",
    "StudySpec",
    "estimator_parameters",
    "load_study",
    "read_study_text",
    "shipped_studies",
    "takes",
    "to_toml",
    "training_problems",
]
