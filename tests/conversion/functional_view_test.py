"""A Functional class that no file can hold is converted as its graph."""

import warnings

import keras
import numpy as np
import pytest

from keras_plex import plexify
from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.functional_view import reloadable
from keras_plex.conversion.functional_view import unbuilt_layers_allowed
from tests import cases
from tests import vision_models

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


class WithFunction(keras.Model):
    """Its configuration holds a function that its constructor needs."""

    def __init__(self, activation, **kwargs):
        inputs = keras.Input((4,))
        outputs = keras.layers.Dense(3)(activation(inputs))
        super().__init__(inputs, outputs, **kwargs)
        self.activation = activation

    def get_config(self):
        return {"activation": self.activation, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


class ReadsFunction(WithFunction):
    @classmethod
    def from_config(cls, config, custom_objects=None):
        activation = keras.activations.get(config["activation"])
        return cls(activation, name=config["name"])


class Trains(WithFunction):
    def train_step(self, *args):
        return super().train_step(*args)


def test_a_class_that_a_file_cannot_hold_becomes_its_graph():
    model = WithFunction(keras.activations.gelu, name="mine")
    graph = reloadable(model)
    assert graph is not model
    assert not isinstance(graph, WithFunction)
    assert graph.name == "mine"
    x = cases.examples(model)
    np.testing.assert_array_equal(
        cases.to_numpy(graph(x)), cases.to_numpy(model(x))
    )
    copy = copy_model(model)
    assert not {id(w) for w in copy.weights} & {id(w) for w in model.weights}
    assert isinstance(model, WithFunction)


@pytest.mark.parametrize("cls", [ReadsFunction, Trains])
def test_other_classes_stay(cls):
    model = cls(keras.activations.gelu)
    assert reloadable(model) is model


@pytest.mark.parametrize("name", ["vit", "mlp", "transformer"])
def test_models_of_keras_and_keras_hub_stay(name):
    model = cases.make(name)
    assert reloadable(model) is model


def test_keras_is_silent_about_layers_built_by_their_call():
    with unbuilt_layers_allowed():
        warnings.warn("`build()` was called on layer 'x'", stacklevel=1)
        with pytest.warns(UserWarning, match="another"):
            warnings.warn("another", stacklevel=1)


@pytest.mark.skipif(
    not ON_TENSORFLOW, reason="KerasCV's legacy models need TensorFlow"
)
def test_a_legacy_classifier_of_keras_cv_is_converted_and_comes_back(tmp_path):
    pytest.importorskip("keras_cv")
    model = cases.with_random_weights(vision_models.keras_cv_vit())
    x = cases.examples(model)
    plex = plexify(
        model, last_blocks=1, head="keep", fast_weight_stddev=0.0, seed=0
    )
    assert not isinstance(plex, type(model))
    np.testing.assert_allclose(plex(x), model(x), atol=1e-5)
    plex.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    plex.fit(x, np.array([0, 1, 2, 0]), verbose=0)
    plex.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(x), plex(x))
