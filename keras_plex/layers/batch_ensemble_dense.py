"""A Dense layer whose members differ by rank-one factors."""

import keras
from keras import initializers
from keras import ops

from keras_plex.layers.batch_ensemble import BatchEnsembleLayer
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class BatchEnsembleDense(BatchEnsembleLayer, keras.layers.Dense):
    """An ensemble of dense layers for almost the price of one.

    The members share the kernel; each has its own fast weights `alpha` (one
    factor per input), `gamma` (one per output) and bias offset:

    `output_k = activation(((x_k * alpha_k) @ kernel) * gamma_k + bias + b_k)`

    Members are folded into the batch: put `TileMembers` before the first such
    layer and `MergeMembers` after the last, or let `plexify` do both.

    Args:
        units: positive int, the size of the output.
        ensemble_size: positive int, the number of members. Defaults to `3`.
        fast_weight_initializer: initializer of `alpha` and `gamma`; `"ones"`
            makes equal members. Defaults to a normal distribution around one
            with standard deviation 0.5.
        **kwargs: the arguments of `keras.layers.Dense`.

    Input shape:
        `(ensemble_size * batch, ..., input_dim)`, member-major.

    Output shape:
        `(ensemble_size * batch, ..., units)`.

    Example:

    >>> dense = keras.layers.Dense(4)
    >>> dense.build((None, 2))
    >>> layer = BatchEnsembleDense.from_layer(dense, ensemble_size=3)
    >>> x = np.ones((3 * 5, 2))  # five examples, three members
    >>> bool(np.allclose(layer(x), dense(x)))
    True

    Reference:
        Wen, Tran and Ba, 2020, "BatchEnsemble: an alternative approach to
        efficient ensemble and lifelong learning",
        https://arxiv.org/abs/2002.06715
    """

    stock_class = keras.layers.Dense

    def __init__(
        self,
        units: int,
        ensemble_size: int = 3,
        fast_weight_initializer: str | initializers.Initializer | None = None,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.set_members(ensemble_size, fast_weight_initializer)

    def apply_kernel(self, inputs: Tensor) -> Tensor:
        return ops.matmul(inputs, self.kernel)

    def alpha_shape(self) -> tuple[int, ...]:
        return (self.kernel.shape[0],)

    def gamma_shape(self) -> tuple[int, ...]:
        return (self.kernel.shape[1],)

    def alpha_axes(self, rank: int) -> tuple[int, ...]:
        return (rank - 1,)

    def gamma_axes(self, rank: int) -> tuple[int, ...]:
        return (rank - 1,)
