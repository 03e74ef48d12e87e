"""Inner products of the features approximate the kernel they are named for."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers.random_features import RandomFeatures

EPSILON = 1e-6  # added to the variance of a normalized input


def normal(*shape, seed=0, scale=1.0):
    x = scale * np.random.default_rng(seed).normal(size=shape)
    return x.astype("float32")


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def make(dim=4, **arguments):
    layer = RandomFeatures(**{"seed": 0, **arguments})
    layer.build((None, dim))
    return layer


@pytest.mark.parametrize("orthogonal", [True, False])
@pytest.mark.parametrize("length_scale", [0.5, 2.0])
def test_the_rbf_kernel_is_approximated(orthogonal, length_scale):
    x = normal(20, 128, scale=128**-0.5)
    layer = make(
        128,
        num_features=10_240,
        orthogonal=orthogonal,
        length_scale=length_scale,
        normalize_input=False,
    )
    phi = np64(layer(x))
    squares = ((x[:, None] - x[None]) ** 2).sum(-1)
    expected = np.exp(-squares / (2 * length_scale**2))
    np.testing.assert_allclose(phi @ phi.T, expected, atol=5e-2)


def test_the_linear_kernel_is_the_input_over_the_length_scale():
    x = normal(5, 4)
    layer = make(kernel="linear", length_scale=2.0, normalize_input=False)
    np.testing.assert_allclose(np64(layer(x)), x / 2, rtol=1e-6)
    assert layer.compute_output_shape((None, 4)) == (None, 4)
    assert layer.weights == []


def test_a_normalized_input_has_mean_0_and_variance_1():
    found = np64(make(kernel="linear")(normal(5, 4, scale=7.0)))
    np.testing.assert_allclose(found.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose(found.var(-1), 1, atol=1e-4)


def test_integers_are_numbers():
    counts = np.random.default_rng(0).integers(0, 3, (5, 4))
    layer = make(4, num_features=8)
    found, expected = layer(counts), layer(counts.astype("float32"))
    np.testing.assert_array_equal(np64(found), np64(expected))


def test_a_trainable_length_scale_starts_where_it_is_told():
    x = normal(5, 4)
    fixed = make(length_scale=3.0, num_features=16)
    trained = make(
        length_scale=3.0, num_features=16, trainable_length_scale=True
    )
    np.testing.assert_allclose(
        np64(trained(x)), np64(fixed(x)), rtol=1e-5, atol=1e-6
    )
    (scale,) = trained.trainable_variables
    scale.assign(np.log(6.0))
    wider = make(length_scale=6.0, num_features=16)
    np.testing.assert_allclose(
        np64(trained(x)), np64(wider(x)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("normalize_input", [True, False])
def test_gradients_are_finite_differences(kernel, normalize_input):
    extra = {"num_features": 16} if kernel == "rbf" else {}
    layer = make(
        kernel=kernel,
        length_scale=1.5,
        normalize_input=normalize_input,
        trainable_length_scale=True,
        **extra,
    )
    x = normal(5, 4)
    upstream = np.float64(normal(*layer(x).shape, seed=1))
    log_scale = np64(layer.log_length_scale)

    def reference(x, log_scale):
        if normalize_input:
            mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
            x = (x - mean) / np.sqrt(var + EPSILON)
        x = x / np.exp(log_scale)
        if kernel == "rbf":
            angles = x @ np64(layer.projection) + np64(layer.phase)
            x = np.sqrt(2 / 16) * np.cos(angles)
        return (x * upstream).sum()

    def slope_of(function, value):
        slopes = np.empty(value.shape)
        for index in np.ndindex(value.shape):
            step = np.zeros(value.shape)
            step[index] = 1e-6
            sides = function(value + step) - function(value - step)
            slopes[index] = sides / 2e-6
        return slopes

    # A layer in front, whose weight is the input, gives its gradient.
    source = keras.layers.Embedding(1, 20)
    reshape = keras.layers.Reshape((4,))
    source.build()
    source.embeddings.assign(x.reshape(1, 20))
    indices = keras.Input((), batch_size=1, dtype="int32")
    rows = ops.reshape(source(indices), (5, 4))
    model = keras.Model(indices, layer(reshape(rows)))
    model.compile(
        keras.optimizers.SGD(1.0),
        lambda y, p: ops.sum(ops.cast(upstream, p.dtype) * p),
        run_eagerly=True,
    )
    model.train_on_batch(np.zeros(1, "int32"), np.zeros((5, 1), "float32"))
    of_input = np.float64(x) - np64(source.embeddings).reshape(5, 4)
    of_scale = log_scale - np64(layer.log_length_scale)
    np.testing.assert_allclose(
        of_input,
        slope_of(lambda value: reference(value, log_scale), np.float64(x)),
        atol=1e-4,
    )
    np.testing.assert_allclose(
        of_scale,
        slope_of(lambda value: reference(np.float64(x), value), log_scale),
        atol=1e-4,
    )


def test_training_moves_the_length_scale():
    layer = make(num_features=16, trainable_length_scale=True)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(normal(8, 4), np.zeros((8, 16), "float32"))
    assert float(layer.log_length_scale) != 0.0


def test_state_is_float32_under_any_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    layer = make(trainable_length_scale=True)
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    assert layer(normal(5, 4)).dtype == "float32"


@pytest.mark.parametrize(
    "changes", [{"num_features": 8}, {"orthogonal": False}]
)
def test_a_linear_kernel_refuses_what_it_would_ignore(changes):
    with pytest.raises(ValueError, match="leave `num_features` and"):
        RandomFeatures(kernel="linear", **changes)


def test_a_context_is_normalized_on_its_own():
    x = normal(5, 7, scale=3.0)
    x[:, 4:] *= 100.0
    found = np64(make(7, kernel="linear", context_dim=3)(x))
    for part in (found[:, :4], found[:, 4:]):
        np.testing.assert_allclose(part.mean(-1), 0, atol=1e-5)
        np.testing.assert_allclose(part.var(-1), 1, atol=1e-4)


def test_a_context_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="`context_dim` must be smaller"):
        make(3, context_dim=3)
