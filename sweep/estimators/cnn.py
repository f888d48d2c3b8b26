"""A convolutional network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.estimators.base import BaseKerasClassifier
from sweep.models import FACTORIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class KerasCNNClassifier(BaseKerasClassifier):
    """Convolutional network: blocks of convolutions and pooling, then a dense layer.

    Images come as ``(n, height, width)`` or ``(n, height, width, channels)``; flat rows of n
    features are taken as a map of 1 x n unless ``image_shape`` says otherwise.

    Parameters
    ----------
    filters : int or sequence of int, default=32
        Filters of each convolution; a sequence gives one number a block or a convolution.
    kernel_size : int, default=3
        Side of the square kernel, pixels.
    convolutions : int, default=1
        Convolutions in a block.
    blocks : int, default=1
        Blocks, each ended by its pooling.
    pool_size : int, default=2
        Side of the max pooling; 1 is none.
    padding : {"same", "valid"}, default="same"
        Whether maps keep their size in a convolution.
    dense_width : int, default=128
        Units of the dense layer; 0 is none.
    activation : str, default="relu"
        Keras's name of the activation.
    batch_norm : {"none", "before", "after"}, default="none"
        Batch normalization before or after each activation.
    conv_dropout_rate, dense_dropout_rate : float, default=0.0
        Share dropped after each block, and after the dense layer, while training.
    augment : {"none", "flip_shift"}, default="none"
        Random flips and shifts of the images while training.
    kernel_initializer : str, default="glorot_uniform"
        Keras's name of the initializer of the kernels.
    l2 : float, default=0.0
        Penalty on the sum of the squares of all kernels.
    max_norm : float or "none", default="none"
        Largest norm of the weights that lead to a unit or filter, the last layer's left free.
    epochs, batch_size, optimizer, learning_rate, learning_rate_decay, momentum, nesterov, \
weight_decay, label_smoothing, class_weight, early_stopping, validation_fraction, \
n_iter_no_change, callbacks, scaling, image_shape, precision, random_state, warm_start, \
checkpoint_epochs, jit_compile, fast
        As in :class:`KerasMLPClassifier`.
    """

    def __init__(
        self,
        filters: int | Sequence[int] = 32,
        kernel_size: int = 3,
        convolutions: int = 1,
        blocks: int = 1,
        pool_size: int = 2,
        padding: str = "same",
        dense_width: int = 128,
        activation: str = "relu",
        batch_norm: str = "none",
        conv_dropout_rate: float = 0.0,
        dense_dropout_rate: float = 0.0,
        augment: str = "none",
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
        return FACTORIES["cnn"]
