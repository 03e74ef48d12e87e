"""An Embedding layer whose members differ by rank-one factors."""

import keras
from keras import initializers
from keras import ops

from keras_plex.layers.batch_ensemble import BatchEnsembleLayer
from keras_plex.ops.ensemble_axis import merge_members
from keras_plex.ops.ensemble_axis import per_member
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class BatchEnsembleEmbedding(BatchEnsembleLayer, keras.layers.Embedding):
    """`BatchEnsembleDense` for tables of embeddings.

    The members share the table; each has a factor `alpha` per token and a
    factor `gamma` per feature. The row of token `t` for member `k` is

    `embeddings[t] * alpha_k[t] * gamma_k`

    Args:
        input_dim: positive int, the number of tokens.
        output_dim: positive int, the number of features.
        ensemble_size: positive int, the number of members. Defaults to `3`.
        fast_weight_initializer: initializer of `alpha` and `gamma`; `"ones"`
            makes equal members. Defaults to a normal distribution around one
            with standard deviation 0.5.
        **kwargs: the arguments of `keras.layers.Embedding`, such as
            `mask_zero`.

    Input shape:
        `(ensemble_size * batch, ...)`, member-major, of integers.

    Output shape:
        `(ensemble_size * batch, ..., output_dim)`.

    Example:

    >>> layer = BatchEnsembleEmbedding(100, 8, ensemble_size=3)
    >>> tokens = np.ones((3 * 5, 7), "int32")
    >>> layer(tokens).shape
    TensorShape([15, 7, 8])

    Reference:
        Wen, Tran and Ba, 2020, "BatchEnsemble: an alternative approach to
        efficient ensemble and lifelong learning",
        https://arxiv.org/abs/2002.06715
    """

    stock_class = keras.layers.Embedding
    shared_weight = "embeddings"
    bias = None

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        ensemble_size: int = 3,
        fast_weight_initializer: str | initializers.Initializer | None = None,
        **kwargs,
    ):
        # Keras builds a layer at once that is given a table.
        table = kwargs.pop("weights", None)
        super().__init__(input_dim, output_dim, **kwargs)
        self.set_members(ensemble_size, fast_weight_initializer)
        if table is not None:
            self.build()
            is_list = isinstance(table, list) and len(table) == 1
            self.shared_variable().assign(table[0] if is_list else table)

    def call(self, inputs: Tensor) -> Tensor:
        # (ensemble * batch, ...) -> (ensemble, batch, ...)
        tokens = split_members(ops.cast(inputs, "int32"), self.ensemble_size)
        rank = len(tokens.shape) + 1
        x = ops.take(self.embeddings, tokens, axis=0)
        x = x * ops.expand_dims(self.alpha_of(tokens), -1)
        x = x * per_member(self.gamma, (rank - 1,), rank)
        # (ensemble * batch, ..., output_dim)
        return ops.cast(merge_members(x), self.compute_dtype)

    def alpha_of(self, tokens: Tensor) -> Tensor:
        """Each member's factors of its own tokens, `(ensemble, batch, ...)`."""
        flat = ops.reshape(tokens, (tokens.shape[0], -1))
        alpha = ops.take_along_axis(self.alpha, flat, axis=1)
        return ops.reshape(alpha, ops.shape(tokens))

    def alpha_shape(self) -> tuple[int, ...]:
        return (self.input_dim,)

    def gamma_shape(self) -> tuple[int, ...]:
        return (self.output_dim,)
