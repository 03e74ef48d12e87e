"""Draws are normal, and the same for every compiler and way of asking."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special
from scipy import stats

from keras_plex.ops.normal_draws import draw_key
from keras_plex.ops.normal_draws import normal_draws


def draws(seed, samples, width):
    numbers = normal_draws(draw_key(seed), samples, width)
    return ops.convert_to_numpy(numbers)


def reference_draws(seed, samples, width):
    """The same hash on uint64, normal by SciPy."""
    mask = np.uint64(0xFFFFFFFF)

    def mix(x):
        x = (np.uint64(x) + np.uint64(0x9E3779B9)) & mask
        for _ in range(2):
            x = ((x ^ (x >> np.uint64(16))) * np.uint64(0x119DE1F3)) & mask
        return x ^ (x >> np.uint64(16))

    # The state of a seed is (seed, 0).
    rows = mix(mix(mix(seed)) ^ mix(np.arange(samples) // 2))
    bits = mix(rows[:, None] ^ mix(np.arange(width))[None]) >> np.uint64(9)
    normal = special.ndtri((bits + 0.5) / 2**23)
    return np.where(np.arange(samples)[:, None] % 2, -normal, normal)


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**32 - 1])
def test_they_are_a_hash_of_seed_sample_and_column(seed):
    np.testing.assert_allclose(
        draws(seed, ops.arange(20), 7),
        reference_draws(seed, 20, 7),
        atol=2e-6,
    )


def test_they_are_standard_normal():
    found = draws(0, np.arange(0, 2000, 2), 500)
    # Half a million draws: the test finds a shift of a thousandth.
    assert stats.kstest(found.ravel(), "norm").pvalue > 0.01
    assert np.isfinite(found).all()


def test_samples_columns_and_seeds_are_independent():
    found = draws(0, np.arange(0, 2000, 2), 200)
    other = draws(1, np.arange(0, 2000, 2), 200)
    for table in (found, found.T, np.stack([found.ravel(), other.ravel()])):
        correlation = np.corrcoef(table)
        np.fill_diagonal(correlation, 0.0)
        # About 4 standard deviations of the largest of many.
        assert np.abs(correlation).max() < 5.5 / np.sqrt(table.shape[1])


def test_an_odd_sample_is_minus_the_even_one_before_it():
    found = draws(3, np.arange(10), 6)
    np.testing.assert_array_equal(found[1::2], -found[::2])


def test_no_two_places_share_their_draw():
    found = draws(3, np.arange(0, 600, 2), 300)
    # 2**23 values: of 90000 draws about 483 meet another by chance.
    assert 90000 - len(np.unique(found)) < 600


def test_a_draw_does_not_depend_on_what_else_is_drawn():
    whole = draws(5, np.arange(10), 8)
    np.testing.assert_array_equal(draws(5, np.arange(4, 7), 3), whole[4:7, :3])


def test_the_largest_and_the_smallest_draws_are_finite():
    # The bits all 0 and all 1 are 0.5 / 2**23 from 0 and 1: 5.3 sigma.
    ends = special.ndtri(np.array([0.5, 2**23 - 0.5]) / 2**23)
    odd = np.array([1.0, 2.0**24 - 1.0], "float32") * np.float32(2.0**-23)
    found = np.sqrt(2.0) * ops.convert_to_numpy(ops.erfinv(odd - 1.0))
    np.testing.assert_allclose(found, ends, rtol=1e-4)


def test_a_seed_generator_gives_a_new_key_at_each_call():
    generator, again = (keras.random.SeedGenerator(7) for _ in range(2))
    keys = [int(draw_key(generator)) for _ in range(100)]
    assert len(set(keys)) == 100
    assert keys == [int(draw_key(again)) for _ in range(100)]
    assert int(draw_key(7)) == keys[0]


def test_other_seeds_give_other_keys():
    keys = {int(draw_key(seed)) for seed in range(1000)}
    assert len(keys) == 1000


@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="about TensorFlow's XLA"
)
def test_a_compiler_changes_nothing():
    import tensorflow as tf

    def draw(first):
        return normal_draws(draw_key(1), first + tf.range(10), 100)

    eager = draw(4).numpy()
    for jit_compile in (False, True):
        compiled = tf.function(draw, jit_compile=jit_compile)(tf.constant(4))
        np.testing.assert_allclose(compiled.numpy(), eager, atol=3e-6)
