"""A classifier by the first token skips what nobody reads, exactly."""

import dataclasses
import functools

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from keras_plex.conversion import forward_pass
from keras_plex.conversion.families import FAMILIES
from keras_plex.conversion.families import find_family
from keras_plex.conversion.families import text_classifier
from keras_plex.conversion.surgery import intercept_calls
from tests import cases
from tests import text_models

# Those that have the shortcut.
NAMES = [
    name
    for name, make in text_models.CLASSIFIERS.items()
    if name not in ("f_net", "roformer_v2")
]


@functools.cache
def converted(name):
    model = cases.with_random_weights(text_models.CLASSIFIERS[name]())
    plex = plexify(model, head="keep", seed=0)
    return plex, cases.examples(model, 5)


def run(plex, x, mode, shortcut):
    """What a pass returns with the shortcut on or off."""
    state, conversion = plex._plex, plex.conversion
    state.conversion = dataclasses.replace(
        conversion, class_token_only=shortcut
    )
    try:
        with forward_pass.returning(mode):
            return cases.to_numpy(plex(x))
    finally:
        state.conversion = conversion


@pytest.mark.parametrize("name", NAMES)
def test_the_shortcut_is_exact(name):
    plex, x = converted(name)
    assert plex.conversion.class_token_only
    for mode in (forward_pass.FORECAST, forward_pass.MEMBERS):
        short, long = (run(plex, x, mode, on) for on in (True, False))
        assert np.ptp(long) > 0.1
        np.testing.assert_allclose(short, long, atol=2e-6)


def test_words_that_are_padding_stay_unread():
    plex, x = converted("bert")
    assert (x["padding_mask"] == 0).any()
    other = {**x, "token_ids": np.where(x["padding_mask"], x["token_ids"], 3)}
    assert (other["token_ids"] != x["token_ids"]).any()
    np.testing.assert_allclose(plex(other), plex(x), atol=1e-6)
    no_padding = {**x, "padding_mask": np.ones_like(x["padding_mask"])}
    assert np.abs(cases.to_numpy(plex(no_padding) - plex(x))).max() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_the_shortcut_has_the_same_gradients(name):
    import tensorflow as tf

    plex, x = converted(name)

    def gradients(shortcut):
        with tf.GradientTape() as tape:
            outputs = plex.backbone(x)
            with forward_pass.model_pass(shortcut):
                outputs = plex.backbone(x)
            if isinstance(outputs, dict):
                read = outputs["pooled_output"]
            else:
                read = outputs[:, 0]
            loss = ops.sum(ops.square(read))
        weights = [w.value for w in plex.backbone.trainable_weights]
        return tape.gradient(loss, weights)

    pairs = list(zip(gradients(True), gradients(False), strict=True))
    assert sum(short is not None for short, _ in pairs) > 30
    for short, long in pairs:
        assert (short is None) == (long is None)
        if short is not None:
            short, long = (
                tf.convert_to_tensor(short),
                tf.convert_to_tensor(long),
            )
            np.testing.assert_allclose(short, long, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_last_block_feeds_one_token_forward(name):
    plex, x = converted(name)
    shapes = []

    def note(operation, args, kwargs):
        if operation.name == "feedforward_intermediate_dense":
            shapes.append(tuple(args[0].shape))
        return args, kwargs

    with intercept_calls(note):
        plex(x)
    # 5 texts of 5 words, 3 members.
    assert shapes == [(5, 5, 8), (15, 5, 8), (15, 1, 8)]


@pytest.mark.parametrize("name", ["bert", "deberta_v3"])
def test_a_backbone_called_alone_gives_all_tokens(name):
    plex, x = converted(name)
    tokens = plex.backbone(x)
    tokens = tokens["sequence_output"] if name == "bert" else tokens
    assert tokens.shape == (15, 5, 8)


def test_the_shortcut_holds_in_training_with_dropout_off():
    plex, x = converted("bert")
    training = cases.to_numpy(plex(x, training=True))
    np.testing.assert_allclose(training, plex(x), atol=1e-6)


def test_half_precision_keeps_the_shortcut():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = cases.with_random_weights(text_models.bert())
    plex = plexify(model, head="keep", seed=0)
    x = cases.examples(model)
    short, long = (
        run(plex, x, forward_pass.FORECAST, on) for on in (True, False)
    )
    np.testing.assert_allclose(short, long, atol=3e-2)


def test_there_is_no_shortcut_into_a_stock_block():
    model = text_models.bert()
    plex = plexify(model, layers=["transformer_layer_1"], head="keep")
    assert not plex.conversion.class_token_only
    last = plex.backbone.transformer_layers[-1]
    assert not isinstance(last, text_classifier.ClassTokenEncoder)


def test_there_is_no_shortcut_where_a_block_normalizes_first():
    model = text_models.bert()
    model.backbone.transformer_layers[-1].normalize_first = True
    blocks = model.backbone.transformer_layers
    assert not text_classifier.prepare(model, blocks)


class MyClassifier(keras_hub.models.BertTextClassifier):
    """A class of a user's own, which may read any token."""


def test_an_heir_has_no_shortcut():
    model = MyClassifier(text_models.bert_backbone(), 3)
    assert find_family(model) is FAMILIES["keras_hub"]
    assert find_family(text_models.bert()) is FAMILIES["text_classifier"]
