"""An EinsumDense layer whose members differ by rank-one factors."""

import keras
from keras import initializers
from keras import ops

from keras_plex.layers.batch_ensemble import BatchEnsembleLayer
from keras_plex.ops.einsum_spec import EinsumSpec
from keras_plex.ops.einsum_spec import unfolded_axes
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class BatchEnsembleEinsumDense(BatchEnsembleLayer, keras.layers.EinsumDense):
    """`BatchEnsembleDense` for any equation of `keras.layers.EinsumDense`.

    The projections of `keras.layers.MultiHeadAttention` are such layers.
    `alpha` scales the axes that the kernel shares with the inputs, `gamma`
    those that the kernel adds to the outputs: the query projection
    `"abc,cde->abde"` has `alpha` of shape `(ensemble, c)` and `gamma` of shape
    `(ensemble, d, e)`.

    Args:
        equation: as in `keras.layers.EinsumDense`; its first axis is the
            batch.
        output_shape: as in `keras.layers.EinsumDense`.
        ensemble_size: positive int, the number of members. Defaults to `3`.
        fast_weight_initializer: initializer of `alpha` and `gamma`; `"ones"`
            makes equal members. Defaults to a normal distribution around one
            with standard deviation 0.5.
        **kwargs: the arguments of `keras.layers.EinsumDense`.

    Input shape:
        `(ensemble_size * batch, ...)`, member-major.

    Output shape:
        `(ensemble_size * batch, ...)` as the equation says.

    Example:

    >>> layer = BatchEnsembleEinsumDense(
    ...     "abc,cde->abde", output_shape=(None, 2, 8), ensemble_size=3
    ... )
    >>> layer(np.ones((3 * 5, 7, 16))).shape
    TensorShape([15, 7, 2, 8])

    Reference:
        Wen, Tran and Ba, 2020, "BatchEnsemble: an alternative approach to
        efficient ensemble and lifelong learning",
        https://arxiv.org/abs/2002.06715
    """

    stock_class = keras.layers.EinsumDense

    def __init__(
        self,
        equation: str,
        output_shape: int | tuple,
        ensemble_size: int = 3,
        fast_weight_initializer: str | initializers.Initializer | None = None,
        **kwargs,
    ):
        super().__init__(equation, output_shape, **kwargs)
        self.set_members(ensemble_size, fast_weight_initializer)

    def apply_kernel(self, inputs: Tensor) -> Tensor:
        return ops.einsum(self.equation, inputs, self.kernel)

    def alpha_shape(self) -> tuple[int, ...]:
        spec = EinsumSpec.parse(self.equation)
        return spec.kernel_sizes(spec.alpha_labels, self.kernel.shape)

    def gamma_shape(self) -> tuple[int, ...]:
        spec = EinsumSpec.parse(self.equation)
        return spec.kernel_sizes(spec.gamma_labels, self.kernel.shape)

    def alpha_axes(self, rank: int) -> tuple[int, ...]:
        spec = EinsumSpec.parse(self.equation)
        return unfolded_axes(spec.inputs, spec.alpha_labels, rank)

    def gamma_axes(self, rank: int) -> tuple[int, ...]:
        spec = EinsumSpec.parse(self.equation)
        return unfolded_axes(spec.outputs, spec.gamma_labels, rank)
