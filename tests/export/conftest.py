"""Small models to export."""

import keras
import numpy as np
import pytest

import keras_plex

if keras.config.backend() != "tensorflow":
    pytest.skip("Export needs TensorFlow.", allow_module_level=True)


def make_stock(units=3, activation=None):
    inputs = keras.Input((4,), name="petals")
    x = keras.layers.Dense(8, "relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(units, activation)(x))


@pytest.fixture
def stock():
    return make_stock()


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(7, 4)).astype("float32")


@pytest.fixture
def model(stock, x):
    """A GP head whose covariance has seen data."""
    model = keras_plex.plexify(
        stock, last_blocks=1, head_options={"num_features": 16}, seed=0
    )
    model.fit_covariance(x)
    return model
