"""The adjoint of a convolution is its transposed matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.ops.adjoint_convolution import adjoint_convolution


def check_adjoint(size, kernel_size, channels, filters, **arguments):
    """Asserts `<adjoint(y), z> = <y, conv(z)>` for random `y` and `z`."""
    generator = np.random.default_rng(0)

    def normal(*shape):
        return generator.normal(size=shape).astype("float32")

    kernel = normal(*kernel_size, channels, filters)
    z = normal(2, *size, channels)
    conv_z = ops.conv(z, kernel, data_format="channels_last", **arguments)
    conv_z = ops.convert_to_numpy(conv_z)
    y = normal(*conv_z.shape)
    x = adjoint_convolution(y, kernel, input_size=size, **arguments)
    x = ops.convert_to_numpy(x)
    assert x.shape == z.shape
    left, right = np.vdot(x, z), np.vdot(y, conv_z)
    scale = np.linalg.norm(y) * np.linalg.norm(conv_z)
    assert abs(left - right) < 1e-5 * scale


@settings(max_examples=40)
@given(
    size=st.tuples(st.integers(5, 9), st.integers(5, 9)),
    kernel_size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=st.integers(1, 3),
    filters=st.integers(1, 3),
    strides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.sampled_from(["same", "valid"]),
)
def test_it_is_the_adjoint_for_any_sizes_and_strides(
    size, kernel_size, channels, filters, strides, padding
):
    check_adjoint(
        size,
        kernel_size,
        channels,
        filters,
        strides=strides,
        padding=padding,
        dilation_rate=(1, 1),
    )


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size", [(3, 3), (2, 3)])
def test_it_is_the_adjoint_of_a_dilated_convolution(kernel_size, padding):
    check_adjoint(
        (7, 8),
        kernel_size,
        2,
        3,
        strides=(1, 1),
        padding=padding,
        dilation_rate=(2, 3),
    )


def test_one_axis_and_three_work_too():
    for axes in (1, 3):
        check_adjoint(
            (6,) * axes,
            (3,) * axes,
            2,
            2,
            strides=(2,) * axes,
            padding="same",
            dilation_rate=(1,) * axes,
        )


def test_each_output_goes_back_to_the_pixels_it_came_from():
    # Kernel [1, 2], stride 2: outputs z0 + 2 z1, z2 + 2 z3; z4 reaches none.
    y = np.array([[[3.0], [5.0]]], "float32")
    kernel = np.array([[[1.0]], [[2.0]]], "float32")
    x = adjoint_convolution(
        y,
        kernel,
        input_size=(5,),
        strides=(2,),
        padding="valid",
        dilation_rate=(1,),
    )
    assert ops.convert_to_numpy(x)[0, :, 0].tolist() == [3, 6, 5, 10, 0]
