"""A model goes through bytes unchanged."""

import keras
import numpy as np

import keras_plex
from keras_plex.models.pickling import from_bytes
from keras_plex.models.pickling import to_bytes


def test_bytes_give_the_same_model():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    model = keras_plex.plexify(stock, last_blocks=1, seed=0)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    other = from_bytes(to_bytes(model))
    assert type(other) is type(model)
    np.testing.assert_array_equal(other(x), model(x))
