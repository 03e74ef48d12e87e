"""A model that a user wrote as a class converts as it is."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops
from keras import tree

from keras_plex import plexify
from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import RandomFeatureGP
from tests import cases
from tests import subclassed_models as subclassed

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEEPS = {"head": "keep", "last_blocks": 1}

# Class -> arguments of `plexify`.
MODELS = {
    subclassed.Classifier: {"last_blocks": 1},
    subclassed.Activated: {"last_blocks": 1},
    subclassed.BuiltByShape: {"last_blocks": 2},
    subclassed.Blocks: {"last_blocks": 1},
    subclassed.Words: {"last_blocks": 1},
    subclassed.Several: {"head": "keep", "layers": ["dense_2", "number"]},
}


def probabilities(outputs):
    """Logits as probabilities; what is none stays."""
    outputs = cases.to_numpy(outputs)
    if isinstance(outputs, dict) or np.allclose(outputs.sum(-1), 1.0):
        return outputs
    return cases.to_numpy(ops.softmax(outputs))


def assert_equal(one, other, **tolerance):
    tree.map_structure(
        lambda a, b: np.testing.assert_allclose(a, b, **tolerance), one, other
    )


@pytest.mark.parametrize("cls", MODELS)
def test_a_subclassed_model_starts_neutral(cls):
    model, x = subclassed.make(cls), subclassed.INPUTS[cls]()
    before = model.get_weights()
    plex = plexify(model, fast_weight_stddev=0.0, **MODELS[cls])
    assert isinstance(plex, cls)
    assert not plex.conversion.layout.tiled_inputs
    assert_equal(probabilities(plex(x)), probabilities(model(x)), atol=1e-5)
    assert type(model) is cls
    assert_equal(model.get_weights(), before)


@pytest.mark.parametrize("cls", MODELS)
def test_members_differ_and_learn_and_are_saved(cls, tmp_path):
    x, y = subclassed.INPUTS[cls](), np.array([0, 1, 2, 0])
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=cls is not subclassed.Activated
    )
    if cls is subclassed.Several:
        loss = {"label": "sparse_categorical_crossentropy", "number": "mse"}
        y = {"label": y, "number": np.ones((4, 1))}
    plex = plexify(
        subclassed.make(cls), fast_weight_stddev=0.3, seed=0, **MODELS[cls]
    )
    members = tree.flatten(plex.predict_members(x))[0]
    assert members.shape == (4, 3, cases.CLASSES)
    assert np.ptp(members, axis=1).max() > 1e-3
    before = plex.get_weights()
    plex.compile("adam", loss)
    plex.fit(x, y, verbose=0)
    moved = [
        not np.array_equal(old, new)
        for old, new in zip(before, plex.get_weights(), strict=True)
    ]
    trained = {w.path for w in plex.trainable_weights}
    for weight, has_moved in zip(plex.weights, moved, strict=True):
        assert has_moved or weight.path not in trained, weight.path
    plex.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_equal(
        loaded.predict(x, verbose=0), plex.predict(x, verbose=0), atol=0
    )


def test_the_head_is_what_the_model_returns():
    plex = plexify(subclassed.make(subclassed.Classifier), last_blocks=1)
    assert isinstance(plex.head, RandomFeatureGP)
    assert isinstance(plex.dense_2, BatchEnsembleDense)
    assert type(plex.dense_1) is layers.Dense
    assert plex.output_kinds == ("softmax_logits",)


def test_an_activation_layer_says_what_the_outputs_are():
    plex = plexify(subclassed.make(subclassed.Activated), last_blocks=1)
    assert isinstance(plex.head, RandomFeatureGP)
    assert plex.conversion.head.activation == "softmax"
    assert plex.output_kinds == ("probabilities",)


def test_training_reaches_the_model():
    plex = plexify(subclassed.make(subclassed.Classifier), **KEEPS)
    x = subclassed.numbers()
    calm, noisy = plex(x), plex(x, training=True)
    assert np.abs(cases.to_numpy(calm - noisy)).max() > 1e-3


def test_the_outputs_of_several_are_told_apart():
    plex = plexify(
        subclassed.make(subclassed.Several), layers=["dense_2"], head="keep"
    )
    members = plex.predict_members(subclassed.words_and_numbers())
    shapes = tree.map_structure(lambda x: x.shape, dict(members))
    assert shapes["label"] == (4, 3, cases.CLASSES)
    assert shapes["number"] == (4, 1)


def test_raw_residual_arithmetic_is_tiled_at_the_input_with_a_warning():
    model, x = subclassed.make(subclassed.RawResidual), subclassed.numbers()
    with pytest.warns(UserWarning, match="runs once per member"):
        plex = plexify(
            model, layers=["dense_2"], head="keep", fast_weight_stddev=0.0
        )
    assert plex.conversion.layout.tiled_inputs
    assert_equal(probabilities(plex(x)), probabilities(model(x)), atol=1e-5)


def test_raw_residual_arithmetic_above_the_members_needs_no_tiling_there():
    model, x = subclassed.make(subclassed.RawResidual), subclassed.numbers()
    plex = plexify(
        model, layers=["dense_1"], head="keep", fast_weight_stddev=0.0
    )
    assert not plex.conversion.layout.tiled_inputs
    assert_equal(probabilities(plex(x)), probabilities(model(x)), atol=1e-5)


def test_uncertainty_and_features_come_from_a_subclassed_model():
    plex = plexify(subclassed.make(subclassed.Classifier), last_blocks=1)
    found = plex.predict_uncertainty(subclassed.numbers(), features=True)
    assert found.features.shape == (4, 3, 6)
    assert found.variance.shape == (4,)


LOAD = """
import sys
import warnings
import keras, numpy as np
import keras_plex
from tests import subclassed_models as subclassed
model = keras.saving.load_model(sys.argv[1])
x = subclassed.numbers()
np.save(sys.argv[2], model.predict(x, verbose=0))
"""


@pytest.mark.slow
def test_a_fresh_process_loads_it(tmp_path):
    plex = plexify(subclassed.make(subclassed.Blocks), last_blocks=1, seed=0)
    plex.save(tmp_path / "model.keras")
    subprocess.run(
        [
            sys.executable,
            "-c",
            LOAD,
            str(tmp_path / "model.keras"),
            str(tmp_path / "found.npy"),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    expected = plex.predict(subclassed.numbers(), verbose=0)
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), expected)


# What cannot be converted.


class Unseen(subclassed.Classifier):
    """Never called: nobody knows what it takes."""


class TwoArguments(keras.Model):
    """`fit` would not know what to give it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def build(self, a_shape, b_shape):
        self.dense.build(a_shape)

    def call(self, a, b):
        return self.dense(a) + self.dense(b)


def two_arguments():
    model = TwoArguments()
    model(np.ones((2, 4)), np.ones((2, 4)))
    return model


@pytest.mark.parametrize("make", [Unseen, two_arguments])
def test_unknown_inputs_are_refused_with_the_way_out(make):
    with pytest.raises(ValueError, match="call it on data.*wrap a subclassed"):
        plexify(make())


def test_a_new_head_for_a_subclassed_model_is_refused_with_the_reason():
    model = subclassed.make(subclassed.Classifier)
    message = "only the code of a subclassed model knows.*num_classes=5"
    with pytest.raises(ValueError, match=message):
        plexify(model, num_classes=5)


class NoSymbols(subclassed.Classifier):
    """Looks at the values of its inputs."""

    def call(self, inputs, training=None):
        if float(ops.convert_to_numpy(inputs).sum()) > 1e9:
            raise ValueError("too large")
        return super().call(inputs)


class BuiltWithoutSymbols(NoSymbols):
    """Makes its weights without a run."""

    build = subclassed.BuiltByShape.build


def test_a_model_whose_copy_makes_no_weights_is_refused_with_the_way_out():
    model = NoSymbols()
    model(np.ones((2, 5), "float32"))
    with pytest.raises(ValueError, match="does not run on symbolic.*`build`"):
        plexify(model, **KEEPS)


def test_a_model_without_a_dry_run_is_refused_with_the_way_out():
    model = BuiltWithoutSymbols()
    model(np.ones((2, 5), "float32"))
    with pytest.raises(ValueError, match="Cannot tell what.*Wrap it as"):
        plexify(model, **KEEPS)
