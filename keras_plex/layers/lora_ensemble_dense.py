"""A Dense layer whose members differ by low-rank updates."""

import keras
from keras import initializers
from keras import ops

from keras_plex.layers.lora_ensemble import LoRAEnsembleLayer
from keras_plex.ops.einsum_spec import EinsumSpec
from keras_plex.ops.low_rank import unused_letters
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class LoRAEnsembleDense(LoRAEnsembleLayer, keras.layers.Dense):
    """An ensemble of dense layers around a pretrained kernel that stays.

    The members share the kernel and the bias, which are frozen; each learns a
    low-rank update of its own:

    `output_k = activation(x_k @ kernel + bias + (alpha / rank) * x_k @ A_k @
    B_k)`

    `B_k` starts at zero: every member starts as the stock layer. `A_k` starts
    at random, each at its own, which is what lets them part. The other way to
    members is `BatchEnsembleDense`, with fewer weights and a kernel that
    learns. Members are folded into the batch: put `TileMembers` before the
    first such layer and `MergeMembers` after the last, or let `plexify` do
    both.

    Kernel and bias stay frozen when `trainable` is set, too. A kernel's
    regularizer has no effect, and a kernel constraint is an error.

    Args:
        units: positive int, the size of the output.
        ensemble_size: positive int, the number of members. Defaults to `3`.
        rank: positive int, of each member's update. Defaults to `4`.
        alpha: positive number; the update is scaled by `alpha / rank`. `None`
            is `rank`. Defaults to `None`.
        a_initializer: a random initializer of each member's `A`, with as many
            inputs as the layer. Defaults to `"he_uniform"`.
        **kwargs: the arguments of `keras.layers.Dense`, without `lora_rank`.

    Input shape:
        `(ensemble_size * batch, ..., input_dim)`, member-major.

    Output shape:
        `(ensemble_size * batch, ..., units)`.

    Example:

    >>> dense = keras.layers.Dense(4)
    >>> dense.build((None, 2))
    >>> layer = LoRAEnsembleDense.from_layer(dense, ensemble_size=3, rank=1)
    >>> x = np.ones((3 * 5, 2))  # five examples, three members
    >>> bool(np.allclose(layer(x), dense(x)))
    True
    >>> [weight.name for weight in layer.trainable_weights]
    ['lora_a', 'lora_b']

    Reference:
        Hu et al., 2022, "LoRA: low-rank adaptation of large language models",
        https://arxiv.org/abs/2106.09685; Muehlematter et al., 2024,
        "LoRA-Ensemble: efficient uncertainty modelling for self-attention
        networks", https://arxiv.org/abs/2405.14438, where the bias is frozen
        as well and members have no offset of it.
    """

    stock_class = keras.layers.Dense

    def __init__(
        self,
        units: int,
        ensemble_size: int = 3,
        rank: int = 4,
        alpha: float | None = None,
        a_initializer: str | Config | initializers.Initializer = "he_uniform",
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.set_members(ensemble_size, rank, alpha, a_initializer)

    def apply_kernel(self, inputs: Tensor) -> Tensor:
        return ops.matmul(inputs, self.kernel)

    def spec(self, rank: int) -> EinsumSpec:
        """The layer's equation for inputs of `rank` axes."""
        *batch, inputs, units = unused_letters("", rank + 1)
        batch = "".join(batch)
        return EinsumSpec(batch + inputs, inputs + units, batch + units)
