"""A heteroscedastic GP adds the variance of the GP to the learned noise."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion.surgery import move_kernel
from keras_plex.conversion.surgery import upgrade_layer
from keras_plex.layers import HeteroscedasticDense
from keras_plex.layers import HeteroscedasticGP
from keras_plex.layers import RandomFeatureGP
from keras_plex.ops.normal_draws import draw_key
from keras_plex.ops.normal_draws import normal_draws

UNITS, DIM, SAMPLES = 3, 4, 24


def normal(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def np64(x):
    return ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")


def make(**arguments):
    """A layer whose trained weights are all random, the same each time."""
    arguments = {
        "units": UNITS,
        "num_features": 32,
        "num_samples": SAMPLES,
        "num_training_samples": SAMPLES,
        "seed": 5,
        **arguments,
    }
    layer = HeteroscedasticGP(**arguments)
    layer.build((None, DIM))
    for i, weight in enumerate(layer.trainable_weights):
        weight.assign(normal(weight.shape, seed=100 + i))
    return layer


def fitted(**arguments):
    layer = make(**arguments)
    layer.observe(normal((50, DIM), seed=9))
    layer.update_covariance()
    return layer


def softmax(u):
    e = np.exp(u - u.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def average(layer, mean, variance):
    """The forecast of independent utilities, with the layer's draws."""
    draws = normal_draws(draw_key(5), np.arange(SAMPLES), layer.units)
    u = mean[:, None] + np.sqrt(variance)[:, None] * np64(draws)
    if layer.link == "softmax":
        return np.log(softmax(u / layer.temperature).mean(1))
    p = sigmoid(u / layer.temperature).mean(1)
    return np.log(p) - np.log(1 - p)


CASES = {
    "softmax": {"mean_field_factor": 3.0, "het_weight": 0.5},
    "softmax, a covariance for each class": {"likelihood": "softmax"},
    "sigmoid": {"link": "sigmoid", "temperature": 2.0},
    "one sigmoid": {
        "units": 1,
        "link": "sigmoid",
        "likelihood": "binary_logistic",
    },
    "the GP alone": {"het_weight": 0.0},
    "the noise alone": {"mean_field_factor": 0.0},
}


@pytest.mark.parametrize("name", CASES)
def test_inference_adds_the_two_variances(name):
    layer, x = fitted(**CASES[name]), normal((6, DIM))
    learned = np64(layer.stddev(x)) ** 2
    of_gp = np64(layer.variance(x))
    if of_gp.ndim == 1:
        of_gp = of_gp[:, None]
    assert of_gp.min() > 1e-3
    total = layer.het_weight * learned + layer.mean_field_factor * of_gp
    expected = average(layer, np64(layer.mean_logits(x)), total)
    np.testing.assert_allclose(np64(layer(x)), expected, atol=2e-5)
    found = np64(layer.predictive_variance(x))
    np.testing.assert_allclose(found, total, rtol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_training_uses_the_learned_noise_alone(name):
    layer, x = fitted(**CASES[name]), normal((6, DIM))
    learned = np64(layer.stddev(x)) ** 2
    expected = average(layer, np64(layer.mean_logits(x)), learned)
    # The first draw of a SeedGenerator is that of its seed.
    found = np64(layer(x, training=True))
    np.testing.assert_allclose(found, expected, atol=2e-5)


GRADIENT_CASES = {
    "softmax, factors, a linear mean": {
        "num_factors": 2,
        "mean_function": "linear",
        "temperature": 2.0,
    },
    "softmax, parameter-efficient": {
        "num_factors": 2,
        "parameter_efficient": True,
        "temperature": (0.5, 2.0),
    },
    "sigmoid": {"link": "sigmoid", "num_factors": 1},
}


def training_reference(layer, x, weights):
    """The forecast's logits in training, in float64."""
    w, x = weights, np.float64(x)
    factors = layer.num_factors
    draws = normal_draws(draw_key(5), np.arange(SAMPLES), UNITS + factors)
    own, low_rank = np.split(np64(draws), [UNITS], axis=-1)
    phi = np64(layer.covariance_features(x.astype("float32")))
    mean = phi @ w["residual_kernel"] + w.get("bias", 0.0)
    if "mean_kernel" in w:
        mean = mean + x @ w["mean_kernel"]
    stddev = np.log1p(np.exp(x @ w["stddev_kernel"] + w["stddev_bias"])) + 1e-3
    u = mean[:, None] + stddev[:, None] * own  # (batch, samples, units)
    if layer.parameter_efficient:
        scale = x @ w["scale_kernel"] + w["scale_bias"]
        u = u + scale[:, None] * (low_rank @ w["loadings"])
    else:
        v = (x @ w["factor_kernel"]).reshape(len(x), factors, UNITS)
        u = u + np.einsum("sr,brk->bsk", low_rank, v + w["factor_bias"])
    temperature = layer.temperature
    if isinstance(temperature, tuple):
        low, high = temperature
        temperature = low + (high - low) * sigmoid(w["raw_temperature"])
    if layer.link == "softmax":
        return np.log(softmax(u / temperature).mean(1))
    p = sigmoid(u / temperature).mean(1)
    return np.log(p) - np.log(1 - p)


@pytest.mark.parametrize("name", GRADIENT_CASES)
def test_gradients_are_finite_differences_with_the_noise_held(name):
    layer, x = make(**GRADIENT_CASES[name]), normal((5, DIM))
    upstream = normal((5, UNITS), seed=1)
    model = keras.Sequential([keras.Input((DIM,)), layer])
    loss = lambda y, p: ops.sum(y * p)  # noqa: E731
    # Eager: compiled, TensorFlow may update a kernel before it is read.
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)

    def values_of():
        return {w.name: np64(w) for w in layer.trainable_weights}

    values = values_of()
    model.train_on_batch(x, upstream)
    moved, step = values_of(), 1e-6
    for weight, value in values.items():
        assert np.abs(moved[weight] - value).max() > 0, weight
        for index in np.ndindex(value.shape):
            sides = []
            for sign in (1, -1):
                changed = {**values, weight: value.copy()}
                changed[weight][index] += sign * step
                # The first draw of a SeedGenerator is that of its seed.
                logits = training_reference(layer, x, changed)
                sides.append((logits * upstream).sum())
            slope = (sides[0] - sides[1]) / (2 * step)
            found = value[index] - moved[weight][index]
            assert abs(found - slope) < 1e-4 * max(1, abs(slope)), (
                weight,
                index,
            )


def test_before_data_the_variance_of_the_gp_does_not_count():
    layer, x = make(), normal((6, DIM))
    learned = np64(layer.stddev(x)) ** 2
    expected = average(layer, np64(layer.mean_logits(x)), learned)
    np.testing.assert_allclose(np64(layer(x)), expected, atol=2e-5)
    # Training rows do not count before `update_covariance`.
    layer(x, training=True)
    np.testing.assert_allclose(np64(layer(x)), expected, atol=2e-5)
    layer.update_covariance()
    assert np.abs(np64(layer(x)) - expected).max() > 1e-3


def test_training_rows_join_the_covariance_as_in_a_gp():
    layer, x = make(), normal((20, DIM))
    plain = RandomFeatureGP(UNITS, num_features=32, seed=5)
    plain.build((None, DIM))
    for one in (layer, plain):
        one(x, training=True)
        one.update_covariance()
    test = normal((6, DIM), seed=1)
    np.testing.assert_allclose(
        np64(layer.variance(test)), np64(plain.variance(test)), rtol=1e-5
    )


def test_a_mask_keeps_rows_out_of_the_covariance():
    layer, x = make(), normal((2, 3, DIM))
    mask = np.array([[True, True, False], [True, False, False]])
    layer(x, training=True, mask=ops.convert_to_tensor(mask))
    other = make()
    other(x[mask], training=True)
    np.testing.assert_allclose(
        np64(layer.covariance.precision),
        np64(other.covariance.precision),
        atol=1e-5,
    )


def test_far_from_the_data_the_forecast_turns_flat():
    # Without noise to learn, what is left is the distance.
    layer = make(
        num_features=256, normalize_input=False, mean_field_factor=30.0
    )
    layer.stddev_kernel.assign(ops.zeros((DIM, UNITS)))
    layer.observe(0.2 * normal((300, DIM), seed=9))
    layer.update_covariance()
    near, far = 0.2 * normal((100, DIM), 1), 4 * normal((100, DIM), 1)
    mean = np.array([[4.0, 0.0, 0.0]])
    for x, is_flat in ((near, False), (far, True)):
        variance = np64(layer.predictive_variance(x))
        p = np.exp(average(layer, mean, variance))[:, 0].mean()
        assert (p < 0.8) == is_flat


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_a_linear_mean_starts_near_the_dense_layer(activation):
    dense = keras.layers.Dense(10, activation, name="head")
    dense.build((None, 64))
    dense.kernel.assign(normal((64, 10), 1) * 0.3)
    layer = HeteroscedasticGP.from_layer(
        dense, num_features=32, num_factors=5, seed=0
    )
    x = normal((200, 64))
    before, after = np64(dense(x)), np64(layer(x))
    if activation is None:
        before, after = softmax(before), softmax(after)
    assert 0.0 < np.abs(after - before).max() < 0.02
    assert layer.name == "head"


def test_a_built_dense_layer_can_become_one_in_place():
    dense = keras.layers.Dense(UNITS, bias_initializer="ones")
    model = keras.Sequential([keras.Input((DIM,)), dense])
    arguments = {
        "num_features": 32,
        "num_factors": 2,
        "mean_function": "linear",
        "seed": 1,
    }
    expected = HeteroscedasticGP.from_layer(dense, **arguments)
    template = HeteroscedasticGP(UNITS, **arguments)
    move_kernel(dense, "mean_kernel")
    upgrade_layer(dense, template, input_dim=DIM)
    x = normal((6, DIM))
    np.testing.assert_array_equal(np64(model(x)), np64(expected(x)))
    np.testing.assert_array_equal(
        np64(model(x, training=True)), np64(expected(x, training=True))
    )


def test_its_noise_is_that_of_the_dense_layer():
    # The same weights, no residual, no data: the same forecast.
    layer = make(mean_function="linear", num_factors=2, temperature=2.0)
    layer.residual_kernel.assign(ops.zeros((32, UNITS)))
    dense = HeteroscedasticDense(
        UNITS, num_factors=2, temperature=2.0, num_samples=SAMPLES, seed=5
    )
    dense.build((None, DIM))
    weights = {weight.name: weight for weight in layer.weights}
    weights["kernel"] = weights["mean_kernel"]
    for weight in dense.weights:
        weight.assign(ops.copy(weights[weight.name]))
    x = normal((6, DIM))
    np.testing.assert_allclose(np64(layer(x)), np64(dense(x)), atol=1e-5)


@pytest.mark.parametrize("seed", [5, None])
def test_a_file_restores_it_bit_for_bit(tmp_path, seed):
    layer = fitted(num_factors=2, temperature=(0.5, 2.0), seed=seed)
    model = keras.Sequential([keras.Input((DIM,)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = normal((6, DIM))
    np.testing.assert_array_equal(np64(model(x)), np64(loaded(x)))
    for a, b in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(np64(a), np64(b))


@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="exports by TensorFlow"
)
def test_an_export_gives_the_same_forecasts(tmp_path):
    import tensorflow as tf

    model = keras.Sequential([keras.Input((DIM,)), fitted(num_factors=2)])
    model.export(tmp_path / "1", verbose=False)
    served, x = tf.saved_model.load(str(tmp_path / "1")), normal((6, DIM))
    np.testing.assert_allclose(
        served.serve(x).numpy(), np64(model(x)), atol=2e-5
    )


def test_without_either_variance_it_forecasts_the_mean():
    layer = fitted(het_weight=0.0, mean_field_factor=0.0)
    x = normal((6, DIM))
    mean = np64(layer.mean_logits(x))
    np.testing.assert_allclose(np64(layer(x)), np.log(softmax(mean)), atol=1e-4)


# One test per message.


@pytest.mark.parametrize("name", ["het_weight", "mean_field_factor"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), None, "1"])
def test_a_weight_of_a_variance_that_is_no_share_raises(name, value):
    with pytest.raises(ValueError) as error:
        HeteroscedasticGP(3, **{name: value})
    assert f"`{name}` must be" in str(error.value)
    assert f"{name}={value!r}" in str(error.value)


def test_a_likelihood_that_is_not_that_of_the_link_raises():
    with pytest.raises(ValueError) as error:
        HeteroscedasticGP(1, link="sigmoid", likelihood="poisson")
    assert "`likelihood` must be 'gaussian' or 'binary_logistic'" in str(
        error.value
    )
    assert "likelihood='poisson'" in str(error.value)


def test_the_softmax_of_one_unit_raises():
    with pytest.raises(ValueError, match="softmax of one unit is always 1"):
        HeteroscedasticGP(1)


def test_the_noise_is_checked_as_in_the_dense_layer():
    with pytest.raises(ValueError, match="`num_factors` must be an integer"):
        HeteroscedasticGP(3, num_factors=4)
    with pytest.raises(ValueError, match="`num_samples` must be a positive"):
        HeteroscedasticGP(3, num_samples=0)
    with pytest.raises(ValueError, match="`seed` must be `None` or a non-neg"):
        HeteroscedasticGP(3, seed=-1)
