"""What a stock layer's kernel does to one example, and the adjoint of it."""

import dataclasses
from typing import Protocol

import keras
from keras import ops

from keras_plex.ops.adjoint_convolution import adjoint_convolution
from keras_plex.ops.einsum_spec import EinsumSpec
from keras_plex.types import Tensor


class LinearMap(Protocol):
    """A map that is linear in `x` and in the kernel, and its transpose."""

    input_shape: tuple[int, ...]

    def apply(self, x: Tensor, kernel: Tensor) -> Tensor:
        """The outputs of one example `x`, without the bias."""
        ...

    def adjoint(self, y: Tensor, kernel: Tensor) -> Tensor:
        """The transposed map: from outputs to inputs."""
        ...


def linear_map(
    layer: keras.layers.Layer, input_shape: tuple[int | None, ...]
) -> LinearMap:
    """The map of a built layer's kernel.

    Args:
        layer: a built layer that `check_has_linear_map` lets pass.
        input_shape: the shape of a batch; a convolution's norm depends on it.
    """
    return LINEAR_MAPS[_stock_class(layer)](layer, input_shape)


def check_has_linear_map(layer: keras.layers.Layer) -> None:
    """Raises unless a layer is its kernel, a bias and an activation."""
    if _stock_class(layer) is None:
        names = ", ".join(stock.__name__ for stock in LINEAR_MAPS)
        raise ValueError(
            f"The layer must be one of {names}, or a subclass with the same "
            "`call`: the norm of any other layer is not that of its kernel. "
            f"Received: layer={layer!r}"
        )
    groups = getattr(layer, "groups", 1)
    if groups != 1:
        raise ValueError(
            "The norm of a grouped convolution is not supported: `groups` "
            f"must be 1. Received: groups={groups}"
        )


@dataclasses.dataclass(frozen=True)
class EinsumMap:
    """The matrix between the labels that a kernel shares with each side.

    A label on all three sides makes a matrix for each of its values; together
    they are one block-diagonal map.
    """

    inputs: str
    kernel: str
    outputs: str
    input_shape: tuple[int, ...]

    def apply(self, x: Tensor, kernel: Tensor) -> Tensor:
        equation = f"{self.inputs},{self.kernel}->{self.outputs}"
        return ops.einsum(equation, x, kernel)

    def adjoint(self, y: Tensor, kernel: Tensor) -> Tensor:
        equation = f"{self.outputs},{self.kernel}->{self.inputs}"
        return ops.einsum(equation, y, kernel)


@dataclasses.dataclass(frozen=True)
class ConvolutionMap:
    """A convolution of one image: `(1, *size, channels)`, channels last."""

    input_shape: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dilation_rate: tuple[int, ...]

    def apply(self, x: Tensor, kernel: Tensor) -> Tensor:
        return ops.conv(
            x,
            kernel,
            strides=self.strides,
            padding=self.padding,
            data_format="channels_last",
            dilation_rate=self.dilation_rate,
        )

    def adjoint(self, y: Tensor, kernel: Tensor) -> Tensor:
        return adjoint_convolution(
            y,
            kernel,
            input_size=self.input_shape[1:-1],
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
        )


def _dense_map(layer: keras.layers.Dense, input_shape: tuple) -> EinsumMap:
    return EinsumMap("i", "io", "o", (layer.kernel.shape[0],))


def _einsum_dense_map(
    layer: keras.layers.EinsumDense, input_shape: tuple
) -> EinsumMap:
    spec = EinsumSpec.parse(layer.equation)
    summed = set(spec.inputs) - set(spec.kernel) - set(spec.outputs)
    if summed:
        raise ValueError(
            "The equation must not sum the inputs over an axis that the "
            "kernel does not have: the norm is then not that of the kernel. "
            f"Received: equation={layer.equation!r}"
        )
    inputs = spec.alpha_labels
    outputs = "".join(c for c in spec.outputs if c in spec.kernel)
    shape = spec.kernel_sizes(inputs, layer.kernel.shape)
    return EinsumMap(inputs, spec.kernel, outputs, shape)


def _convolution_map(
    layer: keras.layers.Conv2D, input_shape: tuple
) -> ConvolutionMap:
    is_last = layer.data_format == "channels_last"
    size = tuple(input_shape[1:-1] if is_last else input_shape[2:])
    if None in size:
        raise ValueError(
            "The norm of a convolution depends on the size of its inputs, "
            "which must be known: give `keras.Input` the height and the "
            f"width. Received: input_shape={input_shape}"
        )
    return ConvolutionMap(
        input_shape=(1, *size, layer.kernel.shape[-2]),
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
    )


# Stock layer -> what makes its map.
LINEAR_MAPS = {
    keras.layers.Dense: _dense_map,
    keras.layers.EinsumDense: _einsum_dense_map,
    keras.layers.Conv2D: _convolution_map,
}


def _stock_class(
    layer: keras.layers.Layer,
) -> type[keras.layers.Layer] | None:
    for stock in LINEAR_MAPS:
        # A subclass that has a `call` of its own may do anything.
        if isinstance(layer, stock) and type(layer).call is stock.call:
            return stock
    return None
