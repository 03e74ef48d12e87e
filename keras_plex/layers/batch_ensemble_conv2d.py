"""A Conv2D layer whose members differ by rank-one factors."""

import keras
from keras import initializers

from keras_plex.layers.batch_ensemble import BatchEnsembleLayer
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class BatchEnsembleConv2D(BatchEnsembleLayer, keras.layers.Conv2D):
    """`BatchEnsembleDense` for two-dimensional convolutions.

    The members share the kernel; each scales the channels of its inputs by
    `alpha` and those of its outputs by `gamma`, and has its own bias offset:

    `output_k = activation(conv(x_k * alpha_k, kernel) * gamma_k + bias + b_k)`

    Args:
        filters: positive int, the number of channels of the output.
        kernel_size: int or tuple of two, height and width of the kernel.
        ensemble_size: positive int, the number of members. Defaults to `3`.
        fast_weight_initializer: initializer of `alpha` and `gamma`; `"ones"`
            makes equal members. Defaults to a normal distribution around one
            with standard deviation 0.5.
        **kwargs: the arguments of `keras.layers.Conv2D`, such as `strides`,
            `padding`, `groups` and `data_format`.

    Input shape:
        `(ensemble_size * batch, height, width, channels)`, member-major; with
        `data_format="channels_first"`, the channels come second.

    Output shape:
        `(ensemble_size * batch, new_height, new_width, filters)`, or with the
        filters second.

    Example:

    >>> layer = BatchEnsembleConv2D(8, 3, ensemble_size=3, padding="same")
    >>> layer(np.ones((3 * 5, 6, 6, 2))).shape
    TensorShape([15, 6, 6, 8])

    Reference:
        Wen, Tran and Ba, 2020, "BatchEnsemble: an alternative approach to
        efficient ensemble and lifelong learning",
        https://arxiv.org/abs/2002.06715
    """

    stock_class = keras.layers.Conv2D

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        ensemble_size: int = 3,
        fast_weight_initializer: str | initializers.Initializer | None = None,
        **kwargs,
    ):
        super().__init__(filters, kernel_size, **kwargs)
        self.set_members(ensemble_size, fast_weight_initializer)

    def apply_kernel(self, inputs: Tensor) -> Tensor:
        return self.convolution_op(inputs, self.kernel)

    def alpha_shape(self) -> tuple[int, ...]:
        # Each of the groups has a kernel for its share of the channels.
        return (self.kernel.shape[-2] * self.groups,)

    def gamma_shape(self) -> tuple[int, ...]:
        return (self.filters,)

    def alpha_axes(self, rank: int) -> tuple[int, ...]:
        # (ensemble, batch, height, width, channels), or channels before height.
        return (2 if self.data_format == "channels_first" else rank - 1,)

    def gamma_axes(self, rank: int) -> tuple[int, ...]:
        return self.alpha_axes(rank)

    def bias_axes_of(self, rank: int) -> tuple[int, ...]:
        return self.alpha_axes(rank)
