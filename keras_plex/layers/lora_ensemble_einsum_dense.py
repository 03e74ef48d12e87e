"""An EinsumDense layer whose members differ by low-rank updates."""

import keras
from keras import initializers
from keras import ops

from keras_plex.layers.lora_ensemble import LoRAEnsembleLayer
from keras_plex.ops.einsum_spec import EinsumSpec
from keras_plex.ops.low_rank import unused_letters
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class LoRAEnsembleEinsumDense(LoRAEnsembleLayer, keras.layers.EinsumDense):
    """`LoRAEnsembleDense` for any equation of `keras.layers.EinsumDense`.

    The projections of `keras.layers.MultiHeadAttention` are such layers. The
    update lies between the axes that the kernel shares with the inputs and
    those that it shares with the outputs: the query projection
    `"abc,cde->abde"` has `A` of shape `(ensemble, c, rank)` and `B` of shape
    `(ensemble, rank, d, e)`. An axis of inputs, kernel and outputs alike, such
    as the head `h` of `"bhd,hde->bhe"`, gets an update of this rank at each of
    its places.

    Args:
        equation: as in `keras.layers.EinsumDense`; its first axis is the
            batch.
        output_shape: as in `keras.layers.EinsumDense`.
        ensemble_size: positive int, the number of members. Defaults to `3`.
        rank: positive int, of each member's update. Defaults to `4`.
        alpha: positive number; the update is scaled by `alpha / rank`. `None`
            is `rank`. Defaults to `None`.
        a_initializer: a random initializer of each member's `A`, with as many
            inputs as the kernel sums over. Defaults to `"he_uniform"`.
        **kwargs: the arguments of `keras.layers.EinsumDense`, without
            `lora_rank`.

    Input shape:
        `(ensemble_size * batch, ...)`, member-major.

    Output shape:
        `(ensemble_size * batch, ...)` as the equation says.

    Example:

    >>> layer = LoRAEnsembleEinsumDense(
    ...     "abc,cde->abde", output_shape=(None, 2, 8), rank=4
    ... )
    >>> layer(np.ones((3 * 5, 7, 16))).shape
    TensorShape([15, 7, 2, 8])
    >>> tuple(layer.lora_b.shape)
    (3, 4, 2, 8)

    Reference:
        Muehlematter et al., 2024, "LoRA-Ensemble: efficient uncertainty
        modelling for self-attention networks",
        https://arxiv.org/abs/2405.14438
    """

    stock_class = keras.layers.EinsumDense

    def __init__(
        self,
        equation: str,
        output_shape: int | tuple,
        ensemble_size: int = 3,
        rank: int = 4,
        alpha: float | None = None,
        a_initializer: str | Config | initializers.Initializer = "he_uniform",
        **kwargs,
    ):
        super().__init__(equation, output_shape, **kwargs)
        self.set_members(ensemble_size, rank, alpha, a_initializer)

    def apply_kernel(self, inputs: Tensor) -> Tensor:
        return ops.einsum(self.equation, inputs, self.kernel)

    def spec(self, rank: int) -> EinsumSpec:
        """The layer's equation for inputs of `rank` axes, all by letters."""
        spec = EinsumSpec.parse(self.equation)
        labels = spec.inputs.replace(".", "")
        axes = unused_letters(self.equation, rank - len(labels))
        return EinsumSpec(
            spec.inputs.replace("...", axes),
            spec.kernel,
            spec.outputs.replace("...", axes),
        )
