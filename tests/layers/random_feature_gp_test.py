"""The random-feature GP against the exact one, and as a Keras layer."""

import functools
import warnings

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.layers import RandomFeatureGP


def normal(shape, seed=0, scale=1.0):
    x = scale * np.random.default_rng(seed).normal(size=shape)
    return x.astype("float32")


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def make(dim=4, **arguments):
    layer = RandomFeatureGP(
        **{"units": 3, "num_features": 32, "seed": 0, **arguments}
    )
    layer.build((None, dim))
    return layer


def fitted(x, **arguments):
    layer = make(x.shape[-1], **arguments)
    layer(x, training=True)
    layer.update_covariance()
    return layer


def random_residual(layer, seed=3):
    kernel = layer.residual_kernel
    kernel.assign(normal(tuple(kernel.shape), seed))
    return layer


def reference_features(layer, x):
    """sqrt(2 / D) cos(h W / length_scale + b), in float64."""
    h = np.float64(x)
    if layer.normalize_input:
        h = h - h.mean(-1, keepdims=True)
        h = h / np.sqrt(h.var(-1, keepdims=True) + 1e-6)
    angles = h @ np64(layer.features.projection) / layer.length_scale
    scale = np.sqrt(2 / layer.num_features)
    return scale * np.cos(angles + np64(layer.features.phase))


def primal(train, test, ridge):
    """Bayesian linear regression: ridge phi (ridge I + Phi^T Phi)^-1 phi^T."""
    precision = ridge * np.eye(train.shape[1]) + train.T @ train
    return ridge * np.einsum("nd,nd->n", test @ np.linalg.inv(precision), test)


def dual(prior, across, gram, ridge):
    """k(t, t) - k(t, X) (k(X, X) + ridge I)^-1 k(X, t)."""
    solved = np.linalg.solve(gram + ridge * np.eye(len(gram)), across.T)
    return prior - np.einsum("tn,nt->t", across, solved)


def rbf(x, y, length_scale=1.0):
    x, y = np.float64(x), np.float64(y)
    squares = ((x[:, None] - y[None]) ** 2).sum(axis=-1)
    return np.exp(-squares / (2 * length_scale**2))


# The variance.


@pytest.mark.parametrize("normalize_input", [False, True])
@pytest.mark.parametrize("ridge", [0.1, 1.0, 10.0])
def test_the_variance_is_the_primal_and_the_dual_one(normalize_input, ridge):
    train, test = normal((50, 4)), normal((20, 4), seed=1)
    layer = fitted(
        train,
        num_features=64,
        normalize_input=normalize_input,
        ridge_penalty=ridge,
    )
    a, b = reference_features(layer, train), reference_features(layer, test)
    exact = primal(a, b, ridge)
    kernel = dual((b**2).sum(1), b @ a.T, a @ a.T, ridge)
    np.testing.assert_allclose(exact, kernel, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np64(layer.variance(test)), exact, rtol=1e-4)


@functools.cache
def exact_rbf_problem():
    """2000 and 16 points of N(0, 1/4^2) in 4 dimensions, and the posterior."""
    train = np.random.RandomState(12).normal(size=(2000, 4)) / 4
    test = np.random.RandomState(21).normal(size=(16, 4)) / 4
    exact = dual(np.ones(16), rbf(test, train), rbf(train, train), ridge=1.0)
    return train.astype("float32"), test.astype("float32"), exact


@pytest.mark.parametrize("orthogonal", [False, True])
def test_the_variance_approximates_the_exact_rbf_posterior(orthogonal):
    # Twenty seeds of the formula in NumPy: at most 9.2e-3, 4.8e-4 on average.
    train, test, exact = exact_rbf_problem()
    errors = []
    for seed in range(4):
        layer = fitted(
            train,
            num_features=1024,
            normalize_input=False,
            orthogonal=orthogonal,
            seed=seed,
        )
        errors.append(np.abs(np64(layer.variance(test)) - exact))
    assert np.max(errors) < 1.2e-2
    assert np.mean(errors) < 5e-4


def test_the_length_scale_is_that_of_the_kernel():
    # Twice the length scale on twice the inputs is the same layer.
    x, test = normal((30, 4)), normal((8, 4), seed=1)
    one = fitted(x, normalize_input=False, length_scale=1.0)
    two = fitted(2 * x, normalize_input=False, length_scale=2.0)
    np.testing.assert_allclose(
        np64(one.variance(test)), np64(two.variance(2 * test)), rtol=1e-5
    )
    # And phi(x) phi(y)^T is the kernel with that length scale.
    wide = make(num_features=8192, normalize_input=False, length_scale=3.0)
    features = np64(wide.covariance_features(test))
    np.testing.assert_allclose(
        features @ features.T, rbf(test, test, length_scale=3.0), atol=0.05
    )


def test_far_inputs_have_a_larger_variance_than_near_ones():
    train = normal((200, 2), scale=0.3)
    layer = fitted(train, normalize_input=False, num_features=256)
    directions = normal((30, 2), seed=1)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    at = {r: np64(layer.variance(r * directions)) for r in (0.0, 1.0, 2.0, 4.0)}
    means = [at[r].mean() for r in at]
    assert means == sorted(means)
    assert at[0.0].max() < 0.05
    # Far away is the prior variance, about 1.
    assert at[4.0].min() > 0.5


def test_the_variance_of_an_example_is_that_of_the_example_alone():
    layer, test = fitted(normal((50, 4))), normal((7, 4), seed=1)
    alone = np.concatenate([np64(layer.variance(row[None])) for row in test])
    np.testing.assert_allclose(np64(layer.variance(test)), alone, rtol=1e-5)


def test_tokens_are_rows():
    x = normal((6, 5, 4))
    layer, flat = fitted(x), fitted(x.reshape(30, 4))
    test = normal((2, 3, 4), seed=1)
    variance = np64(layer.variance(test))
    assert variance.shape == (2, 3)
    assert tuple(layer(test).shape) == (2, 3, 3)
    np.testing.assert_allclose(
        variance.reshape(6), np64(flat.variance(test.reshape(6, 4))), rtol=1e-4
    )


@pytest.mark.parametrize("shape", [(9, 4), (3, 3, 4)])
def test_the_exact_precision_is_the_sum_of_squares_of_features(shape):
    x = normal(shape)
    layer = fitted(x)
    features = reference_features(layer, x).reshape(-1, 32)
    np.testing.assert_allclose(
        np64(layer.covariance.precision), features.T @ features, atol=1e-5
    )


def test_a_momentum_averages_batches_and_keeps_the_ridge_whole():
    layer = make(momentum=0.9, ridge_penalty=0.5)
    expected = np.zeros((32, 32))
    for seed in range(3):
        x = normal((10, 4), seed)
        layer(x, training=True)
        features = reference_features(layer, x)
        expected = 0.9 * expected + 0.1 * features.T @ features / 10
    np.testing.assert_allclose(
        np64(layer.covariance.precision), expected, atol=1e-6
    )
    layer.update_covariance()
    test = normal((5, 4), seed=9)
    b = reference_features(layer, test)
    inverse = np.linalg.inv(0.5 * np.eye(32) + expected)
    np.testing.assert_allclose(
        np64(layer.variance(test)), 0.5 * ((b @ inverse) * b).sum(1), rtol=1e-4
    )


def test_inference_adds_nothing_to_the_precision():
    layer = fitted(normal((9, 4)))
    before = np64(layer.covariance.precision)
    layer(normal((9, 4), seed=1))
    layer(normal((9, 4), seed=1), training=False)
    np.testing.assert_array_equal(np64(layer.covariance.precision), before)


def test_reset_and_update_forget_the_data_of_before():
    old, new, test = (normal((20, 4), seed) for seed in range(3))
    layer = fitted(old)
    before = np64(layer.variance(test))
    layer.reset_covariance()
    np.testing.assert_array_equal(np64(layer.variance(test)), before)
    layer(new, training=True)
    np.testing.assert_array_equal(np64(layer.variance(test)), before)
    layer.update_covariance()
    np.testing.assert_allclose(
        np64(layer.variance(test)), np64(fitted(new).variance(test)), rtol=1e-5
    )


# The forecast.


def test_the_mean_is_linear_in_the_features():
    layer = random_residual(make())
    layer.bias.assign([1.0, 2.0, 3.0])
    x = normal((5, 4))
    expected = reference_features(layer, x) @ np64(layer.residual_kernel)
    np.testing.assert_allclose(
        np64(layer.mean_logits(x)), expected + [1.0, 2.0, 3.0], atol=1e-5
    )


def test_before_data_the_forecast_is_the_mean_alone():
    layer = random_residual(make(mean_field_factor=5.0))
    x = normal((5, 4))
    np.testing.assert_array_equal(np64(layer(x)), np64(layer.mean_logits(x)))
    # Training rows do not count before `update_covariance`.
    layer(x, training=True)
    np.testing.assert_array_equal(np64(layer(x)), np64(layer.mean_logits(x)))
    layer.update_covariance()
    assert (np.abs(np64(layer(x))) < np.abs(np64(layer.mean_logits(x)))).all()


def test_in_training_the_forecast_is_the_mean_alone():
    layer = random_residual(fitted(normal((50, 4)), mean_field_factor=5.0))
    x = normal((5, 4), seed=1)
    np.testing.assert_array_equal(
        np64(layer(x, training=True)), np64(layer.mean_logits(x))
    )


@pytest.mark.parametrize("factor", [0.0, 2.0, 5.0])
def test_the_forecast_is_divided_by_root_one_plus_factor_times_variance(factor):
    layer = fitted(normal((50, 4)), mean_field_factor=factor)
    random_residual(layer)
    x = normal((5, 4), seed=1)
    root = np.sqrt(1 + factor * np64(layer.variance(x)))[:, None]
    np.testing.assert_allclose(
        np64(layer(x)), np64(layer.mean_logits(x)) / root, rtol=1e-5
    )


def test_variance_1_5_and_factor_2_halve_the_logits():
    # One feature phi = sqrt(2) cos(0 + b) = sqrt(3/2) at the phase b, no
    # precision: the variance is phi^2 = 1.5, and sqrt(1 + 2 * 1.5) = 2.
    layer = random_residual(make(1, num_features=1, mean_field_factor=2.0))
    layer.features.projection.assign([[0.0]])
    layer.features.phase.assign([np.arccos(np.sqrt(3) / 2)])
    layer.covariance.has_data.assign(1.0)
    x = np.zeros((1, 1), "float32")
    np.testing.assert_allclose(np64(layer.variance(x)), [1.5], rtol=1e-6)
    np.testing.assert_allclose(
        np64(layer(x)), np64(layer.mean_logits(x)) / 2, rtol=1e-6
    )


def test_the_mean_field_leaves_the_label_as_it_is():
    layer = random_residual(fitted(normal((50, 4))))
    x = normal((100, 4), seed=1)
    np.testing.assert_array_equal(
        np64(layer(x)).argmax(-1), np64(layer.mean_logits(x)).argmax(-1)
    )


def test_the_factor_can_be_set_and_switched_off():
    layer = random_residual(fitted(normal((50, 4))))
    x = normal((5, 4), seed=1)
    mean = np64(layer.mean_logits(x))
    root = np.sqrt(1 + 3 * np64(layer.variance(x)))[:, None]
    layer.mean_field.assign(3.0)
    np.testing.assert_allclose(np64(layer(x)), mean / root, rtol=1e-5)
    layer.mean_field.assign(0.0)
    np.testing.assert_array_equal(np64(layer(x)), mean)


def test_the_scale_multiplies_the_logits_of_a_forecast_alone():
    layer, x = random_residual(fitted(normal((50, 4)))), normal((5, 4), seed=1)
    mean, flattened = np64(layer.mean_logits(x)), np64(layer(x))
    layer.logit_scale.assign(0.5)
    np.testing.assert_allclose(np64(layer(x)), 0.5 * flattened, rtol=1e-6)
    np.testing.assert_array_equal(np64(layer(x, training=True)), mean)


def test_before_any_data_the_scale_does_not_count():
    layer = RandomFeatureGP(3, num_features=8, seed=0)
    x = normal((5, 4))
    mean = np64(layer(x))
    layer.logit_scale.assign(0.5)
    np.testing.assert_array_equal(np64(layer(x)), mean)


# The linear mean function.


@pytest.mark.parametrize("activation", [None, "softmax"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_linear_mean_starts_exactly_at_the_dense_layer(activation, use_bias):
    dense = keras.layers.Dense(
        3, activation, use_bias=use_bias, bias_initializer="ones", name="head"
    )
    dense.build((None, 4))
    layer = RandomFeatureGP.from_layer(dense, num_features=32, seed=0)
    x = normal((5, 4))
    np.testing.assert_array_equal(np64(layer(x)), np64(dense(x)))
    np.testing.assert_array_equal(np64(layer(x, training=True)), np64(dense(x)))
    assert layer.name == "head"
    assert layer.use_bias == use_bias


def test_from_layer_keeps_the_dtype_policy_and_the_trainable_flag():
    dense = keras.layers.Dense(3, dtype="mixed_bfloat16", trainable=False)
    dense.build((None, 4))
    layer = RandomFeatureGP.from_layer(dense, num_features=32)
    assert layer.dtype_policy == dense.dtype_policy
    assert not layer.trainable
    x = normal((5, 4))
    np.testing.assert_allclose(
        np64(ops.cast(layer(x), "float32")),
        np64(ops.cast(dense(x), "float32")),
        atol=0.02,
    )


def test_from_layer_leaves_the_dense_layer_and_merges_lora():
    dense = keras.layers.Dense(3)
    dense.build((None, 4))
    dense.enable_lora(2)
    dense.lora_kernel_b.assign(normal((2, 3)))
    weights = dense.get_weights()
    layer = RandomFeatureGP.from_layer(dense, num_features=32)
    x = normal((5, 4))
    np.testing.assert_allclose(np64(layer(x)), np64(dense(x)), rtol=1e-5)
    for weight in layer.trainable_weights:
        weight.assign(weight + 1.0)
    for old, new in zip(weights, dense.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_from_layer_with_a_zero_mean_does_not_take_the_weights():
    dense = keras.layers.Dense(3, bias_initializer="ones")
    dense.build((None, 4))
    layer = RandomFeatureGP.from_layer(dense, mean_function="zero")
    assert layer.mean_kernel is None
    assert not np64(layer.bias).any()


# Bad rows.


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("normalize_input", [True, False])
def test_bad_rows_are_skipped_and_warned_about_once(bad, normalize_input):
    clean = normal((6, 4))
    rows = np.concatenate([clean, np.full((2, 4), bad, "float32")])
    rows[-1, 1:] = 0.5
    expected = fitted(clean, normalize_input=normalize_input)
    layer = make(normalize_input=normalize_input)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        for _ in range(3):
            layer.reset_covariance()
            layer(rows, training=True)
            layer.update_covariance()
    (warning,) = caught
    assert str(warning.message).startswith("2 rows with NaN")
    np.testing.assert_allclose(
        np64(layer.covariance.precision),
        np64(expected.covariance.precision),
        rtol=1e-6,
        atol=1e-6,
    )
    test = normal((5, 4), seed=1)
    np.testing.assert_allclose(
        np64(layer.variance(test)), np64(expected.variance(test)), rtol=1e-5
    )


def test_rows_that_a_mask_hides_are_not_data():
    # Padding is no evidence: the precision is that of the three tokens.
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    inputs = keras.Input((3,), dtype="int32")
    embedding = keras.layers.Embedding(5, 4, mask_zero=True)
    layer = RandomFeatureGP(3, num_features=8, seed=0)
    model = keras.Model(inputs, layer(embedding(inputs)))
    model(tokens, training=True)
    vectors = ops.convert_to_numpy(embedding.embeddings)[1:4]
    features = reference_features(layer, vectors)
    np.testing.assert_allclose(
        np64(layer.covariance.precision), features.T @ features, atol=1e-5
    )


# As a layer of Keras.


def gradients(model, layer, x, cotangent):
    """What one step of SGD with learning rate 1 subtracts."""
    before = {weight.path: np64(weight) for weight in model.trainable_weights}
    loss = lambda y, p: ops.sum(y * p)  # noqa: E731
    # Eager: compiled, TensorFlow may update a kernel before it is read.
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
    model.train_on_batch(x, cotangent)
    return [
        (weight, before[weight.path], before[weight.path] - np64(weight))
        for weight in model.trainable_weights
    ]


@pytest.mark.parametrize("normalize_input", [True, False])
def test_gradients_are_finite_differences_of_the_formula_in_float64(
    normalize_input,
):
    layer = RandomFeatureGP(
        2,
        num_features=6,
        normalize_input=normalize_input,
        mean_function="linear",
        seed=0,
    )
    before = keras.layers.Dense(3, use_bias=False, name="before")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layer(before(inputs)))
    random_residual(layer)
    x, cotangent = normal((5, 4)), normal((5, 2), seed=1)
    values = {
        "before": np64(before.kernel),
        "mean_kernel": np64(layer.mean_kernel),
        "bias": np64(layer.bias),
        "residual_kernel": np64(layer.residual_kernel),
    }

    def loss(values):
        h = np.float64(x) @ values["before"]
        logits = h @ values["mean_kernel"] + values["bias"]
        features = reference_features(layer, h)
        logits = logits + features @ values["residual_kernel"]
        return (logits * cotangent).sum()

    found = gradients(model, layer, x, cotangent)
    assert len(found) == 4
    step = 1e-6
    for weight, value, gradient in found:
        name = "before" if weight is before.kernel else weight.name
        for index in np.ndindex(value.shape):
            sides = []
            for sign in (1.0, -1.0):
                moved = {**values, name: values[name].copy()}
                moved[name][index] += sign * step
                sides.append(loss(moved))
            slope = (sides[0] - sides[1]) / (2 * step)
            error = abs(gradient[index] - slope)
            assert error < 1e-4 * max(1, abs(slope)), (name, index)


def test_frequencies_and_statistics_are_not_trained():
    names = {weight.name for weight in make().trainable_weights}
    assert names == {"bias", "residual_kernel"}
    linear = make(mean_function="linear", use_bias=False)
    names = {weight.name for weight in linear.trainable_weights}
    assert names == {"mean_kernel", "residual_kernel"}


@pytest.mark.parametrize("mean_function", ["zero", "linear"])
def test_two_layers_with_one_seed_agree(mean_function):
    one, two, other = (
        make(mean_function=mean_function, seed=seed) for seed in (5, 5, 6)
    )
    x = normal((5, 4))
    for name in ("projection", "phase"):
        a, b, c = (np64(getattr(m.features, name)) for m in (one, two, other))
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - c).max() > 0.1
    np.testing.assert_array_equal(np64(one(x)), np64(two(x)))


def test_layers_without_a_seed_differ():
    one, two = make(seed=None), make(seed=None)
    assert (
        np.abs(
            np64(one.features.projection) - np64(two.features.projection)
        ).max()
        > 0.1
    )


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_statistics_stay_float32_under_mixed_precision(policy):
    x, test = normal((200, 4)), normal((8, 4), seed=1)
    mixed = make(num_features=64, dtype=policy)
    plain = fitted(x, num_features=64)
    mixed(x, training=True)
    mixed.update_covariance()
    assert keras.backend.standardize_dtype(mixed(test).dtype) == policy[6:]
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    # Only the inputs of the training call were rounded.
    np.testing.assert_allclose(
        np64(mixed.variance(test)), np64(plain.variance(test)), rtol=0.05
    )


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_compiled_fit_counts_each_row_once_an_epoch(jit_compile):
    if jit_compile and keras.config.backend() == "torch":
        pytest.skip("jit_compile is another compiler under PyTorch.")
    layer = make(4, num_features=16)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layer(inputs))
    model.compile("sgd", "mse", jit_compile=jit_compile)
    x = normal((10, 4))
    model.fit(x, np.zeros((10, 3)), batch_size=4, epochs=2, verbose=0)
    features = reference_features(layer, x)
    np.testing.assert_allclose(
        np64(layer.covariance.precision), 2 * features.T @ features, atol=1e-4
    )


@pytest.mark.parametrize("mean_function", ["zero", "linear"])
@pytest.mark.parametrize("seed", [0, None])
def test_a_file_restores_it_bit_for_bit(tmp_path, mean_function, seed):
    inputs = keras.Input((4,))
    layer = RandomFeatureGP(
        3, num_features=16, mean_function=mean_function, seed=seed
    )
    model = keras.Model(inputs, layer(inputs))
    random_residual(layer)
    layer(normal((50, 4)), training=True)
    layer.update_covariance()
    layer.mean_field.assign(1.25)
    layer(normal((9, 4)), training=True)  # not yet in the variance
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x, again = normal((7, 4), seed=1), loaded.layers[-1]
    np.testing.assert_array_equal(np64(model(x)), np64(loaded(x)))
    for name in ("variance", "mean_logits"):
        np.testing.assert_array_equal(
            np64(getattr(layer, name)(x)), np64(getattr(again, name)(x))
        )
    for a, b in zip(layer.weights, again.weights, strict=True):
        assert a.path == b.path
        np.testing.assert_array_equal(np64(a), np64(b))


def test_a_one_dimensional_regression_has_calibrated_intervals():
    # y = sin(3 x) + noise of standard deviation 0.2: ridge 0.04. The noise and
    # the posterior variance together hold the share that they promise.
    generator = np.random.default_rng(0)
    x = generator.uniform(-2, 2, size=(600, 1)).astype("float32")
    y = np.sin(3 * x) + 0.2 * generator.normal(size=x.shape)
    layer = fitted(
        x[:60],
        units=1,
        num_features=256,
        normalize_input=False,
        length_scale=0.5,
        ridge_penalty=0.04,
        mean_field_factor=0.0,
    )
    features = np64(layer.covariance_features(x[:60]))
    precision = 0.04 * np.eye(256) + features.T @ features
    layer.residual_kernel.assign(
        np.linalg.solve(precision, features.T @ y[:60])
    )
    deviation = np.sqrt(np64(layer.variance(x[60:])) + 0.04)
    inside = np.abs(np64(layer(x[60:]))[:, 0] - y[60:, 0]) < 1.645 * deviation
    assert 0.86 < inside.mean() < 0.94  # 90 % promised, sigma of 540 is 1.3 %


@settings(max_examples=10)
@given(
    units=st.integers(1, 4),
    num_features=st.integers(1, 20),
    dim=st.integers(1, 9),
    between=st.lists(st.integers(1, 3), max_size=2),
    orthogonal=st.booleans(),
)
def test_any_sizes_go_in_and_the_shapes_are_as_promised(
    units, num_features, dim, between, orthogonal
):
    layer = RandomFeatureGP(units, num_features, orthogonal=orthogonal, seed=0)
    x = normal((3, *between, dim))
    assert tuple(layer(x, training=True).shape) == (3, *between, units)
    layer.update_covariance()
    assert tuple(layer.variance(x).shape) == (3, *between)
    assert layer.compute_output_shape(x.shape) == (3, *between, units)


# One test per message.


KNOWN_LIKELIHOODS = "'gaussian', 'binary_logistic', 'poisson', 'softmax'"


@pytest.mark.parametrize(
    "name, value, known",
    [
        ("kernel", "matern", "'rbf', 'linear'"),
        ("likelihood", "student", KNOWN_LIKELIHOODS),
        ("mean_function", "quadratic", "'zero', 'linear'"),
    ],
)
def test_an_unknown_name_lists_what_exists(name, value, known):
    with pytest.raises(ValueError) as error:
        RandomFeatureGP(3, **{name: value})
    kind = name.replace("_", " ")
    expected = f"Unknown {kind}: {value!r}. Available: {known}."
    assert str(error.value) == expected


@pytest.mark.parametrize(
    "name, value",
    [
        ("units", 0),
        ("units", -3),
        ("num_features", 0),
        ("length_scale", 0.0),
        ("length_scale", -1.0),
        ("length_scale", float("nan")),
        ("ridge_penalty", 0.0),
    ],
)
def test_a_size_that_is_not_positive_raises(name, value):
    with pytest.raises(ValueError) as error:
        RandomFeatureGP(**{"units": 3, name: value})
    assert f"`{name}` must be" in str(error.value)
    assert "positive" in str(error.value)
    assert f"{name}={value!r}" in str(error.value)


def test_a_momentum_of_1_raises():
    with pytest.raises(ValueError, match="`momentum` must be `None`"):
        RandomFeatureGP(3, momentum=1.0)


@pytest.mark.parametrize("factor", [-1.0, float("nan")])
def test_a_negative_mean_field_factor_raises(factor):
    with pytest.raises(ValueError) as error:
        RandomFeatureGP(3, mean_field_factor=factor)
    assert "`mean_field_factor` must be `None` or at least 0" in str(
        error.value
    )
    assert f"mean_field_factor={factor!r}" in str(error.value)


@pytest.mark.parametrize(
    "name, value",
    [
        ("units", "3"),
        ("units", 2.5),
        ("num_features", 2.5),
        ("num_features", None),
        ("length_scale", "1"),
        ("ridge_penalty", "1"),
        ("momentum", "0.9"),
        ("mean_field_factor", "5"),
        ("seed", -1),
        ("seed", 1.5),
    ],
)
def test_a_wrong_type_raises_a_value_error_that_names_it(name, value):
    with pytest.raises(ValueError, match=f"`{name}`"):
        RandomFeatureGP(**{"units": 3, name: value}).build((None, 4))


def test_inputs_of_another_width_raise():
    with pytest.raises(ValueError, match="expected axis -1"):
        make(4)(np.ones((3, 5), "float32"))


def test_an_unbuilt_layer_has_no_variance_and_says_so():
    with pytest.raises(ValueError, match="is not built"):
        RandomFeatureGP(3).variance(np.ones((3, 4), "float32"))


# Kernels.


def test_the_linear_kernel_has_the_exact_posterior():
    # No random features: nothing but rounding lies between the two.
    train, test = normal((60, 4)), normal((20, 4), seed=1)
    layer = fitted(
        train,
        kernel="linear",
        num_features=1024,
        length_scale=2.0,
        normalize_input=False,
        ridge_penalty=0.5,
    )
    a, b = np.float64(train) / 2, np.float64(test) / 2
    exact = dual((b**2).sum(1), b @ a.T, a @ a.T, ridge=0.5)
    np.testing.assert_allclose(np64(layer.variance(test)), exact, rtol=1e-4)


def test_training_moves_a_trainable_length_scale():
    layer = make(trainable_length_scale=True)
    names = [weight.name for weight in layer.trainable_variables]
    assert names.count("log_length_scale") == 1
    random_residual(layer)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(normal((8, 4)), normal((8, 3), seed=1))
    assert np64(layer.features.log_length_scale) != 0.0


# Likelihoods.


def test_a_softmax_has_a_laplace_posterior_for_each_class():
    train, test = normal((40, 4)), normal((9, 4), seed=1)
    layer = random_residual(make(likelihood="softmax", num_features=16))
    layer(train, training=True)
    layer.update_covariance()
    a, b = reference_features(layer, train), reference_features(layer, test)
    logits = a @ np64(layer.residual_kernel)
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p = p / p.sum(-1, keepdims=True)
    found = np64(layer.variance(test))
    assert found.shape == (9, 3)
    for c in range(3):
        hessian = (a.T * (p[:, c] * (1 - p[:, c]))) @ a
        exact = b @ np.linalg.inv(np.eye(16) + hessian) @ b.T
        np.testing.assert_allclose(found[:, c], np.diag(exact), rtol=1e-4)
    mean = np64(layer.mean_logits(test))
    expected = mean / np.sqrt(1 + np.pi / 8 * found)
    np.testing.assert_allclose(np64(layer(test)), expected, rtol=1e-4)


@pytest.mark.parametrize(
    "likelihood, curvature, factor",
    [
        ("binary_logistic", lambda f: 1 / (2 + np.exp(f) + np.exp(-f)), 0.3927),
        ("poisson", np.exp, 1.0),
    ],
)
def test_one_unit_has_a_laplace_posterior(likelihood, curvature, factor):
    train, test = normal((40, 4)), normal((9, 4), seed=1)
    layer = make(units=1, likelihood=likelihood, ridge_penalty=0.5)
    random_residual(layer)
    layer(train, training=True)
    layer.update_covariance()
    a, b = reference_features(layer, train), reference_features(layer, test)
    weights = curvature(a @ np64(layer.residual_kernel))[:, 0]
    precision = np.eye(32) + (a.T * weights) @ a / 0.5
    exact = np.diag(b @ np.linalg.inv(precision) @ b.T)
    np.testing.assert_allclose(np64(layer.variance(test)), exact, rtol=1e-4)
    mean = np64(layer.mean_logits(test))[:, 0]
    flat = mean / np.sqrt(1 + factor * exact)
    if likelihood == "poisson":
        flat = mean + 0.5 * factor * exact
    np.testing.assert_allclose(np64(layer(test))[:, 0], flat, rtol=1e-3)


@pytest.mark.parametrize("likelihood", ["gaussian", "softmax"])
def test_sampling_is_close_to_the_mean_field_where_the_variance_is_small(
    likelihood,
):
    arguments = {"likelihood": likelihood, "mean_field_factor": np.pi / 8}
    x = normal((200, 4))
    mean_field = random_residual(fitted(x, **arguments))
    sampled = random_residual(fitted(x, **arguments, num_samples=2000))
    for layer in (mean_field, sampled):
        layer.reset_covariance()
        layer.observe(x)
        layer.update_covariance()
    p, q = (np64(ops.softmax(layer(x))) for layer in (mean_field, sampled))
    np.testing.assert_allclose(p, q, atol=0.02)
    np.testing.assert_array_equal(np64(sampled(x)), np64(sampled(x)))
    # It does not depend on the batch that an example comes in.
    np.testing.assert_allclose(
        np64(sampled(x[:3])), np64(sampled(x))[:3], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"likelihood": "poisson"}, "is that of one unit.*units=3"),
        ({"likelihood": "binary_logistic"}, "is that of one unit.*units=3"),
        ({"likelihood": "softmax", "units": 1}, "several units.*units=1"),
        ({"num_samples": -1}, "`num_samples` must be.*=-1"),
        ({"num_samples": 2.5}, r"`num_samples` must be.*=2\.5"),
    ],
)
def test_a_likelihood_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomFeatureGP(**{"units": 3, **arguments})


def test_its_weights_are_those_of_the_reference_and_the_root():
    # 1,000 classes, 1,024 features, width 2: the reference's ViT has
    # 2,076,648 numbers in its head; ours adds the inverse root and 4 scalars.
    layer = RandomFeatureGP(1000)
    layer.build((None, 2))
    assert layer.count_params() == 2_076_648 + 1024**2 + 4


def test_the_kernel_sees_the_context_and_the_mean_does_not():
    layer = make(6, mean_function="linear", context_dim=2)
    assert tuple(layer.mean_kernel.shape) == (4, 3)
    x = normal((5, 6))
    moved = np.concatenate([x[:, :4], normal((5, 2), seed=1)], axis=1)
    expected = x[:, :4] @ np64(layer.mean_kernel)
    for rows in (x, moved):
        np.testing.assert_allclose(np64(layer(rows)), expected, atol=1e-5)
    random_residual(layer)
    difference = np64(layer(x)) - np64(layer(moved))
    phi = [np64(layer.covariance_features(rows)) for rows in (x, moved)]
    kernel = np64(layer.residual_kernel)
    np.testing.assert_allclose(
        difference, (phi[0] - phi[1]) @ kernel, atol=1e-4
    )
    assert np.abs(difference).min(-1).max() > 0.1


def test_a_context_follows_the_weights_of_a_dense_layer():
    dense = keras.layers.Dense(3)
    dense.build((None, 4))
    layer = RandomFeatureGP.from_layer(dense, context_dim=2, seed=0)
    x = normal((5, 6))
    np.testing.assert_allclose(np64(layer(x)), np64(dense(x[:, :4])), atol=1e-6)
    again = RandomFeatureGP.from_config(layer.get_config())
    assert again.context_dim == 2
    with pytest.raises(ValueError, match="`context_dim` must be smaller"):
        make(2, context_dim=2)
