"""One forecast per example from the members' outputs."""

import keras

from keras_plex.ops.ensemble_axis import check_ensemble_size
from keras_plex.ops.ensemble_axis import rows_per_member
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.probabilities import MIXTURES
from keras_plex.ops.probabilities import mix_members
from keras_plex.tables import lookup
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class MergeMembers(keras.layers.Layer):
    """Averages the members' *probabilities* into one forecast per example.

    The counterpart of `TileMembers`, put after the last layer. A logits
    output stays logits: `softmax(merged) == mean(softmax(members))`.

    Args:
        ensemble_size: positive int, as in `TileMembers`. Defaults to `3`.
        output_kind: what the inputs are: `"softmax_logits"`,
            `"sigmoid_logits"`, `"probabilities"`, `"regression"` or
            `"log_rates"`. Defaults to `"softmax_logits"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(ensemble_size * batch, ..., units)`, member-major.

    Output shape:
        `(batch, ..., units)`.

    Example:

    >>> members = np.array([[0.8, 0.2], [0.4, 0.6]])  # one example, two members
    >>> merge = MergeMembers(2, output_kind="probabilities")
    >>> merge(members).numpy().round(2).tolist()
    [[0.6000000238418579, 0.4000000059604645]]

    Reference:
        Wen, Tran and Ba, 2020, "BatchEnsemble: an alternative approach to
        efficient ensemble and lifelong learning".
    """

    def __init__(
        self,
        ensemble_size: int = 3,
        output_kind: str = "softmax_logits",
        **kwargs,
    ):
        super().__init__(**kwargs)
        lookup(MIXTURES, output_kind, "output kind")
        self.ensemble_size = check_ensemble_size(ensemble_size)
        self.output_kind = output_kind
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        # (ensemble * batch, ..., units) -> (ensemble, batch, ..., units)
        members = split_members(inputs, self.ensemble_size)
        return mix_members(members, self.output_kind, axis=0)

    def compute_mask(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        # Every member has the same mask.
        return (
            None if mask is None else split_members(mask, self.ensemble_size)[0]
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        rows = rows_per_member(input_shape[0], self.ensemble_size)
        return (rows, *input_shape[1:])

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "ensemble_size": self.ensemble_size,
            "output_kind": self.output_kind,
        }
