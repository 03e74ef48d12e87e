"""Stock layers become ensemble layers; sites draw numbers of their own."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion.methods import METHODS
from keras_plex.conversion.methods import checked_method_options
from keras_plex.conversion.methods import ensemble_template
from keras_plex.conversion.methods import site_arguments
from keras_plex.initializers import RandomSign
from keras_plex.layers import BatchEnsembleConv2D
from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import BatchEnsembleEinsumDense
from keras_plex.layers import BatchEnsembleEmbedding
from keras_plex.layers import LoRAEnsembleDense
from keras_plex.layers import LoRAEnsembleEinsumDense

DENSE = keras.layers.Dense(4, "gelu", use_bias=False, name="a", trainable=False)
EINSUM = keras.layers.EinsumDense(
    "abc,cde->abde", (None, 2, 3), bias_axes="de", dtype="float64"
)
LAYERS = [
    (DENSE, "batch_ensemble", BatchEnsembleDense),
    (DENSE, "lora_ensemble", LoRAEnsembleDense),
    (EINSUM, "batch_ensemble", BatchEnsembleEinsumDense),
    (EINSUM, "lora_ensemble", LoRAEnsembleEinsumDense),
    (
        keras.layers.Conv2D(4, 3, padding="same", strides=2),
        "batch_ensemble",
        BatchEnsembleConv2D,
    ),
    (
        keras.layers.Embedding(5, 4, mask_zero=True),
        "batch_ensemble",
        BatchEnsembleEmbedding,
    ),
]
NAMES = {"batch_ensemble": "fast_weight_initializer"}
NAMES["lora_ensemble"] = "a_initializer"
each_method = pytest.mark.parametrize("method", METHODS)


@pytest.mark.parametrize("layer, method, cls", LAYERS)
def test_a_template_describes_the_stock_layer_with_members(layer, method, cls):
    arguments = {NAMES[method]: keras.initializers.HeNormal(seed=3)}
    template = ensemble_template(layer, method, 5, arguments)
    assert type(template) is cls
    assert not template.built
    config = template.get_config()
    assert config.pop("ensemble_size") == 5
    initializer = config.pop(NAMES[method])
    assert initializer["config"]["seed"] == 3
    for name in ("rank", "alpha"):
        config.pop(name, None)
    assert config == layer.get_config()


def start(method, stddev=0.0, seed=None, site=0, options=None):
    arguments = site_arguments(method, options, stddev, seed, site)
    return arguments[NAMES[method]]


def draw(initializer, shape=(3, 4)):
    return ops.convert_to_numpy(initializer(shape))


@pytest.mark.parametrize("seed", [None, 7])
def test_no_spread_is_exactly_one(seed):
    numbers = draw(start("batch_ensemble", 0.0, seed, 1))
    np.testing.assert_array_equal(numbers, 1.0)


@each_method
def test_a_seed_and_a_site_fix_the_numbers(method):
    first = draw(start(method, 0.5, 3, 2))
    np.testing.assert_array_equal(first, draw(start(method, 0.5, 3, 2)))
    for seed, site in [(3, 1), (4, 2), (0, 2)]:
        other = draw(start(method, 0.5, seed, site))
        assert np.abs(first - other).max() > 1e-2


@each_method
def test_sites_of_neighbouring_seeds_do_not_meet(method):
    seeds = {
        start(method, 0.5, seed, site).seed + layer_draw
        for seed in range(3)
        for site in range(150)
        for layer_draw in range(2)
    }
    assert len(seeds) == 3 * 150 * 2


@each_method
def test_a_large_seed_draws_numbers(method):
    assert np.isfinite(draw(start(method, 0.5, 2**40))).all()


@each_method
def test_without_a_seed_numbers_are_new(method):
    first, other = draw(start(method, 0.5)), draw(start(method, 0.5))
    assert np.abs(first - other).max() > 1e-2


def test_numbers_lie_around_one():
    numbers = draw(start("batch_ensemble", 0.5, 0), (100, 100))
    # 10,000 draws: the standard error of the mean is 0.005.
    assert abs(numbers.mean() - 1.0) < 0.02
    assert abs(numbers.std() - 0.5) < 0.02


# Options.


def test_options_are_those_of_the_layer():
    arguments = site_arguments("lora_ensemble", {"rank": 2}, 0.0, 1, 0)
    assert arguments.pop("a_initializer").seed == 1000
    assert arguments == {"rank": 2}


INITIALIZERS = {
    "name": "random_normal",
    "own name": "random_sign",
    "object": keras.initializers.RandomNormal(1.0, 0.3),
    "own object": RandomSign(0.7),
    "seed": keras.initializers.HeUniform(seed=5),
    "config": keras.initializers.serialize(keras.initializers.HeNormal()),
}


@pytest.mark.parametrize("name", INITIALIZERS)
@each_method
def test_an_initializer_becomes_what_a_file_can_hold(method, name):
    given = {NAMES[method]: INITIALIZERS[name]}
    checked = checked_method_options(method, given)
    assert json.loads(json.dumps(checked)) == checked
    assert checked_method_options(method, checked) == checked
    first, again, site = (
        draw(start(method, None, 3, site, checked)) for site in (2, 2, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - site).max() > 1e-2


def test_an_initializer_with_a_seed_keeps_to_it():
    options = {"fast_weight_initializer": INITIALIZERS["seed"]}
    options = checked_method_options("batch_ensemble", options)
    draws = [
        draw(start("batch_ensemble", None, seed, 2, options))
        for seed in (None, 3, 4)
    ]
    np.testing.assert_array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws[0], draws[2])


def test_sites_without_seeds_draw_numbers_of_their_own():
    options = {"fast_weight_initializer": INITIALIZERS["config"]}
    one, two = (
        draw(start("batch_ensemble", None, None, site, options))
        for site in (0, 1)
    )
    assert np.abs(one - two).max() > 1e-2


def test_an_initializer_without_chance_stays_as_it_is():
    options = {"fast_weight_initializer": "zeros"}
    assert not draw(start("batch_ensemble", None, 3, 2, options)).any()


BAD_OPTIONS = [
    ("lora_ensemble", [1], r"`method_options` must be a dict.*=\[1\]"),
    (
        "lora_ensemble",
        {"rnk": 8},
        "'lora_ensemble' has no option 'rnk'. Its options: rank, alpha, a_in",
    ),
    (
        "batch_ensemble",
        {"rank": 8},
        "'batch_ensemble' has no option 'rank'. Its options: fast_weight_init",
    ),
    ("lora_ensemble", {"rank": 0}, "`rank` must be a positive.*=0"),
    ("lora_ensemble", {"alpha": -1}, "`alpha` must be.*=-1"),
    ("lora_ensemble", {"a_initializer": "ones"}, "must be a random Keras"),
    ("lora_ensemble", {"a_initializer": None}, "must be a random Keras"),
    ("batch_ensemble", {"fast_weight_initializer": "nix"}, "nix"),
    (
        "batch_ensemble",
        {"fast_weight_initializer": None},
        "must be the name of a Keras initializer.*=None",
    ),
    (
        "batch_ensemble",
        {"fast_weight_initializer": lambda shape, dtype: 1},
        "must be the name of a Keras initializer",
    ),
    (
        "batch_ensemble",
        {
            "fast_weight_initializer": keras.initializers.RandomNormal(
                seed=keras.random.SeedGenerator(1)
            )
        },
        "its seed, if it has one, an integer",
    ),
]


@pytest.mark.parametrize("method, options, message", BAD_OPTIONS)
def test_the_message_says_what_an_option_must_be(method, options, message):
    with pytest.raises(ValueError, match=message):
        checked_method_options(method, options)


def test_no_options_are_no_options():
    assert checked_method_options("lora_ensemble", None) is None
    assert checked_method_options("lora_ensemble", {}) == {}
