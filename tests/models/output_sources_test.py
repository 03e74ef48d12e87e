"""What makes an output is seen through arithmetic, not through the rest."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex.conversion.heads import Head
from keras_plex.conversion.heads import find_heads
from keras_plex.layers import HeteroscedasticDense
from keras_plex.models.output_kinds import KINDS_BY_ACTIVATION
from keras_plex.models.output_sources import ACTIVATIONS
from keras_plex.models.output_sources import Source
from keras_plex.models.output_sources import find_sources
from keras_plex.models.output_sources import source_of_head
from tests import cases


def functional(*after):
    """`Dense(3)` and what follows it."""
    inputs = keras.Input((4,))
    x = layers.Dense(3, name="head")(inputs)
    for operation in after:
        x = operation(x)
    return keras.Model(inputs, x)


def source(*after):
    return find_sources(functional(*after))[0]


@pytest.mark.parametrize(
    "after, units",
    [
        ([layers.Reshape((1, 3)), layers.Flatten()], 3),
        ([layers.Reshape((3, 1))], 1),
        ([layers.Rescaling(0.5, offset=1.0)], 3),
        ([lambda x: x / 2.0], 3),
        ([lambda x: 1.0 - 2.0 * x], 3),
        ([lambda x: x / keras.Variable(2.0)], 3),
        ([lambda x: -ops.cast(x, "float32")], 3),
        ([lambda x: x[:, :2]], 2),
        ([lambda x: ops.squeeze(x[:, :1], axis=-1)], 1),
        ([layers.Dropout(0.5), lambda x: x / 2.0, layers.Identity()], 3),
        ([lambda x: x + layers.Dense(3)(x)], 3),
        ([lambda x: layers.Average()([x, layers.Dense(3)(x)])], 3),
    ],
)
def test_arithmetic_leaves_logits_logits(after, units):
    found = source(*after)
    assert (found.activation, found.units) == ("linear", units)


@pytest.mark.parametrize(
    "after, activation",
    [
        ([ops.softmax], "softmax"),
        ([ops.sigmoid], "sigmoid"),
        ([ops.log_softmax], "log_softmax"),
        ([keras.activations.log_sigmoid], "log_sigmoid"),
        ([lambda x: x / 2.0, layers.Softmax()], "softmax"),
        ([lambda x: x / 2.0, layers.Activation("sigmoid")], "sigmoid"),
        ([layers.Softmax(), layers.Reshape((3, 1))], "softmax"),
        ([layers.LayerNormalization(), ops.softmax], "softmax"),
    ],
)
def test_the_last_activation_is_the_source(after, activation):
    assert source(*after).activation == activation


@pytest.mark.parametrize(
    "after",
    [
        [layers.LayerNormalization()],
        [ops.exp],
        [lambda x: x * x],
        [lambda x: x / ops.sum(x, axis=-1, keepdims=True)],
        [lambda x: x + layers.LSTM(3)(ops.expand_dims(x, 1))],
        [lambda x: x + ops.softmax(x)],
        [lambda x: ops.concatenate([x, x])],
        # A soft cap of logits, or a regression in an interval.
        [lambda x: 30.0 * layers.Activation("tanh")(x / 30.0)],
    ],
)
def test_what_else_changes_the_numbers_hides_their_source(after):
    assert source(*after) is None


def test_scaled_layer_of_a_users_is_not_that_of_keras():
    class Rescaling(layers.Layer):
        def call(self, x):
            return ops.softmax(x)

    assert source(Rescaling()) is None


@pytest.mark.parametrize(
    "shape, layer",
    [
        ((4, 4, 1), layers.Conv2D(3, 2)),
        ((4, 1), layers.Conv1D(3, 2)),
        ((4, 4), layers.EinsumDense("bij,jk->bik", (4, 3))),
        ((4,), HeteroscedasticDense(3)),
    ],
)
def test_other_linear_layers_are_sources(shape, layer):
    x = keras.Input(shape)
    assert find_sources(keras.Model(x, layer(x)))[0] == Source(
        "linear", 3, layer
    )


def test_convolution_is_seen_through_pooling():
    x = keras.Input((4, 4, 1))
    scores = layers.Conv2D(3, 1)(x)
    model = keras.Model(x, layers.GlobalAveragePooling2D()(scores))
    assert find_sources(model)[0].activation == "linear"


@pytest.mark.parametrize("name", cases.CLASSIFIERS)
def test_where_there_is_a_head_the_source_is_that(name):
    model = cases.MODELS[name]()
    (head,) = find_heads(model)
    assert source_of_head(head) == find_sources(model, [head])[0]
    (found,) = find_sources(model)
    assert (found.activation, found.units) == (
        head.activation,
        head.layer.units,
    )


def test_head_that_is_known_comes_first():
    inputs = keras.Input((4,))
    one, other = layers.Dense(3), layers.Dense(2)
    model = keras.Model(inputs, [one(inputs), other(inputs) / 2.0])
    head = Head(one, "softmax")  # as a dry run may say
    assert find_sources(model, [head, None]) == [
        Source("softmax", 3, one),
        Source("linear", 2, other),
    ]
    assert source_of_head(None) is None


class Scaled(keras.Model):
    """Subclassed, with layers after its last `Dense`, or arithmetic."""

    def __init__(self, *after):
        super().__init__()
        self.head = layers.Dense(3)
        self.after = list(after)
        self(np.ones((2, 4), "float32"))

    def call(self, inputs):
        x = self.head(inputs)
        for operation in self.after:
            x = operation(x)
        return x


def test_layers_of_a_subclassed_model_are_seen_through():
    scaled = Scaled(layers.Rescaling(0.5), layers.Reshape((1, 3)))
    assert find_sources(scaled) == [Source("linear", 3, scaled.head)]
    assert all(type(x).__module__ != __name__ for x in scaled.layers)
    activated = Scaled(layers.Rescaling(0.5), layers.Softmax())
    assert find_sources(activated) == [Source("softmax", 3)]


def test_plain_code_of_a_subclassed_model_is_not_known():
    assert find_sources(Scaled(lambda x: x / 2.0)) == [None]
    unbuilt = keras.Sequential([layers.Dense(3)])
    assert find_sources(unbuilt) == [None]


def test_each_activation_that_tells_has_a_kind():
    assert set(ACTIVATIONS.values()) == set(KINDS_BY_ACTIVATION)
