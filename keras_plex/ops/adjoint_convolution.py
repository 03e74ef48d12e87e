"""The adjoint of a convolution, from convolutions alone."""

import math

from keras import ops

from keras_plex.types import Tensor


def adjoint_convolution(
    y: Tensor,
    kernel: Tensor,
    *,
    input_size: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    dilation_rate: tuple[int, ...],
) -> Tensor:
    """The `x` with `<x, z> = <y, conv(z)>` for each `z`.

    The transpose of the matrix of `keras.ops.conv`, with channels last and one
    group. `keras.ops.conv_transpose` is it only for some paddings and sizes.

    Args:
        y: `(batch, *output_size, filters)`.
        kernel: `(*kernel_size, channels, filters)`.
        input_size: the spatial size of `z`.
        strides: of the convolution, one per spatial axis.
        padding: of the convolution, `"same"` or `"valid"`.
        dilation_rate: of the convolution, one per spatial axis.

    Returns:
        `(batch, *input_size, channels)`.
    """
    pads = [(0, 0)]
    for axis, size in enumerate(input_size):
        stride = strides[axis]
        y = _spread(y, axis + 1, stride)
        reach = (kernel.shape[axis] - 1) * dilation_rate[axis]
        before = reach
        if padding == "same":
            steps = math.ceil(size / stride) - 1
            before -= max(steps * stride + reach + 1 - size, 0) // 2
        pads.append((before, size + reach - before - y.shape[axis + 1]))
    y = ops.pad(y, [*pads, (0, 0)])
    spatial_axes = tuple(range(len(input_size)))
    flipped = ops.swapaxes(ops.flip(kernel, axis=spatial_axes), -1, -2)
    return ops.conv(
        y,
        flipped,
        padding="valid",
        data_format="channels_last",
        dilation_rate=dilation_rate,
    )


def _spread(x: Tensor, axis: int, stride: int) -> Tensor:
    """Puts `stride - 1` zeros between neighbours along an axis."""
    if stride == 1:
        return x
    shape = list(x.shape)
    x = ops.expand_dims(x, axis + 1)
    pads = [(0, 0)] * len(x.shape)
    pads[axis + 1] = (0, stride - 1)
    spread = shape[:axis] + [shape[axis] * stride] + shape[axis + 1 :]
    x = ops.reshape(ops.pad(x, pads), spread)
    return ops.take(x, range((shape[axis] - 1) * stride + 1), axis=axis)
