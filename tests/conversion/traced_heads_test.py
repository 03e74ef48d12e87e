"""Output layers of subclassed models are found by what a dry run calls."""

import threading

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex.conversion.traced_heads import RecordsCall
from keras_plex.conversion.traced_heads import recorded_calls
from keras_plex.conversion.traced_heads import trace_heads
from tests import subclassed_models as subclassed

# Class -> name and activation of the head of each flat output.
FOUND = [
    (subclassed.Classifier, [("head", "linear")]),
    (subclassed.Activated, [("head", "softmax")]),
    (subclassed.Blocks, [("head", "linear")]),
    (subclassed.Words, [("head", "linear")]),
    (subclassed.Several, [("label", "softmax"), ("number", "linear")]),
]


@pytest.mark.parametrize("cls, expected", FOUND)
def test_the_head_of_each_output_is_found(cls, expected):
    model = subclassed.make(cls)
    heads = trace_heads(model)
    found = [(head.layer.name, head.activation) for head in heads if head]
    assert found == expected
    assert all(not isinstance(x, RecordsCall) for x in model.layers)


class RawActivation(subclassed.Classifier):
    def call(self, inputs):
        return ops.softmax(self.head(self.dense_2(self.dense_1(inputs))))


def test_raw_arithmetic_hides_the_head():
    model = RawActivation()
    model(np.ones((2, 5)))
    assert trace_heads(model) == [None]


def test_layers_without_a_dense_are_no_head():
    class Pooled(subclassed.Classifier):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.norm = layers.LayerNormalization()

        def call(self, inputs):
            return self.norm(self.head(self.dense_2(self.dense_1(inputs))))

    model = Pooled()
    model(np.ones((2, 5)))
    assert trace_heads(model) == [None]


def test_calls_of_other_threads_are_not_recorded():
    layer = layers.Dense(3)
    x = np.ones((2, 4))
    layer(x)
    with recorded_calls([layer]) as calls:
        thread = threading.Thread(target=layer, args=(x,))
        thread.start()
        thread.join()
        outputs = layer(x)
    assert len(calls) == 1
    assert calls[0].layer is layer and calls[0].outputs is outputs
    assert type(layer) is keras.layers.Dense
