"""The same architecture; what can learn is drawn anew."""

import random

import keras
import numpy as np
import pytest
from keras import layers

from keras_plex.conversion.fresh_model import check_different
from keras_plex.conversion.fresh_model import fresh_model
from keras_plex.conversion.fresh_model import seeded
from keras_plex.conversion.fresh_model import without_seeds
from tests import cases


def fresh(model, seed=0):
    with seeded(seed):
        return fresh_model(model, "fresh")


def kernels(model):
    return [w.numpy() for w in model.weights if "kernel" in w.path]


@pytest.mark.parametrize("name", ["mlp", "vit", "nested", "custom_blocks"])
def test_kernels_are_new_and_biases_start_near_zero(name):
    model = cases.make(name)
    before = model.get_weights()
    new = fresh(model)
    assert type(new) is type(model) and new.name == "fresh"
    pairs = zip(kernels(model), kernels(new), strict=True)
    assert all(np.all(old != other) for old, other in pairs)
    biases = [w.numpy() for w in new.weights if w.name == "bias"]
    assert biases and max(np.abs(bias).max() for bias in biases) < 1e-4
    for old, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(now, old)


def test_a_seed_decides_the_weights():
    model = cases.make("mlp")
    one, same, other = fresh(model), fresh(model), fresh(model, 1)
    for a, b in zip(kernels(one), kernels(same), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.all(kernels(one)[0] != kernels(other)[0])


def test_a_seed_in_the_configuration_does_not_repeat_itself():
    glorot = keras.initializers.GlorotUniform(seed=3)
    dense = layers.Dense(3, kernel_initializer=glorot)
    dropout = layers.Dropout(0.5, seed=4)
    model = keras.Sequential([keras.Input((4,)), dense, dropout])
    with seeded(0):
        one, two = fresh_model(model, "one"), fresh_model(model, "two")
    assert np.all(kernels(one)[0] != kernels(two)[0])
    x = np.ones((1, 3), "float32")
    dropped = [
        keras.ops.convert_to_numpy(m.layers[1](x, training=True))
        for m in (fresh(model, i) for i in range(8))
    ]
    assert len(np.unique(dropped, axis=0)) > 1


def test_only_integer_seeds_are_left_out():
    config = {"seed": 3, "layers": [{"seed": None, "units": 3}], "t": (1, 2)}
    expected = {"seed": None, "layers": [{"seed": None, "units": 3}]}
    assert without_seeds(config) == {**expected, "t": (1, 2)}


def test_python_goes_on_drawing_as_if_nothing_was():
    random.seed(7)
    expected = random.random()
    random.seed(7)
    with seeded(0):
        random.random()
    assert random.random() == expected


def test_frozen_layers_keep_their_weights():
    model = cases.make("mlp")
    model.layers[0].trainable = False
    new = fresh(model)
    np.testing.assert_array_equal(kernels(new)[0], kernels(model)[0])
    assert np.all(kernels(new)[1] != kernels(model)[1])
    assert not new.layers[0].trainable


def test_adapted_layers_stay_adapted():
    normalization = layers.Normalization()
    normalization.adapt(np.array([[1.0, 2.0], [5.0, 8.0]]))
    dense = layers.Dense(3)
    model = keras.Sequential([keras.Input((2,)), normalization, dense])
    x = np.array([[3.0, 5.0]], "float32")
    new = fresh(model)
    np.testing.assert_array_equal(new.layers[0](x), model.layers[0](x))
    np.testing.assert_allclose(new.layers[0](x), [[0.0, 0.0]], atol=1e-6)


def test_statistics_of_batches_start_anew():
    normalization = layers.BatchNormalization()
    model = keras.Sequential([keras.Input((2,)), normalization])
    model.add(layers.Dense(3))
    normalization.moving_mean.assign([5.0, 5.0])
    np.testing.assert_array_equal(fresh(model).layers[0].moving_mean, [0, 0])


def test_equal_models_are_no_ensemble():
    model = cases.make("mlp")
    model.trainable = False
    with pytest.raises(ValueError, match="have equal weights.*frozen"):
        check_different([fresh(model, 0), fresh(model, 1)])
    check_different([model])
