"""What all BatchEnsemble layers keep: takeover, stores, LoRA, gradients."""

from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion.surgery import upgrade_layer
from keras_plex.initializers import RandomSign
from keras_plex.layers import BatchEnsembleConv2D
from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import BatchEnsembleEinsumDense
from keras_plex.layers import BatchEnsembleEmbedding
from keras_plex.layers.batch_ensemble import reseeded
from keras_plex.layers.batch_ensemble import with_own_seed


class Case(NamedTuple):
    """A layer of two members, and the shape of a batch for it."""

    layer_class: type
    arguments: dict
    input_shape: tuple
    shared: str = "kernel"

    def make(self, **arguments):
        return self.layer_class(
            **{**self.arguments, "ensemble_size": 2, **arguments}
        )

    def make_stock(self, **arguments):
        """A built stock layer with random weights."""
        stock = self.layer_class.stock_class(**self.arguments, **arguments)
        stock.build(self.input_shape)
        return randomize(stock)

    def inputs(self, dtype="float32"):
        generator = np.random.default_rng(1)
        if self.shared == "embeddings":
            return generator.integers(0, 5, self.input_shape)
        return generator.normal(size=self.input_shape).astype(dtype)


CASES = {
    "dense": Case(BatchEnsembleDense, {"units": 4}, (4, 3)),
    "einsum": Case(
        BatchEnsembleEinsumDense,
        {"equation": "ab,bc->ac", "output_shape": 4, "bias_axes": "c"},
        (4, 3),
    ),
    "conv2d": Case(
        BatchEnsembleConv2D, {"filters": 4, "kernel_size": 2}, (4, 3, 3, 2)
    ),
    "embedding": Case(
        BatchEnsembleEmbedding,
        {"input_dim": 5, "output_dim": 4},
        (4, 3),
        "embeddings",
    ),
}
each_layer = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def to_numpy(x):
    return ops.convert_to_numpy(x)


def randomize(layer, seed=0):
    generator = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(generator.normal(size=weight.shape))
    return layer


def built(case, **arguments):
    layer = case.make(**arguments)
    layer.build(case.input_shape)
    return layer


def functional(case, layer):
    x = case.inputs()
    inputs = keras.Input(x.shape[1:], dtype=str(x.dtype))
    return keras.Model(inputs, layer(inputs))


@each_layer
def test_from_layer_starts_equal_and_leaves_the_stock_layer(case):
    stock = case.make_stock(trainable=False, name="stock")
    config, weights = stock.get_config(), stock.get_weights()
    layer = case.layer_class.from_layer(stock, ensemble_size=2)
    np.testing.assert_allclose(
        to_numpy(layer(case.inputs())),
        to_numpy(stock(case.inputs())),
        rtol=1e-5,
        atol=1e-6,
    )
    assert layer.name == "stock" and not layer.trainable
    randomize(layer)
    assert type(stock) is case.layer_class.stock_class
    assert stock.get_config() == config
    for old, new in zip(weights, stock.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@each_layer
def test_from_layer_merges_lora(case):
    stock = case.make_stock()
    plain = to_numpy(stock(case.inputs()))
    stock.enable_lora(2)
    randomize(stock)
    expected = to_numpy(stock(case.inputs()))
    assert np.abs(expected - plain).max() > 1e-3
    layer = case.layer_class.from_layer(stock, ensemble_size=2)
    assert not layer.lora_enabled
    assert layer.shared_variable().trainable
    np.testing.assert_allclose(
        to_numpy(layer(case.inputs())), expected, rtol=1e-4, atol=1e-5
    )
    assert stock.lora_enabled


@each_layer
def test_a_stock_layer_becomes_one_in_place(case):
    stock = case.make_stock()
    model = functional(case, stock)
    before = model.predict(case.inputs(), verbose=0)
    shared = getattr(stock, case.shared)
    template = case.layer_class.from_config(
        {
            **stock.get_config(),
            "ensemble_size": 2,
            "fast_weight_initializer": "ones",
        }
    )
    upgrade_layer(stock, template)
    assert type(stock) is case.layer_class
    assert stock.shared_variable() is shared
    np.testing.assert_allclose(
        to_numpy(model(case.inputs())), before, rtol=1e-5, atol=1e-6
    )
    # With other weights it equals a new layer that has the same.
    randomize(stock, seed=7)
    layer = built(case)
    layer.set_weights(stock.get_weights())
    np.testing.assert_allclose(
        to_numpy(model(case.inputs())),
        to_numpy(layer(case.inputs())),
        rtol=1e-5,
        atol=1e-6,
    )


@each_layer
def test_a_store_holds_the_stock_keys_and_the_members(case):
    store = {}
    built(case).save_own_variables(store)
    stock = {}
    case.make_stock().save_own_variables(stock)
    members = {"alpha", "gamma"} | ({"member_bias"} if "1" in stock else set())
    assert set(store) == set(stock) | members


@each_layer
def test_a_store_restores_every_weight(case):
    one, two = randomize(built(case)), built(case)
    store = {}
    one.save_own_variables(store)
    two.load_own_variables(store)
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))


@each_layer
def test_a_stock_store_leaves_the_members_as_they_are(case):
    layer, stock, store = built(case), case.make_stock(), {}
    alpha = to_numpy(layer.alpha).copy()
    stock.save_own_variables(store)
    layer.load_own_variables(store)
    found = [to_numpy(weight) for weight in layer.weights]
    for i, weight in enumerate(stock.weights):
        np.testing.assert_array_equal(found[i], to_numpy(weight))
    np.testing.assert_array_equal(to_numpy(layer.alpha), alpha)


@each_layer
def test_regularizers_and_constraints_are_those_of_the_stock_layer(case):
    layer = built(
        case,
        **{
            f"{case.shared}_regularizer": "l2",
            f"{case.shared}_constraint": "non_neg",
        },
    )
    # L2 with the factor 0.01 of the shared weight alone.
    shared = to_numpy(layer.shared_variable())
    np.testing.assert_allclose(
        to_numpy(layer.losses[0]), 0.01 * (shared**2).sum(), 1e-5
    )
    assert len(layer.losses) == 1
    assert layer.shared_variable().constraint is not None


@each_layer
def test_lora_adds_one_update_for_all_members(case):
    layer = randomize(built(case))
    plain = layer.shared_variable()
    weights = len(layer.trainable_weights)
    layer.enable_lora(2, lora_alpha=4)
    assert not layer.shared_variable().trainable
    assert len(layer.trainable_weights) == weights - 1 + 2
    randomize(layer)
    a = to_numpy(getattr(layer, f"lora_{case.shared}_a"))
    b = to_numpy(getattr(layer, f"lora_{case.shared}_b"))
    merged = built(case)
    merged.set_weights(
        [to_numpy(plain) + 4 / 2 * a @ b]
        + [to_numpy(w) for w in layer.weights if "lora" not in w.name][1:]
    )
    np.testing.assert_allclose(
        to_numpy(layer(case.inputs())),
        to_numpy(merged(case.inputs())),
        rtol=1e-4,
        atol=1e-5,
    )


@each_layer
def test_a_file_with_lora_restores_the_same_outputs(case, tmp_path):
    layer = case.make(lora_rank=2, lora_alpha=4)
    model = functional(case, layer)
    assert layer.lora_enabled and layer.lora_alpha == 4
    randomize(layer)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        to_numpy(loaded(case.inputs())),
        to_numpy(model(case.inputs())),
        rtol=1e-5,
        atol=1e-6,
    )


class Variables(keras.layers.Layer):
    """Adds a trainable weight to its inputs, which gives them a gradient."""

    def __init__(self, values):
        super().__init__()
        self.values = self.add_weight(
            shape=values.shape, initializer="zeros", name="inputs"
        )
        self.values.assign(values)

    def call(self, inputs):
        return inputs + self.values


def square(x):
    return x * x


@each_layer
def test_gradients_are_the_finite_differences_in_float64(case):
    if keras.config.backend() == "torch" and case is CASES["dense"]:
        pytest.skip("Keras multiplies float64 matrices in float32 there.")
    keras.config.set_floatx("float64")
    embeds = case.shared == "embeddings"
    x = case.inputs("float64")
    layer = randomize(built(case, **({} if embeds else {"activation": square})))
    if embeds:
        model = keras.Sequential([layer])
    else:
        model, x = keras.Sequential([Variables(x), layer]), np.zeros_like(x)
    cotangent = np.random.default_rng(5).normal(size=to_numpy(model(x)).shape)

    def loss():
        return (to_numpy(model(x)) * cotangent).sum()

    # One step of SGD with learning rate 1 subtracts the gradient.
    # Eager: compiled, TensorFlow may update a kernel before it is read.
    model.compile(
        keras.optimizers.SGD(1.0),
        lambda y, outputs: ops.sum(y * outputs),
        run_eagerly=True,
    )
    weights = model.trainable_weights
    before = [to_numpy(weight).copy() for weight in weights]
    model.train_on_batch(x, cotangent)
    after = [to_numpy(weight).copy() for weight in weights]
    for weight, values in zip(weights, before, strict=True):
        weight.assign(values)
    step = 1e-5
    for weight, old, new in zip(weights, before, after, strict=True):
        for index in np.ndindex(old.shape):
            sides = []
            for sign in (1.0, -1.0):
                values = old.copy()
                values[index] += sign * step
                weight.assign(values)
                sides.append(loss())
            weight.assign(old)
            slope = (sides[0] - sides[1]) / (2 * step)
            gradient = (old - new)[index]
            assert abs(gradient - slope) < 1e-7, (weight.name, index)


def quantizing(layer):
    """Both ways: the second also asks Keras not to look at the class."""
    return [
        lambda: layer.quantize("int8"),
        lambda: layer.quantize("int8", type_check=False),
    ]


@each_layer
def test_it_refuses_to_be_quantized(case):
    layer = built(case)
    upgraded = case.make_stock()
    upgrade_layer(upgraded, case.make())
    for quantize in quantizing(layer) + quantizing(upgraded):
        with pytest.raises(NotImplementedError) as error:
            quantize()
        message = str(error.value)
        assert f"A {case.layer_class.__name__} cannot be quantized" in message
    assert upgraded.quantization_mode is layer.quantization_mode is None


@each_layer
def test_it_refuses_a_quantized_dtype(case):
    layer = case.make(dtype="int8_from_float32")
    with pytest.raises(NotImplementedError, match="cannot be quantized"):
        layer.build(case.input_shape)


@pytest.mark.parametrize("in_place", [False, True])
def test_a_model_quantizes_the_other_layers_with_a_warning(in_place):
    inputs = keras.Input((3,))
    members = keras.layers.Dense(4) if in_place else BatchEnsembleDense(4, 2)
    other = keras.layers.Dense(2)
    model = keras.Model(inputs, other(members(inputs)))
    if in_place:
        upgrade_layer(members, BatchEnsembleDense(4, 2))
    with pytest.warns(UserWarning) as warnings:
        model.quantize("int8", filters="dense|batch")
    assert "A BatchEnsembleDense cannot be" in str(warnings[0].message)
    assert other.quantization_mode == "int8"
    assert members.quantization_mode is None
    assert np.isfinite(to_numpy(model(np.ones((2, 3), "float32")))).all()


@each_layer
def test_only_alpha_and_gamma_are_marked_as_fast_weights(case):
    upgraded = case.make_stock()
    upgrade_layer(upgraded, case.make())
    for layer in (built(case), upgraded):
        marked = [
            w.name for w in layer.weights if getattr(w, "is_fast_weight", False)
        ]
        assert marked == ["alpha", "gamma"]


@pytest.mark.parametrize(
    "initializer",
    [
        "random_sign",
        RandomSign(),
        RandomSign(seed=keras.random.SeedGenerator(3)),
        keras.initializers.RandomNormal(1.0, 0.5),
    ],
    ids=["name", "object", "generator", "normal"],
)
def test_layers_with_one_initializer_draw_different_weights(initializer):
    draws = []
    for _ in range(2):
        layer = BatchEnsembleDense(64, 2, initializer)
        layer.build((None, 64))
        draws += [to_numpy(layer.alpha), to_numpy(layer.gamma)]
    for i, one in enumerate(draws):
        assert all((one != other).any() for other in draws[i + 1 :])
        assert (one[0] != one[1]).any()


def test_a_seeded_initializer_repeats_as_in_keras():
    layers = [BatchEnsembleDense(4, 2, RandomSign(seed=3)) for _ in range(2)]
    for layer in layers:
        layer.build((None, 4))
    one, two = (to_numpy(layer.alpha) for layer in layers)
    np.testing.assert_array_equal(one, two)


def test_reseeded_draws_again_from_the_same_distribution():
    first = keras.initializers.RandomNormal(1.0, 0.5, seed=3)
    second = reseeded(first)
    assert (second.mean, second.stddev) == (1.0, 0.5)
    one, two = to_numpy(first((4,))), to_numpy(second((4,)))
    assert np.abs(one - two).max() > 0.1
    np.testing.assert_array_equal(two, to_numpy(reseeded(first)((4,))))


@pytest.mark.parametrize(
    "initializer",
    [
        keras.initializers.Ones(),
        keras.initializers.RandomNormal(seed=keras.random.SeedGenerator(1)),
        lambda shape, dtype=None: ops.ones(shape, dtype),
    ],
    ids=["ones", "generator", "function"],
)
def test_what_has_no_fixed_seed_stays_as_it_is(initializer):
    assert reseeded(initializer) is initializer
    assert with_own_seed(initializer) is initializer
