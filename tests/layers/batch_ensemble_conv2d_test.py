"""A BatchEnsemble convolution is a loop over its members."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers import BatchEnsembleConv2D


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def normal(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def random_layer(input_shape, **arguments):
    """A float64 layer whose weights, biases too, are all random."""
    arguments = {"filters": 4, "kernel_size": (2, 3), **arguments}
    arguments = {"dtype": "float64", **arguments}
    layer = BatchEnsembleConv2D(ensemble_size=2, **arguments)
    layer.build(input_shape)
    for i, weight in enumerate(layer.weights):
        weight.assign(normal(weight.shape, seed=10 + i))
    return layer


def pad_same(x, layer):
    """Zeros such that an output has a row for each stride of the input."""
    pads = [(0, 0)]
    sizes = (layer.kernel_size, layer.strides, layer.dilation_rate)
    for n, k, s, d in zip(x.shape[1:3], *sizes, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(x, [*pads, (0, 0)])


def convolve(x, layer):
    """Each output is a sum over a window, in float64 and channels last."""
    kernel = np64(layer.kernel)
    (h, w), (s, t), (d, e) = (
        layer.kernel_size, layer.strides, layer.dilation_rate
    )  # fmt: skip
    if layer.padding == "same":
        x = pad_same(x, layer)
    rows = (x.shape[1] - (h - 1) * d - 1) // s + 1
    columns = (x.shape[2] - (w - 1) * e - 1) // t + 1
    channels, filters = kernel.shape[2], kernel.shape[3] // layer.groups
    y = np.zeros((len(x), rows, columns, kernel.shape[3]))
    for i, j in np.ndindex(rows, columns):
        i0, j0 = i * s, j * t
        window = x[:, i0 : i0 + h * d : d, j0 : j0 + w * e : e]
        for g in range(layer.groups):
            own = slice(g * filters, (g + 1) * filters)
            y[:, i, j, own] = np.einsum(
                "bhwc,hwcf->bf",
                window[..., g * channels : (g + 1) * channels],
                kernel[..., own],
            )
    return y


def member_loop(layer, x):
    outputs = []
    for k, rows in enumerate(np.split(np.float64(x), 2)):
        y = convolve(rows * np64(layer.alpha)[k], layer)
        y = y * np64(layer.gamma)[k]
        if layer.bias is not None:
            y = y + np64(layer.bias) + np64(layer.member_bias)[k]
        outputs.append(np64(layer.activation(ops.convert_to_tensor(y))))
    return np.concatenate(outputs)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"use_bias": False},
        {"activation": "tanh"},
        {"padding": "same"},
        {"strides": (2, 1)},
        {"strides": 2, "padding": "same"},
        {"dilation_rate": (1, 2), "padding": "same"},
        {"groups": 2},
        {"groups": 2, "padding": "same", "strides": 2},
    ],
    ids=str,
)
def test_it_equals_a_loop_over_members(arguments):
    layer = random_layer((6, 5, 6, 2), **arguments)
    x = normal((6, 5, 6, 2))
    np.testing.assert_allclose(
        np64(layer(x)), member_loop(layer, x), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_channels_may_come_first(groups):
    keras.config.set_floatx("float64")
    arguments = {"groups": groups, "padding": "same"}
    inputs = keras.Input((2, 5, 6))
    layer = random_layer(
        (6, 2, 5, 6), data_format="channels_first", **arguments
    )
    model = keras.Model(inputs, layer(inputs))
    # TensorFlow on a CPU has this convolution only when XLA compiles it.
    is_tensorflow = keras.config.backend() == "tensorflow"
    model.compile(jit_compile=is_tensorflow)
    x = normal((6, 2, 5, 6))
    found = model.predict(x, verbose=0)
    expected = member_loop(layer, np.moveaxis(x, 1, -1))
    np.testing.assert_allclose(
        found, np.moveaxis(expected, -1, 1), rtol=1e-10, atol=1e-12
    )


def test_a_member_sees_only_its_own_rows():
    layer = random_layer((4, 3, 3, 2))
    x = normal((4, 3, 3, 2))
    changed = np.concatenate([x[:2], normal((2, 3, 3, 2), seed=9)])
    same = np64(layer(x)) == np64(layer(changed))
    assert same[:2].all() and not same[2:].any()


def test_it_adds_k_times_channels_plus_twice_filters_weights():
    # Conv2D: 2 * 3 * 2 * 4 + 4. Members: 2 * (2 alpha + 4 gamma + 4 bias).
    layer = random_layer((4, 3, 3, 2))
    assert layer.count_params() == 52 + 20
    assert tuple(layer.alpha.shape) == (2, 2)
    assert tuple(layer.gamma.shape) == (2, 4)
    assert tuple(layer.member_bias.shape) == (2, 4)


def test_alpha_has_the_channels_of_all_groups():
    layer = random_layer((4, 3, 3, 6), groups=2)
    assert tuple(layer.alpha.shape) == (2, 6)


def test_images_may_have_any_size():
    layer = random_layer((None, None, None, 2), dtype="float32")
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, layer(inputs))
    assert tuple(model.outputs[0].shape) == (None, None, None, 4)
    for shape in [(2, 3, 4, 2), (4, 6, 5, 2)]:
        x = normal(shape).astype("float32")
        np.testing.assert_allclose(
            model.predict(x, verbose=0),
            member_loop(layer, x),
            rtol=1e-4,
            atol=1e-4,
        )


def test_rows_that_are_no_multiple_raise():
    with pytest.raises(ValueError, match="rows=5, ensemble_size=2"):
        BatchEnsembleConv2D(4, 2, 2)(np.ones((5, 3, 3, 2), "float32"))
