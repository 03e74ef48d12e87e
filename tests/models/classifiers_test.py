"""Converted or not, a classifier says what it gives and where from."""

import keras
import pytest

import keras_plex
from keras_plex.models.classifiers import output_kind
from keras_plex.models.classifiers import output_layer


def make_stock(units=3, activation=None):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(units, activation),
        ]
    )


@pytest.mark.parametrize(
    "units, activation, kind",
    [
        (3, None, "softmax_logits"),
        (3, "softmax", "probabilities"),
        (1, None, "regression"),
        (1, "sigmoid", "probabilities"),
    ],
)
def test_stock_and_converted_model_give_the_same_kind(units, activation, kind):
    stock = make_stock(units, activation)
    assert output_kind(stock) == kind
    model = keras_plex.plexify(stock, last_blocks=1, head="keep")
    assert output_kind(model) == kind


def test_stock_models_loss_says_what_its_outputs_are():
    stock = make_stock(1)
    stock.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    assert output_kind(stock) == "sigmoid_logits"


def test_kind_that_the_user_set_counts():
    model = keras_plex.plexify(make_stock(), last_blocks=1, head="keep")
    model.output_kind = "sigmoid_logits"
    assert output_kind(model) == "sigmoid_logits"


@pytest.mark.parametrize("head", ["gp", "keep", "batch_ensemble"])
def test_output_layer_is_the_last_one(head):
    stock = make_stock(activation="softmax")
    assert output_layer(stock).layer is stock.layers[-1]
    model = keras_plex.plexify(stock, last_blocks=1, head=head)
    assert output_layer(model).layer is model.layers[-1]
    assert output_layer(model).activation == "softmax"


def test_model_whose_outputs_no_dense_layer_makes_has_none():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8)(inputs)
    outputs = keras.layers.Dense(3)(x) + keras.layers.Dense(3)(x)
    stock = keras.Model(inputs, outputs)
    assert output_layer(stock) is None
    model = keras_plex.plexify(stock, head="keep")
    assert output_layer(model) is None
