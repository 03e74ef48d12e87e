"""A layer whose kernel's norm stays below a bound."""

import keras
from keras import ops

from keras_plex.checks import is_number
from keras_plex.checks import is_positive_integer
from keras_plex.layers.linear_maps import check_has_linear_map
from keras_plex.layers.linear_maps import linear_map
from keras_plex.types import Config
from keras_plex.types import Tensor

NOISE = 0.01


@keras.saving.register_keras_serializable("keras_plex")
class SpectralNormalization(keras.layers.Wrapper):
    """Bounds how far the outputs of a layer can move when its inputs move.

    Use it in the layers below a Gaussian-process head: with residual
    connections, inputs that differ keep different features.

    `outputs = layer(inputs / max(sigma / norm_bound, 1))`

    where `sigma` is the largest singular value of the kernel's linear map. As
    the map is linear, that is the layer with its kernel divided; the stored
    kernel stays as it is, and a kernel below the bound is left alone.
    `keras.layers.SpectralNormalization` divides always, and overwrites it.

    Each call in training improves an estimate of the first singular vector,
    from a start that has nothing to do with the kernel: the bound holds after
    some steps. Inference reads the estimate and changes nothing. The gradient
    takes `sigma` as a constant: through it, training would shrink the one
    direction that is estimated, and the others would pass the bound.

    The norm of a `Conv2D` is that of the convolution itself, with its padding,
    strides and dilation, at the size of the inputs; not that of the kernel as
    a matrix. The norm of an `EinsumDense` whose kernel has a matrix for each
    value of an axis is the largest of theirs.

    Args:
        layer: a `keras.layers.Dense`, `EinsumDense` or `Conv2D` with one
            group. Its dtype policy is also the wrapper's.
        norm_bound: positive float, the largest norm of the kernel's map.
            Defaults to `0.95`.
        power_iterations: positive int, the improvements of the estimate per
            call in training. Defaults to `1`.
        **kwargs: arguments of `keras.layers.Layer`. A `dtype` is given to
            `layer` too.

    Input shape:
        That of `layer`. A `Conv2D` needs the height and the width.

    Output shape:
        That of `layer`.

    Example:

    >>> dense = keras.layers.Dense(2, kernel_initializer="identity")
    >>> layer = SpectralNormalization(dense, norm_bound=0.5)
    >>> x = np.array([[3.0, 4.0]], "float32")
    >>> ops.convert_to_numpy(layer(x, training=True)).round(3).tolist()
    [[1.5, 2.0]]

    Reference:
        Gouk et al., 2021, "Regularisation of neural networks by enforcing
        Lipschitz continuity", https://arxiv.org/abs/1804.04368; Liu et al.,
        2020, "Simple and principled uncertainty estimation with deterministic
        deep learning via distance awareness", https://arxiv.org/abs/2006.10108
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        norm_bound: float = 0.95,
        power_iterations: int = 1,
        **kwargs,
    ):
        check_has_linear_map(layer)
        check_arguments(norm_bound, power_iterations)
        take_dtype(layer, kwargs.pop("dtype", None))
        super().__init__(layer, dtype=layer.dtype_policy, **kwargs)
        self.norm_bound = norm_bound
        self.power_iterations = power_iterations
        self.supports_masking = layer.supports_masking

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.linear_map = linear_map(self.layer, input_shape)
        self.input_spec = self.layer.input_spec
        if isinstance(self.layer, keras.layers.Conv2D):
            sizes = dict(enumerate(input_shape[1:], start=1))
            self.input_spec = keras.InputSpec(ndim=4, axes=sizes)
        # Every replica computes the same vector from the same kernel.
        self.input_vector = self.add_weight(
            name="input_vector",
            shape=self.linear_map.input_shape,
            initializer=random_unit_vector,
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        if self.layer.quantization_mode is not None:
            raise ValueError(
                "The norm of a quantized kernel is unknown. Quantize the "
                "model without `SpectralNormalization`. Received: "
                f"quantization_mode={self.layer.quantization_mode!r}"
            )
        if training:
            self.improve_estimate()
        factor = ops.maximum(self.spectral_norm() / self.norm_bound, 1.0)
        x = ops.cast(inputs, self.compute_dtype)
        return self.layer(x * ops.cast(1.0 / factor, self.compute_dtype))

    def spectral_norm(self) -> Tensor:
        """The estimate of the norm of the stored kernel: a float32 scalar."""
        x = ops.convert_to_tensor(self.input_vector)
        kernel = ops.cast(self.layer.kernel, "float32")
        return ops.stop_gradient(norm_of(self.linear_map.apply(x, kernel)))

    def improve_estimate(self) -> None:
        """One call's power iterations: `x <- A^T A x / |A^T A x|`."""
        kernel = ops.stop_gradient(ops.cast(self.layer.kernel, "float32"))

        def iterate(_, x: Tensor) -> Tensor:
            y = unit_vector(self.linear_map.apply(x, kernel))
            x_next = unit_vector(self.linear_map.adjoint(y, kernel))
            # A kernel of zeros or NaNs would erase the estimate for good.
            return ops.where(norm_of(x_next) > 0.5, x_next, x)

        x = ops.convert_to_tensor(self.input_vector)
        # No direction may fade to an exact zero: it can become the largest.
        x = unit_vector(x + NOISE * random_unit_vector(x.shape))
        x = iterate(0, x)
        if self.power_iterations > 1:
            x = ops.fori_loop(1, self.power_iterations, iterate, x)
        self.input_vector.assign(x)

    def compute_mask(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        return self.layer.compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "norm_bound": self.norm_bound,
            "power_iterations": self.power_iterations,
        }


def check_arguments(norm_bound: float, power_iterations: int) -> None:
    """Raises unless both are positive, and the second is whole."""
    if not is_number(norm_bound) or not norm_bound > 0:
        raise ValueError(
            "`norm_bound` must be positive. "
            f"Received: norm_bound={norm_bound!r}"
        )
    if not is_positive_integer(power_iterations):
        raise ValueError(
            "`power_iterations` must be a positive integer. "
            f"Received: power_iterations={power_iterations!r}"
        )


def take_dtype(layer: keras.layers.Layer, dtype) -> None:
    """Gives the wrapper's dtype policy to the layer, while that can be."""
    if dtype is None or keras.dtype_policies.get(dtype) == layer.dtype_policy:
        return
    if layer.built:
        raise ValueError(
            "`dtype` must be that of the built layer, or left out. "
            f"Received: dtype={dtype!r}, layer.dtype_policy="
            f"{layer.dtype_policy!r}"
        )
    layer.dtype_policy = dtype


def random_unit_vector(shape: tuple, dtype: str = "float32") -> Tensor:
    """The same direction each time, unrelated to any kernel."""
    return unit_vector(keras.random.normal(shape, dtype=dtype, seed=0))


def unit_vector(x: Tensor) -> Tensor:
    """`x / |x|`, and zeros for zeros."""
    return x / ops.maximum(norm_of(x), 1e-20)


def norm_of(x: Tensor) -> Tensor:
    """The Euclidean norm of all numbers of a tensor."""
    return ops.sqrt(ops.sum(ops.square(x)))
