"""A multi-layer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.estimators.base import BaseKerasClassifier
from sweep.models import FACTORIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class KerasMLPClassifier(BaseKerasClassifier):
    """Multi-layer perceptron: hidden layers of the same or of given widths.

    Parameters
    ----------
    hidden_size : int or sequence of int, default=128
        Units in each hidden layer; a sequence gives one width a layer.
    hidden_layers : int, default=1
        Number of hidden layers.
    activation : str, default="relu"
        Keras's name of the activation.
    dropout_rate : float or sequence of float, default=0.0
        Share of units dropped after each hidden layer while training.
    batch_norm : {"none", "before", "after"}, default="none"
        Batch normalization before or after each activation.
    kernel_initializer : str, default="glorot_uniform"
        Keras's name of the initializer of the kernels.
    l2 : float, default=0.0
        Penalty on the sum of the squares of all kernels.
    max_norm : float or "none", default="none"
        Largest norm of the weights that lead to a unit, the last layer's left free.
    epochs : int, default=10
        Passes over the training rows.
    batch_size : int, default=32
        Rows in one step of the optimizer.
    optimizer : str, default="adam"
        Keras's name of the optimizer.
    learning_rate, learning_rate_decay, momentum, nesterov, weight_decay
        Settings of the optimizer; see :class:`sweep.training.optimizers.OptimizerSettings`.
    label_smoothing : float, default=0.0
        Share of each label that the loss spreads over all classes, as Keras's losses do.
    class_weight : mapping of label to float, "balanced" or None, default=None
        Weight of each class in the loss.
    early_stopping : bool, default=False
        Hold ``validation_fraction`` of the rows out (stratified, never the rows that score the
        fit), stop when their loss has not fallen for ``n_iter_no_change`` epochs, and keep the
        best epoch's weights.
    validation_fraction : float, default=0.1
        Share of the rows held out for stopping.
    n_iter_no_change : int, default=5
        Epochs without a lower loss before stopping.
    callbacks : sequence, default=None
        Keras callbacks, called at each epoch: instances, names, or mappings with ``name`` and
        settings. One that monitors a ``val_`` value has the same rows held out.
    scaling : {None, "none", "unit", "standardize"}, default=None
        Scaling of the pixels, its statistics from the rows of the fit.
    image_shape : sequence of int, default=None
        Shape of one image, for rows that come flat.
    precision : {"float32", "mixed_bfloat16"}, default="float32"
        What layers compute in; weights and the output stay float32.
    random_state : int, RandomState or None, default=None
        Seed of initial weights, row order and dropout.
    warm_start : bool, default=False
        Let :meth:`fit` go on for ``epochs`` more epochs from where the last call ended.
    checkpoint_epochs : sequence of int, default=None
        Epochs whose weights are kept for :meth:`at_epoch`.
    jit_compile : {"auto", True, False}, default="auto"
        Compile the batches with XLA; ``"auto"`` does so where TensorFlow sees a GPU.
    fast : bool, default=True
        Many batches in each graph call, on a model compiled once; False is Keras's own ``fit``.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> search = GridSearchCV(KerasMLPClassifier(), {"hidden_size": [32, 64]}, cv=3)
    """

    def __init__(
        self,
        hidden_size: int | Sequence[int] = 128,
        hidden_layers: int = 1,
        activation: str = "relu",
        dropout_rate: float | Sequence[float] = 0.0,
        batch_norm: str = "none",
        kernel_initializer: str = "glorot_uniform",
        l2: float = 0.0,
        max_norm: float | str = "none",
        *,
        epochs: int = 10,
        batch_size: int = 32,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        learning_rate_decay: float = 0.0,
        momentum: float | None = None,
        nesterov: bool | None = None,
        weight_decay: float | None = None,
        label_smoothing: float = 0.0,
        class_weight: Mapping[Any, float] | str | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        callbacks: Sequence[Any] | None = None,
        scaling: str | None = None,
        image_shape: Sequence[int] | None = None,
        precision: str = "float32",
        random_state: Any = None,
        warm_start: bool = False,
        checkpoint_epochs: Sequence[int] | None = None,
        jit_compile: bool | str = "auto",
        fast: bool = True,
    ) -> None:
        names = self._get_param_names()
        super().__init__(**{name: value for name, value in locals().items() if name in names})

    def _factory(self) -> Callable[..., Any]:
        return FACTORIES["mlp"]
