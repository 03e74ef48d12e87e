"""Convolutions and embeddings get members where `layers` names them."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex import plexify
from keras_plex.layers import BatchEnsembleConv2D
from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import BatchEnsembleEmbedding
from tests import cases

ARGUMENTS = {"head": "keep", "seed": 0}


def cnn() -> keras.Model:
    """Two convolutions, one of them in a residual block."""
    inputs = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, activation="relu", name="conv_1")(inputs)
    h = layers.Conv2D(4, 3, padding="same", name="conv_2")(x)
    h = layers.BatchNormalization(name="norm")(h)
    x = layers.Add(name="add")([x, h])
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(5, "relu", name="dense")(x)
    outputs = layers.Dense(3, name="head")(x)
    return keras.Model(inputs, outputs, name="cnn")


def text() -> keras.Model:
    """Words, zero where there is none, in order by an embedding of places."""
    inputs = keras.Input((5,), dtype="int32")
    x = layers.Embedding(7, 8, mask_zero=True, name="words")(inputs)
    x = layers.GRU(6, name="gru")(x)
    x = layers.Dense(5, "tanh", name="dense")(x)
    outputs = layers.Dense(3, name="head")(x)
    return keras.Model(inputs, outputs, name="text")


MODELS = {"cnn": cnn, "text": text}
NAMED = {
    "conv_1": ("cnn", ["conv_1"], [BatchEnsembleConv2D]),
    "conv_2": ("cnn", ["conv_2"], [BatchEnsembleConv2D]),
    "convolutions": ("cnn", ["conv"], [BatchEnsembleConv2D] * 2),
    "mixed": (
        "cnn",
        ["conv_2", "dense"],
        [BatchEnsembleConv2D, BatchEnsembleDense],
    ),
    "words": ("text", ["words"], [BatchEnsembleEmbedding]),
    "both": (
        "text",
        ["words", "dense"],
        [BatchEnsembleEmbedding, BatchEnsembleDense],
    ),
}
each_name = pytest.mark.parametrize("name", NAMED)


def make(name):
    keras.utils.set_random_seed(0)
    return cases.with_random_weights(MODELS[name]())


@each_name
def test_named_layers_start_neutral(name):
    model_name, patterns, classes = NAMED[name]
    model = make(model_name)
    plex = plexify(model, layers=patterns, fast_weight_stddev=0.0, **ARGUMENTS)
    converted = plex.conversion.converted
    assert all(map(isinstance, converted, classes))
    assert len(converted) == len(classes)
    assert not plex.conversion.layout.tiled_inputs
    x = cases.examples(model)
    np.testing.assert_allclose(
        ops.softmax(plex(x)), ops.softmax(model(x)), atol=1e-5
    )


@each_name
def test_each_member_equals_a_model_of_its_own(name):
    model_name, patterns, _ = NAMED[name]
    model = make(model_name)
    plex, alone = (
        plexify(model, size, layers=patterns, **ARGUMENTS) for size in (3, 1)
    )
    x = cases.examples(model)
    members = plex.predict_members(x)
    assert np.abs(members[:, 0] - members[:, 1]).max() > 1e-3
    for k in range(3):
        for ours, theirs in zip(plex.weights, alone.weights, strict=True):
            numbers = ops.convert_to_numpy(ours)
            is_members = ours.shape != theirs.shape
            theirs.assign(numbers[k : k + 1] if is_members else numbers)
        single = alone.predict_members(x)[:, 0]
        np.testing.assert_allclose(members[:, k], single, atol=1e-5)


@each_name
def test_a_file_restores_bit_for_bit_after_training(name, tmp_path):
    model_name, patterns, _ = NAMED[name]
    model = make(model_name)
    plex = plexify(model, layers=patterns, **ARGUMENTS)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plex.compile("sgd", loss)
    x = cases.examples(model)
    plex.fit(x, np.arange(4, dtype="int32") % 3, verbose=0)
    plex.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*cases.to_numpy([loaded(x), plex(x)]))


@pytest.mark.parametrize("name", MODELS)
def test_by_default_they_stay_as_they_are(name):
    plex = plexify(make(name), last_blocks="all", **ARGUMENTS)
    assert [layer.name for layer in plex.conversion.converted] == ["dense"]


def test_an_error_lists_them():
    with pytest.raises(ValueError, match="(?s)'x'.*conv_1.*conv_2.*dense"):
        plexify(make("cnn"), layers=["x"], **ARGUMENTS)
    with pytest.raises(ValueError, match="(?s)'x'.*words.*dense"):
        plexify(make("text"), layers=["x"], **ARGUMENTS)


def test_a_low_rank_update_is_for_dense_layers_only():
    message = "matches 'conv_1', but the method 'lora_ensemble' converts no `C"
    with pytest.raises(ValueError, match=message):
        plexify(
            make("cnn"), layers=["conv"], method="lora_ensemble", **ARGUMENTS
        )


def test_an_initializer_of_the_fast_weights_is_an_option():
    options = {"fast_weight_initializer": "random_sign"}
    plex = plexify(
        make("cnn"), layers=["conv"], method_options=options, **ARGUMENTS
    )
    one, two = plex.conversion.converted
    for layer in (one, two):
        alpha = ops.convert_to_numpy(layer.alpha)
        np.testing.assert_array_equal(np.abs(alpha), 1.0)
    assert plex.conversion.settings.fast_weight_stddev is None
    draws = [ops.convert_to_numpy(layer.gamma) for layer in (one, two)]
    assert (draws[0] != draws[1]).any()
