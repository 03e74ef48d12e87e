"""What both LoRA ensemble layers keep: frozen kernels, stores, draws."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers import LoRAEnsembleDense
from keras_plex.layers import LoRAEnsembleEinsumDense
from keras_plex.layers.lora_ensemble import draw_members

LAYERS = {
    "dense": lambda **a: LoRAEnsembleDense(4, 2, **a),
    "einsum": lambda **a: LoRAEnsembleEinsumDense(
        "ab,bc->ac", 4, 2, bias_axes="c", **a
    ),
}
STOCK = {
    "dense": lambda **a: keras.layers.Dense(4, name="stock", **a),
    "einsum": lambda **a: keras.layers.EinsumDense(
        "ab,bc->ac", 4, bias_axes="c", name="stock", **a
    ),
}
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
each_kind = pytest.mark.parametrize("kind", LAYERS)


def built(make, **arguments):
    layer = make(**arguments)
    layer.build((None, 3))
    return layer


def numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float64"))


def normal(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def names(weights):
    return [weight.name for weight in weights]


# What learns.


@each_layer
def test_only_a_and_b_are_trainable(make):
    layer = built(make)
    assert names(layer.trainable_weights) == ["lora_a", "lora_b"]
    assert names(layer.non_trainable_weights) == ["kernel", "bias"]


@each_layer
def test_the_shared_weights_stay_frozen_when_trainable_is_set(make):
    layer = built(make)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.trainable = False
    assert layer.trainable_weights == []
    model.trainable = True
    assert names(layer.trainable_weights) == ["lora_a", "lora_b"]
    assert names(model.trainable_weights) == ["lora_a", "lora_b"]


@each_layer
def test_a_layer_that_is_frozen_first_is_frozen(make):
    layer = make(trainable=False)
    layer.build((None, 3))
    assert not any(weight.trainable for weight in layer.weights[2:])
    layer.trainable = True
    assert names(layer.trainable_weights) == ["lora_a", "lora_b"]


@each_layer
def test_training_moves_a_and_b_and_nothing_else(make):
    layer = built(make)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = {w.name: numpy(w) for w in layer.weights}
    for _ in range(2):  # `A` has no gradient while `B` is zero
        model.train_on_batch(normal((8, 3)), np.ones((8, 4), "float32"))
    moved = {w.name: np.abs(numpy(w) - before[w.name]) for w in layer.weights}
    assert moved["kernel"].max() == 0 and moved["bias"].max() == 0
    # Each member's.
    assert (moved["lora_a"].max(axis=(1, 2)) > 1e-4).all()
    assert (moved["lora_b"].max(axis=(1, 2)) > 1e-4).all()


@each_layer
def test_members_start_equal_and_differ_after_one_step(make):
    layer = built(make)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = np.concatenate([normal((4, 3))] * 2)
    one, two = np.split(numpy(model(x)), 2)
    # On some processors a product rounds by the row's place in the batch.
    np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-7)
    model.train_on_batch(x, np.ones((8, 4), "float32"))
    one, two = np.split(numpy(model(x)), 2)
    assert np.abs(one - two).max() > 1e-2


@each_layer
def test_a_regularizer_of_the_frozen_kernel_costs_nothing(make):
    assert built(make, kernel_regularizer="l2").losses == []


# Draws.


def draws(seed, members=3, shape=(5, 2)):
    initializer = keras.initializers.HeUniform(seed=seed)
    return numpy(draw_members(initializer, shape[0], (members, *shape)))


def test_each_member_draws_its_own_numbers():
    found = draws(seed=3)
    assert len(np.unique(found)) == 30
    np.testing.assert_array_equal(found, draws(seed=3))
    assert not np.isin(found, draws(seed=4)).any()


def test_a_member_draws_the_same_whatever_the_size_of_the_ensemble():
    np.testing.assert_array_equal(draws(3, members=2), draws(3)[:2])


def test_a_shared_seed_generator_goes_on():
    found = draws(keras.random.SeedGenerator(3))
    assert len(np.unique(found)) == 30


def test_without_a_seed_each_layer_is_another():
    one, two = built(LAYERS["dense"]), built(LAYERS["dense"])
    assert np.abs(numpy(one.lora_a) - numpy(two.lora_a)).max() > 1e-2


def test_the_spread_is_that_of_one_members_inputs():
    # HeUniform lies within sqrt(6 / fan_in), whatever stands around it.
    initializer = keras.initializers.HeUniform(seed=0)
    found = numpy(draw_members(initializer, 24, (4, 2, 12, 3, 5)))
    assert found.shape == (4, 2, 12, 3, 5)
    limit = (6 / 24) ** 0.5
    assert 0.98 * limit < np.abs(found).max() <= limit


@each_layer
def test_alpha_scales_the_update(make):
    plain, scaled = (
        built(make, alpha=alpha, rank=4, kernel_initializer="zeros")
        for alpha in (None, 8)
    )
    for layer in (plain, scaled):
        layer.lora_a.assign(normal(layer.lora_a.shape))
        layer.lora_b.assign(normal(layer.lora_b.shape, seed=2))
    x = normal((6, 3))
    np.testing.assert_allclose(
        numpy(scaled(x)), 2 * numpy(plain(x)), rtol=1e-5, atol=1e-6
    )


def test_member_weights_are_float32_in_low_precision():
    for policy in ("mixed_bfloat16", "bfloat16", "float32"):
        layer = built(LAYERS["dense"], dtype=policy)
        assert {layer.lora_a.dtype, layer.lora_b.dtype} == {"float32"}
    assert built(LAYERS["dense"], dtype="float64").lora_a.dtype == "float64"


# Taking over.


@each_kind
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"activation": "relu"},
        {"dtype": "float64"},
        {"dtype": "mixed_bfloat16"},
        {"kernel_regularizer": "l2", "trainable": False},
    ],
)
def test_from_layer_starts_exactly_as_the_stock_layer(kind, arguments):
    stock = built(STOCK[kind], **arguments)
    stock.bias.assign(np.arange(4.0))
    config, weights = stock.get_config(), stock.get_weights()
    cls = type(LAYERS[kind]())
    layer = cls.from_layer(stock, ensemble_size=2, rank=2, alpha=4)
    x = normal((6, 3))
    np.testing.assert_array_equal(numpy(layer(x)), numpy(stock(x)))
    assert layer.name == "stock"
    assert layer.dtype_policy == stock.dtype_policy
    assert layer.trainable == stock.trainable
    assert (layer.ensemble_size, layer.rank, layer.alpha) == (2, 2, 4)
    assert not layer.kernel.trainable
    # The stock layer stays as it is.
    assert stock.get_config() == config
    assert stock.kernel.trainable == stock.trainable
    for old, new in zip(weights, stock.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@each_kind
def test_from_layer_merges_the_stock_layers_lora(kind):
    stock = built(STOCK[kind])
    stock.enable_lora(2, lora_alpha=3)
    stock.lora_kernel_b.assign(normal(stock.lora_kernel_b.shape))
    x = normal((6, 3))
    layer = type(LAYERS[kind]()).from_layer(stock, ensemble_size=2)
    np.testing.assert_allclose(numpy(layer(x)), numpy(stock(x)), rtol=1e-5)
    assert not layer.lora_enabled and "lora_rank" not in layer.get_config()
    assert stock.lora_enabled


@each_kind
def test_from_layer_passes_the_initializer_on(kind):
    layer = type(LAYERS[kind]()).from_layer(
        built(STOCK[kind]),
        a_initializer=keras.initializers.RandomNormal(5.0, 0.1),
    )
    assert abs(numpy(layer.lora_a).mean() - 5.0) < 0.1


# Files.


@each_layer
def test_a_store_holds_the_stock_keys_and_the_members(make):
    store = {}
    built(make).save_own_variables(store)
    assert sorted(store) == ["0", "1", "lora_a", "lora_b"]


@each_layer
def test_a_store_restores_every_weight(make):
    one, two = built(make), built(make)
    one.lora_b.assign(normal(one.lora_b.shape))
    store = {}
    one.save_own_variables(store)
    two.load_own_variables(store)
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_array_equal(numpy(a), numpy(b))


@each_kind
def test_a_stock_store_leaves_the_members_as_they_are(kind):
    stock, layer = built(STOCK[kind]), built(LAYERS[kind])
    store = {}
    stock.save_own_variables(store)
    before = numpy(layer.lora_a)
    layer.load_own_variables(store)
    np.testing.assert_array_equal(numpy(layer.kernel), numpy(stock.kernel))
    np.testing.assert_array_equal(numpy(layer.lora_a), before)
    assert not numpy(layer.lora_b).any()


@each_layer
def test_a_file_restores_bit_for_bit_and_stays_frozen(make, tmp_path):
    layer = built(make)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    layer.lora_b.assign(normal(layer.lora_b.shape))
    x = normal((6, 3))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(loaded(x)), numpy(model(x)))
    assert names(loaded.trainable_weights) == ["lora_a", "lora_b"]


# Errors.


@each_layer
def test_a_second_lora_is_refused(make):
    with pytest.raises(NotImplementedError, match="Choose another rank by `r"):
        built(make).enable_lora(2)
    with pytest.raises(ValueError, match="pass `rank`, not `lora_rank`.*=2"):
        make(lora_rank=2)


@each_layer
def test_quantization_is_refused(make):
    with pytest.raises(NotImplementedError, match="cannot be quantized"):
        built(make).quantize("int8")
    with pytest.raises(ValueError, match="quantization_mode='int8'"):
        built(make, dtype="int8_from_float32")


@each_layer
def test_a_kernel_constraint_is_refused(make):
    with pytest.raises(ValueError, match="does not keep to a constraint"):
        built(make, kernel_constraint="non_neg")


@each_layer
def test_rows_that_are_no_multiple_raise(make):
    with pytest.raises(ValueError, match="rows=5, ensemble_size=2"):
        make()(np.ones((5, 3), "float32"))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"ensemble_size": 0}, "`ensemble_size` must be a positive integer"),
        ({"rank": 0}, "`rank` must be a positive integer"),
        ({"alpha": -1}, "`alpha` must be"),
        ({"a_initializer": "zeros"}, "must be a random Keras initializer"),
    ],
)
def test_a_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LoRAEnsembleDense(2, **arguments)
    with pytest.raises(ValueError, match=message):
        LoRAEnsembleEinsumDense("ab,bc->ac", 2, **arguments)


def test_a_layer_of_another_class_is_refused():
    with pytest.raises(ValueError, match="takes over a `keras.layers.Dense`"):
        LoRAEnsembleDense.from_layer(built(STOCK["einsum"]))
