"""A `generate` that members cannot follow says so."""

import keras
import pytest

from keras_plex import plexify
from keras_plex.models.generation.refuses_generate import RefusesGenerate


@keras.saving.register_keras_serializable("keras_plex_tests")
class Writer(keras.Sequential):
    def generate(self, inputs):
        return self(inputs)


def test_an_unknown_generate_raises():
    stock = Writer([keras.Input((4,)), *map(keras.layers.Dense, (5, 3))])
    model = plexify(stock, last_blocks=1)
    assert isinstance(model, RefusesGenerate)
    with pytest.raises(ValueError, match="members cannot follow"):
        model.generate(keras.ops.zeros((1, 4)))
    assert model.predict(keras.ops.zeros((1, 4)), verbose=0).shape == (1, 3)
