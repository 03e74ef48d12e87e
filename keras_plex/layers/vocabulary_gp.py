"""A Gaussian process over the words of an embedding that is also a head."""

import copy

import keras
from keras import ops

from keras_plex.layers.covariance_head import CovarianceHead
from keras_plex.layers.gp_arguments import MEAN_FUNCTIONS
from keras_plex.layers.random_feature_gp import RandomFeatureGP
from keras_plex.types import Tensor

NUMBERS = ("mean_field", "logit_scale")


class VocabularyGP(RandomFeatureGP, keras.layers.ReversibleEmbedding):
    """An embedding that, used backwards, is a `RandomFeatureGP`.

    Forwards it is the stock embedding. Backwards, `call(x, reverse=True)`, it
    gives the logits of a Gaussian process over the words,

        logits = stock(mean(x) + phi(x) @ residual_kernel)

    which the stock layer mixes from `output_dim` processes (a linear model of
    coregionalization): it adds `num_features * output_dim` weights, however
    many words there are. `mean` is `x` (`mean_function="linear"`, where the
    residual starts at zero), or zero. One variance counts for all words.

    Args:
        input_dim: positive int, the number of words.
        output_dim: positive int, the width of an embedding.
        **kwargs: arguments of `RandomFeatureGP` and of
            `keras.layers.ReversibleEmbedding`.

    Input shape:
        Words `(batch, ...)`, or backwards `(batch, ..., output_dim)`.

    Output shape:
        `(batch, ..., output_dim)`, or backwards `(batch, ..., input_dim)`.

    Example:

    >>> layer = VocabularyGP(7, 4, num_features=16, mean_function="linear")
    >>> x = layer(np.array([[1, 2, 3]]))
    >>> tuple(x.shape), tuple(layer(x, reverse=True).shape)
    ((1, 3, 4), (1, 3, 7))

    Reference:
        Alvarez, Rosasco and Lawrence, 2012, "Kernels for vector-valued
        functions: a review"; Tran et al., 2022, "Plex: towards reliability
        using pretrained large model extensions",
        https://arxiv.org/abs/2207.07411
    """

    # What a conversion sets when it gives a built embedding this class.
    own_arguments = (
        *RandomFeatureGP.own_arguments,
        "units",
        "activation",
        "use_bias",
    )
    # The mean function's weights are those of the embedding.
    mean_kernel = None
    bias = None

    def __init__(self, input_dim: int, output_dim: int, **kwargs):
        super().__init__(
            units=input_dim,
            use_bias=False,
            input_dim=input_dim,
            output_dim=output_dim,
            **kwargs,
        )

    def build(self, input_shape: tuple | None = None) -> None:
        keras.layers.ReversibleEmbedding.build(self, input_shape)
        self.add_own_weights(self.output_dim)

    def call(
        self,
        inputs: Tensor,
        reverse: bool = False,
        training: bool | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        if not reverse:
            return keras.layers.ReversibleEmbedding.call(self, inputs)
        return CovarianceHead.call(self, inputs, training=training, mask=mask)

    def compute_output_shape(
        self, input_shape: tuple, reverse: bool = False
    ) -> tuple:
        return keras.layers.ReversibleEmbedding.compute_output_shape(
            self, input_shape, reverse
        )

    def compute_output_spec(
        self, inputs, reverse=False, training=None, mask=None
    ) -> keras.KerasTensor:
        return keras.layers.ReversibleEmbedding.compute_output_spec(
            self, inputs, reverse
        )

    @property
    def variable_serialization_spec(self) -> dict:
        """The names of the variables that a file holds, in order."""
        spec = copy.deepcopy(super().variable_serialization_spec)
        spec[None] = [*spec[None], "residual_kernel", *NUMBERS]
        return spec

    def save_own_variables(self, store: dict) -> None:
        keras.layers.ReversibleEmbedding.save_own_variables(self, store)

    def load_own_variables(self, store: dict) -> None:
        keras.layers.ReversibleEmbedding.load_own_variables(self, store)

    @property
    def residual_units(self) -> int:
        """What the residual adds to: the input of the stock layer."""
        return self.output_dim

    def _mean(self, inputs: Tensor, features: Tensor) -> Tensor:
        outputs = ops.matmul(features, self.residual_kernel)
        outputs = ops.cast(outputs, self.compute_dtype)
        if MEAN_FUNCTIONS[self.mean_function]:
            outputs = inputs + outputs
        logits = keras.layers.ReversibleEmbedding.call(
            self, outputs, reverse=True
        )
        return ops.cast(logits, "float32")
