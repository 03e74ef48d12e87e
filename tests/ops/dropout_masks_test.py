"""Masks keep the expectation, and belong to their place alone."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.ops.dropout_masks import dropout_masks


def masks(shape=(50, 40), rate=0.3, seed=1, layer=0, members=8):
    found = dropout_masks(seed, layer, members, shape, rate)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    return ops.convert_to_numpy(found)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_mean_is_one_and_the_zeros_are_as_many_as_the_rate_says(rate):
    found = masks(rate=rate)
    assert found.shape == (8, 50, 40)
    np.testing.assert_allclose(np.unique(found), [0, 1 / (1 - rate)], rtol=1e-6)
    # Of 16,000 draws: four standard deviations.
    error = 4 * np.sqrt(rate / (1 - rate) / found.size)
    assert found.mean() == pytest.approx(1.0, abs=error)
    assert np.mean(found == 0) == pytest.approx(rate, abs=0.02)


def test_members_places_layers_and_seeds_are_independent():
    base = masks().reshape(8, -1)
    others = {
        "member": np.roll(base, 1, axis=0),
        "column": np.roll(base, 1, axis=1),
        "row": np.roll(base, 40, axis=1),
        "layer": masks(layer=1).reshape(8, -1),
        "seed": masks(seed=2).reshape(8, -1),
    }
    for name, other in others.items():
        correlation = np.corrcoef(base.ravel(), other.ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(base.size), name


def test_a_long_sequence_begins_like_a_short_one():
    np.testing.assert_array_equal(masks((50, 40))[:, :7], masks((7, 40)))
    attention = masks((2, 9, 9))
    np.testing.assert_array_equal(attention[:, :, :5, :5], masks((2, 5, 5)))


def test_more_members_do_not_change_the_first():
    np.testing.assert_array_equal(masks(members=8)[:3], masks(members=3))


def test_compiled_masks_are_the_same():
    tf = pytest.importorskip("tensorflow")
    if keras.config.backend() != "tensorflow":
        pytest.skip("Runs on TensorFlow.")

    def draw(x):
        return dropout_masks(3, 1, 2, ops.shape(x)[1:], 0.4)

    spec = [tf.TensorSpec((None, None, 6))]
    x = tf.zeros((2, 5, 6))
    eager = ops.convert_to_numpy(draw(x))
    for jit_compile in (False, True):
        compiled = tf.function(draw, spec, jit_compile=jit_compile)
        np.testing.assert_array_equal(compiled(x), eager)


def test_words_are_these_on_every_backend():
    found = masks((6,), rate=0.5, seed=0, members=2)
    expected = EXPECTED
    np.testing.assert_array_equal(found > 0, expected)


# From plain integers, by the formula of `keras_plex.ops.hashing`.
def plain_mask(seed, layer, member, place, rate):
    def mix(x):
        x = (x + 0x9E3779B9) % 2**32
        for _ in range(2):
            x ^= x >> 16
            x = x * 0x119DE1F3 % 2**32
        return x ^ (x >> 16)

    bits = mix(mix(seed) ^ mix(layer))
    bits = mix(bits ^ mix(member))
    return mix(bits ^ mix(place)) >= rate * 2**32


EXPECTED = [
    [plain_mask(0, 0, member, place, 0.5) for place in range(6)]
    for member in range(2)
]
