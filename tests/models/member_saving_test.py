"""Bytes, files and compilation bring the same model back."""

import pickle

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.models.mc_dropout import MCDropout
from keras_plex.models.member_saving import MemberSaving

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


@pytest.fixture(scope="module")
def model():
    layers = [keras.layers.Dropout(0.5), keras.layers.Dense(3)]
    stock = keras.Sequential([keras.Input((4,)), *layers])
    model = MCDropout(stock, 3, seed=0)
    model.compile(keras.optimizers.SGD(0.25), "mse", run_eagerly=True)
    return model


def test_a_model_with_members_is_one(model):
    assert isinstance(model, MemberSaving)


def test_pickle_keeps_members_and_compilation(model):
    twin = pickle.loads(pickle.dumps(model))
    assert type(twin) is type(model) and twin is not model
    np.testing.assert_array_equal(
        twin.predict_members(X), model.predict_members(X)
    )
    assert isinstance(twin.optimizer, keras.optimizers.SGD)
    assert float(twin.optimizer.learning_rate) == 0.25
    assert twin.optimizer.built


def test_a_kind_and_a_calibration_that_the_loss_does_not_say_come_back():
    layers = [keras.layers.Dense(5), keras.layers.Dense(3)]
    stock = keras.Sequential([keras.Input((4,)), *layers])
    model = keras_plex.plexify(stock, last_blocks=1, head="keep")
    model.compile("sgd", "mse")
    model.output_kind = "softmax_logits"
    labels = np.arange(40) % 3
    x = np.random.default_rng(1).normal(size=(40, 4)).astype("float32")
    model.calibrate((x, labels))
    twin = pickle.loads(pickle.dumps(model))
    assert twin.output_kind == "softmax_logits"
    assert twin.calibrator is not None
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))


def test_keras_is_not_told_how_to_build_it(model):
    assert model.get_build_config() is None


def test_preset_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match="preset.*model.save"):
        model.save_to_preset(tmp_path / "preset")
    assert not list(tmp_path.iterdir())
