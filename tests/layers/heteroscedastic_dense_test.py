"""A heteroscedastic dense layer averages its noisy forecasts, and learns."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion.surgery import upgrade_layer
from keras_plex.layers import HeteroscedasticDense
from keras_plex.ops.normal_draws import draw_key
from keras_plex.ops.normal_draws import normal_draws

UNITS, DIM, SAMPLES = 4, 3, 24


def normal(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def np64(x):
    return ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")


def make(**arguments):
    """A layer whose weights are all random, the same each time."""
    arguments = {
        "units": UNITS,
        "num_samples": SAMPLES,
        "num_training_samples": SAMPLES,
        "seed": 5,
        **arguments,
    }
    layer = HeteroscedasticDense(**arguments)
    layer.build((None, DIM))
    for i, weight in enumerate(layer.weights):
        weight.assign(normal(weight.shape, seed=100 + i))
    return layer


def values_of(layer):
    return {weight.name: np64(weight) for weight in layer.weights}


def softmax(u):
    e = np.exp(u - u.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def reference(layer, x, values=None, seed=5):
    """The forecast's logits in float64, a sample after another."""
    w, x = values or values_of(layer), np.float64(x)
    units, factors = layer.units, layer.num_factors
    width = (1 if layer.shared_noise else units) + factors
    draws = np64(normal_draws(draw_key(seed), np.arange(SAMPLES), width))
    mean = x @ w["kernel"] + w.get("bias", 0.0)
    stddev = np.log1p(np.exp(x @ w["stddev_kernel"] + w["stddev_bias"])) + 1e-3
    temperature = layer.temperature
    if isinstance(temperature, tuple):
        low, high = temperature
        temperature = low + (high - low) * sigmoid(w["raw_temperature"])
    forecasts = []
    for own, low_rank in zip(
        draws[:, : width - factors], draws[:, width - factors :], strict=True
    ):
        u = mean + stddev * own
        if layer.parameter_efficient:
            scale = x @ w["scale_kernel"] + w["scale_bias"]
            u = u + scale * (low_rank @ w["loadings"])
        elif factors:
            v = (x @ w["factor_kernel"]).reshape(*x.shape[:-1], factors, units)
            u = u + np.einsum("r,...rk->...k", low_rank, v + w["factor_bias"])
        link = softmax if layer.link == "softmax" else sigmoid
        forecasts.append(link(u / temperature))
    p = np.mean(forecasts, axis=0)
    if layer.link == "softmax":
        return np.log(p)
    return np.log(p) - np.log(1 - p)


VARIANTS = {
    "diagonal": {},
    "one draw for all": {"shared_noise": True, "use_bias": False},
    "factors": {"num_factors": 2, "temperature": 2.0},
    "as many factors as classes": {"num_factors": UNITS},
    "parameter-efficient": {"num_factors": 3, "parameter_efficient": True},
    "learned temperature": {"num_factors": 1, "temperature": (0.3, 3.0)},
    "sigmoid": {"link": "sigmoid", "num_factors": 2, "temperature": 0.5},
    "one sigmoid": {"link": "sigmoid", "units": 1},
}


@pytest.mark.parametrize("shape", [(5, DIM), (2, 3, DIM)])
@pytest.mark.parametrize("name", VARIANTS)
def test_the_forecast_is_the_mean_over_samples(name, shape):
    layer, x = make(**VARIANTS[name]), normal(shape)
    expected = reference(layer, x)
    assert expected.shape == (*shape[:-1], layer.units)
    np.testing.assert_allclose(np64(layer(x)), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_are_finite_differences_with_the_noise_held(name):
    layer, x = make(**VARIANTS[name]), normal((5, DIM))
    upstream = normal((5, layer.units), seed=1)
    model = keras.Sequential([keras.Input((DIM,)), layer])
    loss = lambda y, p: ops.sum(y * p)  # noqa: E731
    # Eager: compiled, TensorFlow may update a kernel before it is read.
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
    values = values_of(layer)
    model.train_on_batch(x, upstream)
    moved = values_of(layer)
    step = 1e-6
    for name, value in values.items():
        for index in np.ndindex(value.shape):
            sides = []
            for sign in (1, -1):
                changed = {**values, name: value.copy()}
                changed[name][index] += sign * step
                # The first draw of a SeedGenerator is that of its seed.
                sides.append((reference(layer, x, changed) * upstream).sum())
            slope = (sides[0] - sides[1]) / (2 * step)
            found = value[index] - moved[name][index]
            assert abs(found - slope) < 1e-4 * max(1, abs(slope)), (name, index)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_without_noise_it_is_the_dense_layer_over_the_temperature(temperature):
    layer, x = make(num_factors=2, temperature=temperature), normal((5, DIM))
    for weight in layer.weights:
        if weight.name not in ("kernel", "bias"):
            weight.assign(ops.zeros(weight.shape))
    layer.stddev_bias.assign(ops.full((UNITS,), -50.0))
    w = values_of(layer)
    expected = np.log(softmax((x @ w["kernel"] + w["bias"]) / temperature))
    np.testing.assert_allclose(np64(layer(x)), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["diagonal", "factors", "parameter-efficient"])
def test_the_predictive_variance_is_that_of_the_utilities(name):
    layer, x = make(**VARIANTS[name]), normal((5, DIM))
    w, x64 = values_of(layer), np.float64(x)
    raw = x64 @ w["stddev_kernel"] + w["stddev_bias"]
    expected = (np.log1p(np.exp(raw)) + 1e-3) ** 2
    if name == "factors":
        v = (x64 @ w["factor_kernel"]).reshape(5, 2, UNITS) + w["factor_bias"]
        expected = expected + np.square(v).sum(1)
    if name == "parameter-efficient":
        v = x64 @ w["scale_kernel"] + w["scale_bias"]
        expected = expected + np.square(v) * np.square(w["loadings"]).sum(0)
    found = np64(layer.predictive_variance(x))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_factor_lifts_its_classes_together():
    # Classes 0 and 1 share a factor of 5, and class 3 is impossible: class 2
    # has the mean of 1 / (1 + 2 exp(5 e)); were they independent, of less.
    layer = make(num_factors=1, num_samples=4096)
    for weight in layer.weights:
        weight.assign(ops.zeros(weight.shape))
    layer.stddev_bias.assign(ops.full((UNITS,), -50.0))
    layer.bias.assign([0.0, 0.0, 0.0, -500.0])
    layer.factor_bias.assign([[5.0, 5.0, 0.0, 0.0]])
    e = np.linspace(-8, 8, 4001)
    density = np.exp(-(e**2) / 2) / np.sqrt(2 * np.pi)
    expected = np.trapezoid(density / (1 + 2 * np.exp(5 * e)), e)
    p = np.exp(np64(layer(np.zeros((1, DIM), "float32"))))[0]
    shares = [(1 - expected) / 2, (1 - expected) / 2, expected, 0.0]
    np.testing.assert_allclose(p, shares, atol=0.01)


# Where it starts.


@pytest.mark.parametrize("activation", [None, "softmax"])
@pytest.mark.parametrize("parameter_efficient", [False, True])
def test_it_starts_near_the_dense_layer(activation, parameter_efficient):
    dense = keras.layers.Dense(10, activation)
    dense.build((None, 64))
    dense.kernel.assign(normal((64, 10), 1) * 0.3)
    layer = HeteroscedasticDense.from_layer(
        dense,
        num_factors=5,
        parameter_efficient=parameter_efficient,
        seed=0,
    )
    x = normal((200, 64))
    before, after = np64(dense(x)), np64(layer(x))
    if activation is None:
        before, after = softmax(before), softmax(after)
    np.testing.assert_allclose(after.sum(-1), 1.0, atol=1e-5)
    assert 0.0 < np.abs(after - before).max() < 0.02
    agree = before.argmax(-1) == after.argmax(-1)
    assert agree.mean() >= 0.99


@pytest.mark.parametrize("parameter_efficient", [False, True])
def test_the_noise_starts_the_same_for_inputs_of_any_scale(parameter_efficient):
    layer = HeteroscedasticDense(
        50, num_factors=10, parameter_efficient=parameter_efficient, seed=0
    )
    layer.build((None, DIM))
    variance = np64(layer.predictive_variance(1000 * normal((7, DIM))))
    np.testing.assert_allclose(
        variance, variance[:1] * np.ones((7, 1)), rtol=1e-6
    )
    # 0.3^2 of the independent noise, 0.1^2 of the factors.
    assert abs(variance.mean() - 0.10) < 0.005


@pytest.mark.parametrize("parameter_efficient", [False, True])
def test_all_of_the_noise_has_a_gradient_at_the_start(parameter_efficient):
    layer = HeteroscedasticDense(
        3,
        num_factors=2,
        parameter_efficient=parameter_efficient,
        temperature=(0.5, 2.0),
        seed=0,
    )
    model = keras.Sequential([keras.Input((DIM,)), layer])
    before = values_of(layer)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1.0), loss)
    model.train_on_batch(normal((20, DIM)), np.arange(20) % 3)
    for name, value in values_of(layer).items():
        assert np.abs(value - before[name]).max() > 1e-6, name


def test_a_temperature_that_is_learned_starts_at_1_and_stays_within_bounds():
    layer = make(temperature=(0.5, 4.0))
    for raw, expected in ((-100.0, 0.5), (100.0, 4.0)):
        layer.raw_temperature.assign(raw)
        assert np.isclose(np64(layer.current_temperature()), expected)
    for bounds, expected in (((0.5, 4.0), 1.0), ([2.0, 4.0], 3.0)):
        layer = HeteroscedasticDense(3, temperature=bounds)
        layer.build((None, DIM))
        assert np.isclose(np64(layer.current_temperature()), expected)


def test_its_weights_are_as_many_as_promised():
    def count(**arguments):
        layer = HeteroscedasticDense(7, **arguments)
        layer.build((None, 5))
        return layer.count_params()

    dense = 7 * (5 + 1)
    assert count() == 2 * dense
    assert count(temperature=(0.5, 2.0)) == 2 * dense + 1
    assert count(num_factors=3) == (2 + 3) * dense
    efficient = count(num_factors=3, parameter_efficient=True)
    assert efficient == 2 * dense + 7 * (3 + 5 + 1)


# Randomness.


def test_inference_repeats_and_does_not_depend_on_the_batch():
    layer, x = make(num_factors=2), normal((7, DIM))
    whole = np64(layer(x))
    layer(x, training=True)
    np.testing.assert_array_equal(np64(layer(x)), whole)
    alone = np.concatenate([np64(layer(row[None])) for row in x])
    np.testing.assert_allclose(alone, whole, atol=1e-5)


def test_training_draws_new_noise_at_each_call():
    layer, x = make(), normal((7, DIM))
    one, two = (np64(layer(x, training=True)) for _ in range(2))
    assert np.abs(one - two).max() > 1e-3
    np.testing.assert_array_equal(np64(make()(x, training=True)), one)


def test_layers_without_a_seed_forecast_with_the_same_noise():
    one, two = make(seed=None), make(seed=None)
    x = normal((7, DIM))
    np.testing.assert_array_equal(np64(one(x)), np64(two(x)))
    noise = [np64(layer(x, training=True)) for layer in (one, two)]
    assert np.abs(noise[0] - noise[1]).max() > 1e-3


def model_of(layer):
    return keras.Sequential([keras.Input((DIM,)), layer])


@pytest.mark.parametrize("seed", [5, None])
@pytest.mark.parametrize("name", ["factors", "parameter-efficient"])
def test_a_file_restores_it_bit_for_bit(tmp_path, name, seed):
    model = model_of(make(**VARIANTS[name], seed=seed))
    x = normal((7, DIM))
    model(x, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np64(model(x)), np64(loaded(x)))
    for a, b in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(np64(a), np64(b))


@pytest.mark.parametrize("num_samples", [24, 20_000])
def test_compiled_and_plain_forecasts_agree(num_samples):
    model, x = (
        model_of(make(num_factors=2, num_samples=num_samples)),
        normal((7, DIM)),
    )
    expected = np64(model(x))
    for jit_compile in (False, keras.config.backend() != "torch"):
        model.compile(jit_compile=jit_compile)
        found = model.predict(x, verbose=0)
        np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="exports by TensorFlow"
)
@pytest.mark.parametrize("num_samples", [24, 20_000])
def test_an_export_gives_the_same_forecasts(tmp_path, num_samples):
    import tensorflow as tf

    model = model_of(make(num_factors=2, num_samples=num_samples))
    model.export(tmp_path / "1", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "1"))
    for batch in (1, 7):
        x = normal((batch, DIM))
        np.testing.assert_allclose(
            served.serve(x).numpy(), np64(model(x)), atol=2e-5
        )


# As a layer of Keras, in place of a Dense.


def test_from_layer_takes_over_what_the_dense_layer_has():
    dense = keras.layers.Dense(
        UNITS, use_bias=False, name="head", dtype="mixed_bfloat16"
    )
    dense.build((None, DIM))
    dense.trainable = False
    dense.enable_lora(2)
    dense.lora_kernel_b.assign(normal((2, UNITS)))
    layer = HeteroscedasticDense.from_layer(dense, num_factors=2)
    assert layer.name == "head" and not layer.trainable
    assert layer.bias is None and layer.dtype_policy == dense.dtype_policy
    np.testing.assert_allclose(
        np64(layer.kernel), np64(dense.kernel), atol=0.02
    )
    layer.kernel.assign(layer.kernel + 1.0)
    assert np.abs(np64(layer.kernel) - np64(dense.kernel)).min() > 0.9


def test_a_built_dense_layer_can_become_one_in_place():
    dense = keras.layers.Dense(UNITS, bias_initializer="ones")
    model, x = model_of(dense), normal((7, DIM))
    kernel = dense.kernel
    expected = HeteroscedasticDense.from_layer(dense, num_factors=2, seed=1)
    template = HeteroscedasticDense(UNITS, num_factors=2, seed=1)
    upgrade_layer(dense, template, input_dim=DIM)
    assert type(dense) is HeteroscedasticDense and dense.kernel is kernel
    np.testing.assert_array_equal(np64(model(x)), np64(expected(x)))
    np.testing.assert_array_equal(
        np64(model(x, training=True)), np64(expected(x, training=True))
    )


def test_the_variables_of_a_dense_layer_load():
    stock, layer, store = keras.layers.Dense(UNITS), make(), {}
    stock.build((None, DIM))
    stock.save_own_variables(store)
    noise = np64(layer.stddev_kernel)
    layer.load_own_variables(store)
    np.testing.assert_array_equal(np64(layer.kernel), np64(stock.kernel))
    np.testing.assert_array_equal(np64(layer.bias), np64(stock.bias))
    np.testing.assert_array_equal(np64(layer.stddev_kernel), noise)


def test_lora_is_merged_into_the_file(tmp_path):
    model, x = model_of(make(num_factors=2)), normal((7, DIM))
    layer = model.layers[-1]
    layer.enable_lora(2)
    layer.lora_kernel_b.assign(normal((2, UNITS)))
    expected = np64(model(x))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(np64(loaded(x)), expected, atol=1e-5)


def test_mixed_precision_rounds_only_the_products():
    x = normal((50, DIM))
    plain, mixed = (
        make(num_factors=2),
        make(num_factors=2, dtype="mixed_bfloat16"),
    )
    found = mixed(x)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    variance = mixed.predictive_variance(x)
    assert keras.backend.standardize_dtype(variance.dtype) == "float32"
    np.testing.assert_allclose(
        np.exp(np64(found)), np.exp(np64(plain(x))), atol=0.03
    )


def test_the_activation_makes_probabilities_of_the_logits():
    x = normal((7, DIM))
    logits, probabilities = make(), make(activation="softmax")
    np.testing.assert_allclose(
        np64(probabilities(x)), np.exp(np64(logits(x))), atol=1e-6
    )
    logits, probabilities = (
        make(link="sigmoid", activation=activation)
        for activation in (None, "sigmoid")
    )
    np.testing.assert_allclose(
        np64(probabilities(x)), sigmoid(np64(logits(x))), atol=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("num_factors", [0, 2])
def test_it_learns_which_labels_are_noisy(num_factors):
    # The labels of half of the inputs follow noisy utilities, the others not.
    generator = np.random.default_rng(0)
    x = generator.normal(size=(4000, 8)).astype("float32")
    is_noisy = x[:, 0] > 0
    utilities = 2 * x @ generator.normal(size=(8, 4))
    noise = generator.normal(size=utilities.shape)
    utilities = utilities + np.where(is_noisy, 6.0, 0.05)[:, None] * noise
    y = utilities.argmax(1)

    def fit(layer):
        model = keras.Sequential([keras.Input((8,)), layer])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.03), loss)
        model.fit(x[:3000], y[:3000], batch_size=100, epochs=15, verbose=0)
        return model.evaluate(x[3000:], y[3000:], verbose=0)

    layer = HeteroscedasticDense(4, num_factors=num_factors, seed=0)
    stock, found = fit(keras.layers.Dense(4)), fit(layer)
    assert found < stock - 0.02
    stddev = np.sqrt(np64(layer.predictive_variance(x)).mean(1))
    assert stddev[is_noisy].mean() > 1.5 * stddev[~is_noisy].mean()


def test_it_refuses_to_be_quantized():
    with pytest.raises(NotImplementedError, match="cannot be quantized"):
        make().quantize("int8")
    layer = HeteroscedasticDense(3, dtype="int8_from_float32")
    with pytest.raises(NotImplementedError, match="cannot be quantized"):
        layer.build((None, DIM))


def test_from_layer_refuses_another_layer():
    with pytest.raises(ValueError, match="takes over a `keras.layers.Dense`"):
        HeteroscedasticDense.from_layer(keras.layers.Conv2D(3, 3))


def test_an_unbuilt_layer_has_no_variance_and_says_so():
    with pytest.raises(ValueError, match="is not built"):
        HeteroscedasticDense(3).predictive_variance(normal((2, DIM)))
