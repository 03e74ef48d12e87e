"""Padding that Keras masks counts in no loss, metric or covariance."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_plex
from keras_plex.conversion.copying import copy_model
from keras_plex.models import DeepEnsemble
from keras_plex.models import MCDropout
from tests import cases

TOKENS = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 2, 3, 0], [2, 1, 0, 0]])
LABELS = np.array([[0, 1, 2, 2], [2, 1, 1, 1], [0, 0, 1, 2], [1, 2, 0, 0]])


def tagger():
    """One forecast per token; 0 is padding."""
    inputs = keras.Input((4,), dtype="int32")
    x = layers.Embedding(5, 8, mask_zero=True)(inputs)
    x = layers.Dense(8, "relu")(x)
    x = layers.Dropout(1e-6)(x)
    return cases.with_random_weights(keras.Model(inputs, layers.Dense(3)(x)))


def compiled(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, weighted_metrics=["accuracy"], jit_compile=False)
    return model


MODELS = {
    "plexify": lambda stock: keras_plex.plexify(
        stock, last_blocks=1, head="keep", fast_weight_stddev=0.0
    ),
    "DeepEnsemble": lambda stock: DeepEnsemble([stock, copy_model(stock)]),
    "MCDropout": lambda stock: MCDropout(stock, 2),
}


@pytest.mark.parametrize("name", MODELS)
def test_loss_and_metrics_are_those_of_the_stock_model(name):
    stock = compiled(tagger())
    expected = stock.evaluate(TOKENS, LABELS, verbose=0)
    model = compiled(MODELS[name](stock))
    others = LABELS.copy()
    others[TOKENS == 0] = (others[TOKENS == 0] + 1) % 3
    for labels in (LABELS, others):
        found = model.evaluate(TOKENS, labels, verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    # Under JAX the metrics of a training step know no mask.
    expected = compiled(copy_model(stock)).train_on_batch(TOKENS, others)
    found = model.train_on_batch(TOKENS, others)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_padding_is_not_in_the_covariance():
    model = keras_plex.plexify(
        tagger(), last_blocks=1, head_options={"num_features": 16}, seed=0
    )
    compiled(model)
    model.optimizer.learning_rate = 0.0
    model.fit(TOKENS, LABELS, verbose=0)
    precision = model.covariance_head.covariance.precision
    expected = keras.ops.convert_to_numpy(precision).copy()
    model.fit_covariance(TOKENS)
    found = keras.ops.convert_to_numpy(precision)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_uncertainty_is_that_of_one_forecast_per_example():
    model = MODELS["plexify"](tagger())
    with pytest.raises(ValueError, match=r"\(4, 3, 4, 3\).*predict_members"):
        model.predict_uncertainty(TOKENS)
