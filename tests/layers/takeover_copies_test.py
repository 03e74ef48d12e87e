"""A layer that takes over has weights of its own: the stock layer lives on."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex import layers

DENSE = {
    layers.BatchEnsembleDense: {"ensemble_size": 2},
    layers.LoRAEnsembleDense: {"ensemble_size": 2},
    layers.RandomFeatureGP: {"num_features": 8},
    layers.LaplaceDense: {},
    layers.HeteroscedasticDense: {"num_samples": 8},
    layers.HeteroscedasticGP: {"num_features": 8, "num_samples": 8},
}


@pytest.mark.parametrize("layer_class", DENSE)
def test_training_the_new_layer_leaves_the_stock_layer(layer_class):
    dense = keras.layers.Dense(3)
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    before = ops.convert_to_numpy(dense(x))
    layer = layer_class.from_layer(dense, **DENSE[layer_class])
    model = keras.Sequential([keras.Input((5,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, np.ones((4, 3), "float32"), epochs=2, verbose=0)
    np.testing.assert_array_equal(ops.convert_to_numpy(dense(x)), before)
