"""The map of a kernel is the layer without its bias, and its transpose."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers.linear_maps import check_has_linear_map
from keras_plex.layers.linear_maps import linear_map

layers = keras.layers

# Name -> a layer without a bias, the shape of one example, of its part of `x`.
CASES = {
    "Dense": (lambda: layers.Dense(3, use_bias=False), (4,), (4,)),
    "EinsumDense, to heads": (
        lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 3)),
        (1, 4),
        (4,),
    ),
    "EinsumDense, from heads": (
        lambda: layers.EinsumDense("abcd,cde->abe", (None, 3)),
        (1, 2, 4),
        (2, 4),
    ),
    "EinsumDense, a matrix per head": (
        lambda: layers.EinsumDense("abc,bcd->abd", (2, 3)),
        (2, 4),
        (2, 4),
    ),
    "EinsumDense, one factor per channel": (
        lambda: layers.EinsumDense("...c,c->...c", 4),
        (4,),
        (4,),
    ),
    "Conv2D": (
        lambda: layers.Conv2D(
            2, (3, 2), strides=2, padding="same", use_bias=False
        ),
        (5, 4, 3),
        (1, 5, 4, 3),
    ),
    "Conv2D, dilated": (
        lambda: layers.Conv2D(2, 2, dilation_rate=2, use_bias=False),
        (5, 4, 3),
        (1, 5, 4, 3),
    ),
}


def make(name):
    layer, example_shape, _ = CASES[name]
    layer = layer()
    layer.build((None, *example_shape))
    normal = np.random.default_rng(0).normal(size=layer.kernel.shape)
    layer.kernel.assign(normal)
    return layer, linear_map(layer, (None, *example_shape))


@pytest.mark.parametrize("name", CASES)
def test_apply_is_the_layer_without_its_bias(name):
    layer, found = make(name)
    _, example_shape, shape = CASES[name]
    assert found.input_shape == shape
    x = np.random.default_rng(1).normal(size=shape).astype("float32")
    y = ops.convert_to_numpy(found.apply(x, layer.kernel))
    expected = ops.convert_to_numpy(layer(x.reshape(1, *example_shape)))
    np.testing.assert_allclose(y.ravel(), expected.ravel(), rtol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_adjoint_is_the_transpose(name):
    layer, found = make(name)
    size = int(np.prod(found.input_shape))
    units = np.eye(size, dtype="float32").reshape(size, *found.input_shape)
    columns = [
        ops.convert_to_numpy(found.apply(x, layer.kernel)) for x in units
    ]
    y = np.random.default_rng(2).normal(size=columns[0].shape)
    y = y.astype("float32")
    x = ops.convert_to_numpy(found.adjoint(y, layer.kernel))
    assert x.shape == found.input_shape
    expected = [np.vdot(column, y) for column in columns]
    np.testing.assert_allclose(x.ravel(), expected, rtol=1e-4, atol=1e-5)


def test_channels_first_has_the_same_map():
    layer = layers.Conv2D(2, 3, data_format="channels_first")
    layer.build((None, 3, 5, 4))
    found = linear_map(layer, (None, 3, 5, 4))
    assert found.input_shape == (1, 5, 4, 3)


class RenamedDense(layers.Dense):
    pass


class SquaredDense(layers.Dense):
    def call(self, inputs):
        return ops.square(super().call(inputs))


def test_a_subclass_with_the_stock_call_passes():
    check_has_linear_map(RenamedDense(3))
    check_has_linear_map(layers.Conv2D(2, 3))


@pytest.mark.parametrize(
    "layer",
    [
        SquaredDense(3),
        BatchEnsembleDense(3),
        layers.DepthwiseConv2D(3),
        layers.Conv2DTranspose(2, 3),
        layers.LayerNormalization(),
        None,
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_any_other_layer_raises_and_says_what_passes(layer):
    with pytest.raises(ValueError) as error:
        check_has_linear_map(layer)
    message = str(error.value)
    assert "one of Dense, EinsumDense, Conv2D, or a subclass" in message
    assert f"Received: layer={layer!r}" in message


def test_groups_raise():
    with pytest.raises(ValueError, match="`groups` must be 1.*groups=2"):
        check_has_linear_map(layers.Conv2D(4, 3, groups=2))


def test_an_unknown_image_size_raises():
    layer = layers.Conv2D(2, 3)
    layer.build((None, None, 4, 3))
    with pytest.raises(ValueError, match="the height and the width"):
        linear_map(layer, (None, None, 4, 3))


def test_an_equation_that_sums_the_inputs_raises():
    layer = layers.EinsumDense("abz,bc->ac", 3)
    layer.build((None, 4, 5))
    with pytest.raises(ValueError) as error:
        linear_map(layer, (None, 4, 5))
    assert "must not sum the inputs" in str(error.value)
    assert "equation='abz,bc->ac'" in str(error.value)
