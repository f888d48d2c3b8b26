"""Model factories: pure functions that return layer descriptions; Keras models are built of these.

Importing this package does not load TensorFlow; ``build_model``, ``build_from`` and
``model_layers`` do when they are called.
"""

from __future__ import annotations

from sweep.models._all_conv import all_conv
from sweep.models._cnn import cnn
from sweep.models._mlp import mlp
from sweep.models._two_stage import two_stage
from sweep.models.build import build_from, build_model, model_layers
from sweep.models.checks import ACTIVATIONS
from sweep.models.layers import (
    Activation,
    Augment,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    LayerSpec,
    Pool,
    Reshape,
)
from sweep.models.registry import (
    FACTORIES,
    check_parameters,
    factory_parameters,
    get_factory,
    one_line,
    parameter_problems,
)
from sweep.models.shapes import (
    count_operations,
    count_parameters,
    describe,
    output_shape,
    weight_shapes,
)
from sweep.models.signature import REQUIRED

__all__ = [
    "ACTIVATIONS",
    "FACTORIES",
    "REQUIRED",
    "Activation",
    "Augment",
    "BatchNorm",
    "Conv",
    "Dense",
    "Dropout",
    "Flatten",
    "LayerSpec",
    "Pool",
    "Reshape",
    "all_conv",
    "build_from",
    "build_model",
    "check_parameters",
    "cnn",
    "count_operations",
    "count_parameters",
    "describe",
    "factory_parameters",
    "get_factory",
    "mlp",
    "model_layers",
    "one_line",
    "output_shape",
    "parameter_problems",
    "two_stage",
    "weight_shapes",
]
