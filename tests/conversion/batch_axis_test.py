"""Operations along the batch axis are told from those along others."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion.batch_axis import mixes_examples
from keras_plex.conversion.surgery import intercept_calls

ROWS = 6

MIXES = {
    "mean": lambda x: ops.mean(x, axis=0),
    "mean_that_keeps_the_axis": lambda x: ops.mean(x, axis=0, keepdims=True),
    "mean_of_all": ops.mean,
    "spread": lambda x: ops.std(x, axis=-3),
    "first_example": lambda x: x[0],
    "products": lambda x: ops.einsum("bld,bkd->lk", x, x),
    "softmax": lambda x: ops.softmax(x, axis=0),
    "softmax_of_all": lambda x: ops.softmax(x, axis=None),
    "flip": lambda x: ops.flip(x, axis=(0, 1)),
    "cumsum": lambda x: ops.cumsum(x, axis=-3),
}
KEEPS = {
    "mean": lambda x: ops.mean(x, axis=1),
    "mean_of_each": lambda x: ops.mean(x, axis=(1, 2)),
    "first_token": lambda x: x[:, 0],
    "windows": lambda x: ops.reshape(x, (-1, 4)),
    "repeat": lambda x: ops.repeat(x, 2, axis=0),
    "softmax": lambda x: ops.softmax(x, axis=-1),
    "sort": lambda x: ops.sort(x, axis=1),
    "table": lambda x: ops.add(x, np.ones((1, 1, 4), "float32")),
    # The batch stands on another axis: that is for others to judge.
    "transpose": lambda x: ops.transpose(x, (1, 0, 2)),
}


def judged(make):
    """What is said of the one operation of a graph."""
    x = keras.Input((None, 4))
    model = keras.Model(x, make(x))
    found = []

    def judge(operation, args, kwargs):
        if operation is not model:
            found.append(mixes_examples(operation, args, kwargs, ROWS))
        return args, kwargs

    with intercept_calls(judge):
        model(np.ones((ROWS, 3, 4), "float32"))
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("name", MIXES)
def test_an_operation_along_the_batch_axis_mixes_examples(name):
    assert judged(MIXES[name])


@pytest.mark.parametrize("name", KEEPS)
def test_an_operation_along_another_axis_keeps_them_apart(name):
    assert not judged(KEEPS[name])


def test_a_layer_is_not_judged():
    layer = keras.layers.Lambda(lambda x: ops.mean(x, axis=0))
    assert not mixes_examples(layer, (ops.zeros((ROWS, 4)),), {}, ROWS)
