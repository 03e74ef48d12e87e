"""`RandomSign` is a Keras initializer of plus and minus ones."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.initializers import RandomSign
from keras_plex.initializers import get_initializer


def draw(initializer, shape=(1000,), **arguments):
    return ops.convert_to_numpy(initializer(shape, **arguments))


@pytest.mark.parametrize("probability", [0.0, 0.2, 0.5, 1.0])
def test_plus_one_has_the_probability(probability):
    signs = draw(RandomSign(probability, seed=0))
    assert set(np.unique(signs)) <= {-1.0, 1.0}
    # 1000 draws: a standard deviation of at most 0.016.
    assert abs((signs == 1).mean() - probability) < 0.05


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", None])
def test_it_has_the_dtype_that_is_asked_for(dtype):
    if dtype == "float64" and keras.config.backend() == "jax":
        pytest.skip("JAX has no float64 by default.")
    signs = RandomSign(seed=0)((4, 3), dtype=dtype)
    assert tuple(signs.shape) == (4, 3)
    found = keras.backend.standardize_dtype(signs.dtype)
    assert found == (dtype or keras.config.floatx())
    floats = ops.convert_to_numpy(ops.cast(signs, "float32"))
    assert (np.abs(floats) == 1).all()


def test_a_seed_repeats_its_draw_and_another_seed_does_not():
    one = RandomSign(seed=1)
    np.testing.assert_array_equal(draw(one), draw(one))
    np.testing.assert_array_equal(draw(one), draw(RandomSign(seed=1)))
    assert (draw(one) != draw(RandomSign(seed=2))).any()


def test_without_a_seed_each_object_draws_its_own():
    one = RandomSign()
    np.testing.assert_array_equal(draw(one), draw(one))
    assert (draw(one) != draw(RandomSign())).any()


def test_a_generator_draws_anew_each_time():
    one = RandomSign(seed=keras.random.SeedGenerator(1))
    assert (draw(one) != draw(one)).any()


@pytest.mark.parametrize("seed", [None, 3, keras.random.SeedGenerator(3)])
def test_its_config_makes_it_again(seed):
    one = RandomSign(0.25, seed=seed)
    assert set(one.get_config()) == {"probability", "seed"}
    config = json.loads(json.dumps(keras.initializers.serialize(one)))
    again = keras.initializers.deserialize(config)
    assert type(again) is RandomSign
    assert again.probability == 0.25
    if seed is not None:
        np.testing.assert_array_equal(draw(one), draw(again))


@pytest.mark.parametrize("probability", [-0.1, 1.1, "0.5", None, True])
def test_a_probability_outside_0_and_1_raises(probability):
    with pytest.raises(ValueError) as error:
        RandomSign(probability)
    assert "`probability` must be a number between 0 and 1" in str(error.value)
    assert f"probability={probability!r}" in str(error.value)


@pytest.mark.parametrize("name", ["random_sign", "RandomSign"])
def test_it_has_names(name):
    assert type(get_initializer(name)) is RandomSign


def test_other_names_and_objects_are_those_of_keras():
    ones = keras.initializers.Ones()
    assert get_initializer(ones) is ones
    assert type(get_initializer("ones")) is keras.initializers.Ones
    assert type(get_initializer(keras.initializers.serialize(ones))) is (
        keras.initializers.Ones
    )
    with pytest.raises(ValueError, match="no_such_initializer"):
        get_initializer("no_such_initializer")
