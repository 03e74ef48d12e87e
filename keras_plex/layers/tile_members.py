"""Gives each member its copy of the batch."""

import keras

from keras_plex.ops.ensemble_axis import check_ensemble_size
from keras_plex.ops.ensemble_axis import tile_members
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class TileMembers(keras.layers.Layer):
    """Copies each example once per ensemble member.

    Put it before the first `BatchEnsemble*` layer of a model of your own: the
    layers before it run once per example. Rows come out member-major:
    `row = member * batch + example`.

    Args:
        ensemble_size: positive int, the number of members. Defaults to `3`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, ...)`.

    Output shape:
        `(ensemble_size * batch, ...)`.

    Example:

    >>> TileMembers(2)(np.array([[1.0], [5.0]])).shape
    TensorShape([4, 1])

    Reference:
        Wen, Tran and Ba, 2020, "BatchEnsemble: an alternative approach to
        efficient ensemble and lifelong learning".
    """

    def __init__(self, ensemble_size: int = 3, **kwargs):
        super().__init__(**kwargs)
        self.ensemble_size = check_ensemble_size(ensemble_size)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return tile_members(inputs, self.ensemble_size)

    def compute_mask(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        return None if mask is None else tile_members(mask, self.ensemble_size)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        rows = input_shape[0]
        rows = None if rows is None else rows * self.ensemble_size
        return (rows, *input_shape[1:])

    def compute_output_spec(self, inputs: Tensor) -> keras.KerasTensor:
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=inputs.dtype)

    def get_config(self) -> Config:
        return {**super().get_config(), "ensemble_size": self.ensemble_size}
