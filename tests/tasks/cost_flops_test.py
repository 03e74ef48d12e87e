"""Operations are those that one counts by hand."""

import keras
import numpy as np
import pytest

from keras_plex.layers import HeteroscedasticDense
from keras_plex.tasks.cost_flops import count_flops
from keras_plex.tasks.cost_flops import einsum_flops


def images():
    return np.ones((2, 16, 16, 3), "float32")


def test_products_are_counted_twice_per_multiply_add():
    layers = [
        keras.layers.Conv2D(4, 3, padding="valid", use_bias=False),
        keras.layers.Flatten(),
        keras.layers.Dense(5, use_bias=False),
    ]
    model = keras.Sequential([keras.Input((16, 16, 3)), *layers])
    flops, source = count_flops(model, images())
    by_hand = 2 * (14 * 14 * 4 * 27 + 14 * 14 * 4 * 5)
    assert flops == pytest.approx(2 * by_hand, rel=0.01)
    assert source


def test_attention_is_counted():
    x = keras.Input((7, 8))
    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    model = keras.Model(x, layer(x, x))
    flops, _ = count_flops(model, np.ones((4, 7, 8), "float32"))
    # Query, key, value and output; scores and their use.
    by_hand = 4 * (4 * 2 * 7 * 8 * 8 + 2 * 2 * 7 * 7 * 4 * 2)
    # The softmax, which some count too, is a tenth.
    assert by_hand <= flops <= 1.2 * by_hand


@pytest.mark.parametrize(
    "equation, shapes, flops",
    [
        ("bd,de->be", [(2, 3), (3, 5)], 2 * 2 * 3 * 5),
        ("...d,de->...e", [(2, 7, 3), (3, 5)], 2 * 2 * 7 * 3 * 5),
        ("b...,b...->b", [(2, 3), (2, 3)], 2 * 2 * 3),
        ("...ij,...jk", [(4, 1, 2), (1, 2, 3)], 2 * 4 * 2 * 3),
        ("abc->cba", [(2, 3, 4)], 0),
    ],
)
def test_einsum_is_twice_the_product_of_its_axes(equation, shapes, flops):
    assert einsum_flops(equation, shapes) == flops


def test_a_loop_is_not_guessed():
    layers = [keras.layers.LSTM(4), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((7, 8)), *layers])
    flops, source = count_flops(model, np.ones((2, 7, 8), "float32"))
    if keras.config.backend() == "torch":
        assert flops > 2 * 2 * 7 * (8 + 4) * 16 * 0.99
    else:
        assert flops is None and "loop" in source


def test_the_samples_of_a_wide_heteroscedastic_head_are_counted():
    def flops_of(classes):
        keras.utils.set_random_seed(0)
        head = HeteroscedasticDense(classes, num_factors=0, num_samples=64)
        model = keras.Sequential([keras.Input((2,)), head])
        flops, _ = count_flops(model, np.ones((2, 2), "float32"))
        return flops

    # 64 samples of 100 classes are one chunk, of 1,000 are four.
    few, many = flops_of(100), flops_of(1000)
    assert few is not None
    assert many == pytest.approx(10 * few, rel=0.05)


def test_what_cannot_be_counted_says_why(monkeypatch):
    class Untraceable(keras.Model):
        def call(self, inputs, training=None):
            raise TypeError("no\nway")

    flops, source = count_flops(Untraceable(), np.ones((2, 3)))
    assert flops is None and source.startswith("not counted: ")
    monkeypatch.setattr(keras.config, "backend", lambda: "openvino")
    assert count_flops(Untraceable(), np.ones((2, 3))) == (
        None,
        "no counter for the backend openvino",
    )
