"""Stock layers become ensemble layers; sites draw numbers of their own."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion.methods import METHODS
from keras_plex.conversion.methods import ensemble_template
from keras_plex.conversion.methods import fast_weight_initializer
from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import BatchEnsembleEinsumDense

CLASSES = METHODS["batch_ensemble"]

LAYERS = [
    (
        keras.layers.Dense(
            4, "gelu", use_bias=False, name="a", trainable=False
        ),
        BatchEnsembleDense,
    ),
    (
        keras.layers.EinsumDense(
            "abc,cde->abde", (None, 2, 3), bias_axes="de", dtype="float64"
        ),
        BatchEnsembleEinsumDense,
    ),
]


@pytest.mark.parametrize("layer, cls", LAYERS)
def test_a_template_describes_the_stock_layer_with_members(layer, cls):
    template = ensemble_template(layer, CLASSES, 5, "ones")
    assert type(template) is cls
    assert not template.built
    config = template.get_config()
    assert config.pop("ensemble_size") == 5
    initializer = config.pop("fast_weight_initializer")
    assert initializer["class_name"] == "Ones"
    assert config == layer.get_config()


def draw(initializer, shape=(3, 4)):
    return ops.convert_to_numpy(initializer(shape))


def test_no_spread_is_exactly_one():
    np.testing.assert_array_equal(draw(fast_weight_initializer(0, 7, 1)), 1.0)
    np.testing.assert_array_equal(
        draw(fast_weight_initializer(0.0, None, 1)), 1.0
    )


def test_a_seed_and_a_site_fix_the_numbers():
    first = draw(fast_weight_initializer(0.5, 3, 2))
    np.testing.assert_array_equal(
        first, draw(fast_weight_initializer(0.5, 3, 2))
    )
    for seed, site in [(3, 1), (4, 2), (0, 2)]:
        other = draw(fast_weight_initializer(0.5, seed, site))
        assert np.abs(first - other).max() > 1e-2


def test_sites_of_neighbouring_seeds_do_not_meet():
    seeds = {
        fast_weight_initializer(0.5, seed, site).seed + layer_draw
        for seed in range(3)
        for site in range(150)
        for layer_draw in range(2)
    }
    assert len(seeds) == 3 * 150 * 2


def test_a_large_seed_draws_numbers():
    assert np.isfinite(draw(fast_weight_initializer(0.5, 2**40, 0))).all()


def test_without_a_seed_numbers_are_new():
    first = draw(fast_weight_initializer(0.5, None, 0))
    other = draw(fast_weight_initializer(0.5, None, 0))
    assert np.abs(first - other).max() > 1e-2


def test_numbers_lie_around_one():
    numbers = draw(fast_weight_initializer(0.5, 0, 0), (100, 100))
    # 10,000 draws: the standard error of the mean is 0.005.
    assert abs(numbers.mean() - 1.0) < 0.02
    assert abs(numbers.std() - 0.5) < 0.02
