"""A layer called `preprocessor` is no preprocessor of KerasHub's."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_plex import plexify
from keras_plex.conversion.fresh_model import fresh_model
from keras_plex.conversion.preprocessors import preprocessor_of
from keras_plex.models import DeepEnsemble
from tests import cases

X = np.random.default_rng(0).normal(2.0, 3.0, (12, 4)).astype("float32")


class Preprocessed(keras.Model):
    """Has a part of that name, with weights of the shape of others."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.preprocessor = keras.Sequential([layers.Dense(4)])
        self.dense = layers.Dense(4)
        self.head = layers.Dense(4)

    def call(self, inputs):
        return self.head(self.dense(self.preprocessor(inputs)))


def made():
    model = Preprocessed()
    model(X)
    return model


@pytest.mark.parametrize("again", ["plexify", "fresh"])
def test_a_model_and_its_copy_share_no_layer(again):
    model = made()
    before = model.predict(X, verbose=0)
    if again == "plexify":
        new = plexify(model, last_blocks=1, fast_weight_stddev=0.0, head="keep")
        np.testing.assert_allclose(
            keras.ops.softmax(new.predict(X, verbose=0)),
            keras.ops.softmax(before),
            atol=1e-5,
        )
    else:
        new = fresh_model(model, "new")
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    assert new.preprocessor is not model.preprocessor


def test_members_keep_their_own(tmp_path):
    inputs = [keras.Input((4,)) for _ in range(2)]
    members = [keras.Model(x, made()(x)) for x in inputs]
    ensemble = DeepEnsemble(members)
    expected = ensemble.predict(X, verbose=0)
    ensemble.save(tmp_path / "ensemble.keras")
    loaded = keras.saving.load_model(
        tmp_path / "ensemble.keras", {"Preprocessed": Preprocessed}
    )
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)
    assert ensemble.preprocessor is None


def test_a_task_has_one():
    assert preprocessor_of(made()) is None
    assert preprocessor_of(cases.make("vit")) is None
    marker = object()
    task = type("Task", (), {"preprocess_samples": None})()
    task.preprocessor = marker
    assert preprocessor_of(task) is marker
