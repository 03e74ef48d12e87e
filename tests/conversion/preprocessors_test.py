"""A layer called `preprocessor` is no preprocessor of KerasHub's."""

import keras
import numpy as np
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


def test_the_stock_model_stays_and_its_weights_are_kept():
    model = made()
    before = model.predict(X, verbose=0)
    new = plexify(model, last_blocks=1, fast_weight_stddev=0.0, head="keep")
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    np.testing.assert_allclose(
        keras.ops.softmax(new.predict(X, verbose=0)),
        keras.ops.softmax(before),
        atol=1e-5,
    )
    assert new.preprocessor is not model.preprocessor


def test_a_fresh_model_has_its_own():
    model = made()
    assert fresh_model(model, "new").preprocessor is not model.preprocessor


@keras.saving.register_keras_serializable("tests")
class Graph(keras.Model):
    """The same as a graph, which can be a member."""

    def __init__(self, name=None):
        preprocessor = layers.Dense(4)
        inputs = keras.Input((4,))
        outputs = layers.Dense(3)(preprocessor(inputs))
        super().__init__(inputs, outputs, name=name)
        self.preprocessor = preprocessor

    def get_config(self):
        return {"name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def test_members_keep_their_own(tmp_path):
    ensemble = DeepEnsemble([Graph(), Graph()])
    expected = ensemble.predict(X, verbose=0)
    ensemble.save(tmp_path / "ensemble.keras")
    loaded = keras.saving.load_model(tmp_path / "ensemble.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)
    one, other = (member.preprocessor for member in loaded.members)
    assert one is not other
    assert ensemble.preprocessor is None


def test_a_task_has_one():
    assert preprocessor_of(made()) is None
    assert preprocessor_of(cases.make("vit")) is None
    marker = object()
    task = type("Task", (), {"preprocess_samples": None})()
    task.preprocessor = marker
    assert preprocessor_of(task) is marker
