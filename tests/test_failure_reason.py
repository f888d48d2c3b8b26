"""A failure's reason is the line that tells, whatever the libraries put around it."""

import pytest

from sweep.errors import SearchSpaceError
from sweep.workers.failure_reason import reason_of

GRAPH = """Graph execution error:

Detected at node while/functional_3/h_1/Assert defined at (most recent call last):
  File "/usr/lib/python3.11/runpy.py", line 32, in <module>

  File "/opt/env/lib/python3.11/site-packages/keras/src/ops/operation.py", line 63, in __call__

  File "/home/me/mine.py", line 14, in call

assertion failed: [batch must be 64] [20]
\t [[{{node while/functional_3/h_1/Assert}}]] [Op:__inference_steps_352]"""
UNTRACED = """Graph execution error:

Detected at node embedding/GatherV2 defined at (most recent call last):
<stack traces unavailable>
indices[0,0] = 125 is not in [0, 1)
\t [[{{node embedding/GatherV2}}]]
\ttf2xla conversion failed. [Op:__inference_one_epoch_12]"""
ROOTS = """Graph execution error:

2 root error(s) found.
  (0) RESOURCE_EXHAUSTED:  OOM when allocating tensor with shape[64,9]
\t [[{{node dense/MatMul}}]]
Hint: something long
  (1) CANCELLED:  Function was cancelled
0 successful operations. [Op:__inference_steps_9]"""
LAYER = """Exception encountered when calling L2.call().

\x1b[1m{{function_node __wrapped__Reshape_device_/job:localhost}} Input has 9 values [Op:Reshape]\
\x1b[0m

Arguments received by L2.call():
  • x=tf.Tensor(shape=(64, 16), dtype=float32)"""
SHAPE = """Exception encountered when calling L.call().

\x1b[1mCould not automatically infer the output shape / dtype of 'l' (of type L). Error encountered:

'L' object has no attribute 'undefined_thing'\x1b[0m

Arguments received by L.call():
  • kwargs=<class 'inspect._empty'>"""
TRACED = """in user code:

    File "/home/me/mine.py", line 12, in call  *
        x = a + b

    ValueError: Dimensions must be equal, but are 3 and 4 for 'add'
"""
TOLD = {
    GRAPH: "Graph execution error: assertion failed: [batch must be 64] [20] "
    "(in functional_3/h_1/Assert) (mine.py:14)",
    UNTRACED: "Graph execution error: indices[0,0] = 125 is not in [0, 1) (in embedding/GatherV2)",
    ROOTS: "Graph execution error: (0) RESOURCE_EXHAUSTED:  OOM when allocating tensor with "
    "shape[64,9] (in dense/MatMul)",
    "Graph execution error:\n\nno node at all": "Graph execution error: no node at all",
    LAYER: "Exception encountered when calling L2.call(): Input has 9 values",
    SHAPE: "Exception encountered when calling L.call(): 'L' object has no attribute "
    "'undefined_thing'",
    TRACED: "Dimensions must be equal, but are 3 and 4 for 'add' (mine.py:12)",
    "Exception encountered when calling A.call().\n\n" + TRACED: "Exception encountered when "
    "calling A.call(): Dimensions must be equal, but are 3 and 4 for 'add' (mine.py:12)",
    "Error(s) in loading weights:\n\n  size mismatch": "Error(s) in loading weights: size mismatch",
    "One line: with a colon.\nAnd more": "One line: with a colon.",
    "": "no message",
    "\n\n": "no message",
}


@pytest.mark.parametrize(("text", "told"), TOLD.items(), ids=range(len(TOLD)))
def test_the_line_that_tells(text, told):
    """By the kind of introduction; with the operation, and the line of the person's own code."""
    assert reason_of(ValueError(text)) == f"ValueError: {told}"


def test_every_problem_of_our_own_errors_is_told():
    """In one line, without the exception's name."""
    assert reason_of(SearchSpaceError(["a: no", "b: no"])) == "a: no; b: no"


@pytest.mark.tensorflow
def test_an_error_in_tensorflow_s_graph_tells_what_the_operation_said():
    """Which it is, and the line of the layer that it is from."""
    import keras
    import numpy as np
    import tensorflow as tf

    from sweep import KerasClassifier

    class Picky(keras.layers.Layer):
        def call(self, x):
            tf.debugging.assert_equal(tf.shape(x)[0], 64, message="batch must be 64")
            return tf.identity(x)

    def build(input_shape, n_classes):
        inputs = keras.Input(input_shape)
        dense = keras.layers.Dense(n_classes, activation="softmax")
        return keras.Model(inputs, dense(Picky()(inputs)))

    x = np.random.default_rng(0).random((64, 4), np.float32)
    estimator = KerasClassifier(model=build, epochs=1, batch_size=20)
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        estimator.fit(x, np.arange(64) % 2)
    told = reason_of(raised.value)
    assert told.startswith("InvalidArgumentError: Graph execution error: assertion failed: [batch")
    assert "test_failure_reason.py:" in told
