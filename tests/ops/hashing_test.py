"""Equal words on every backend, spread evenly."""

import numpy as np
import pytest
from keras import ops

from keras_plex.ops.hashing import mix
from keras_plex.ops.hashing import word
from keras_plex.ops.hashing import word_dtype


def numpy_mix(x):
    """The same with Python's own integers."""
    x = (x + 0x9E3779B9) % 2**32
    for _ in range(2):
        x ^= x >> 16
        x = x * 0x119DE1F3 % 2**32
    return x ^ (x >> 16)


def words(values):
    values = np.asarray(values, "int64").astype(word_dtype())
    return ops.convert_to_tensor(values)


def test_words_are_those_of_plain_integers():
    values = [0, 1, 2, 1000, 2**31 - 1, 2**31, 2**32 - 1]
    found = ops.convert_to_numpy(mix(words(values))).astype("int64")
    assert found.tolist() == [numpy_mix(value) for value in values]


def test_different_words_stay_different():
    found = ops.convert_to_numpy(mix(words(range(10_000))))
    assert len(np.unique(found)) == 10_000


def test_each_bit_flips_half_of_the_bits():
    values = np.arange(2000)
    before = ops.convert_to_numpy(mix(words(values))).astype("int64")
    for bit in range(32):
        flipped = values ^ (1 << bit)
        after = ops.convert_to_numpy(mix(words(flipped))).astype("int64")
        bits = [(before ^ after) >> i & 1 for i in range(32)]
        # 64,000 fair coins: a standard deviation of 0.002.
        assert np.mean(bits) == pytest.approx(0.5, abs=0.02)


def test_negative_numbers_are_words_too():
    assert int(word(-1)) == 2**32 - 1
