"""A Laplace posterior around a finished output layer."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers import LaplaceDense


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def stock(units=3, dim=4, **arguments):
    dense = keras.layers.Dense(units, **arguments)
    dense.build((None, dim))
    for i, weight in enumerate(dense.weights):
        weight.assign(normal(*weight.shape, seed=10 + i))
    return dense


def fitted(dense, x, **arguments):
    layer = LaplaceDense.from_layer(dense, **arguments)
    layer.observe(x)
    layer.update_covariance()
    return layer


def with_one(x):
    return np.concatenate([np.float64(x), np.ones((len(x), 1))], axis=-1)


def curvature(logits):
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p = p / p.sum(-1, keepdims=True)
    return (p * (1 - p)).sum(-1)


@pytest.mark.parametrize("prior", [0.1, 3.0])
def test_the_variance_is_the_inverse_hessian_along_the_features(prior):
    dense, x, test = stock(), normal(50, 4), normal(9, 4, seed=1)
    layer = fitted(dense, x, prior_precision=prior)
    phi, phi_test = with_one(x), with_one(test)
    hessian = (phi.T * curvature(np64(dense(x)))) @ phi
    covariance = np.linalg.inv(prior * np.eye(5) + hessian)
    exact = np.einsum("nd,de,ne->n", phi_test, covariance, phi_test)
    np.testing.assert_allclose(np64(layer.variance(test)), exact, rtol=1e-4)
    expected = np64(dense(test)) / np.sqrt(1 + np.pi / 8 * exact)[:, None]
    np.testing.assert_allclose(np64(layer(test)), expected, rtol=1e-4)


def test_one_logistic_unit_has_the_exact_laplace_posterior():
    # For one unit nothing is averaged: this is the Hessian of the loss.
    dense, x = stock(units=1), normal(50, 4)
    layer = fitted(dense, x, prior_precision=1.0)
    weights = np.concatenate([np64(dense.kernel)[:, 0], np64(dense.bias)])
    phi, labels = with_one(x), np.arange(50) % 2

    def loss(w):
        f = phi @ w
        return np.sum(np.logaddexp(0, f) - labels * f) + 0.5 * w @ w

    step, eye = 1e-3, np.eye(5)
    hessian = np.array(
        [
            [
                loss(weights + step * (a + b))
                - loss(weights + step * (a - b))
                - loss(weights + step * (b - a))
                + loss(weights - step * (a + b))
                for a in eye
            ]
            for b in eye
        ]
    ) / (4 * step**2)
    exact = np.einsum("nd,de,ne->n", phi, np.linalg.inv(hessian), phi)
    np.testing.assert_allclose(np64(layer.variance(x)), exact, rtol=1e-3)


def test_before_data_it_is_the_stock_layer():
    dense, x = stock(activation="softmax"), normal(5, 4)
    layer = LaplaceDense.from_layer(dense)
    np.testing.assert_allclose(np64(layer(x)), np64(dense(x)), atol=1e-7)
    np.testing.assert_allclose(
        np64(layer(x, training=True)), np64(dense(x)), atol=1e-7
    )


def test_the_most_probable_class_stays():
    dense, x = stock(units=7), normal(500, 4)
    layer = fitted(dense, x[:50])
    np.testing.assert_array_equal(
        np64(layer(x)).argmax(-1), np64(dense(x)).argmax(-1)
    )
    assert np.abs(np64(layer(x)) - np64(dense(x))).max() > 0.01


def test_far_from_the_data_the_forecast_turns_flat():
    # p -> softmax of logits whose size is bounded, however far the input.
    dense, x = stock(), normal(100, 4)
    layer = fitted(dense, x)
    far = 1e4 * normal(20, 4, seed=1)
    assert np64(ops.softmax(dense(far))).max(-1).min() > 0.999
    assert np64(ops.softmax(layer(far))).max(-1).mean() < 0.99


def test_the_prior_has_the_largest_evidence_unless_it_is_given():
    dense, x = stock(), normal(100, 4)
    layer = fitted(dense, x)
    precision = np64(layer.covariance.precision)
    norm = sum((np64(w) ** 2).sum() for w in dense.weights)

    def log_evidence(prior):
        _, log_det = np.linalg.slogdet(precision + prior * np.eye(5))
        return 1.5 * (5 * np.log(prior) - log_det) - 0.5 * prior * norm

    prior = float(layer.fitted_prior)
    assert log_evidence(prior) > log_evidence(1.05 * prior)
    assert log_evidence(prior) > log_evidence(0.95 * prior)
    given = fitted(dense, x, prior_precision=2.5)
    assert float(given.fitted_prior) == 2.5


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({}, (True, True)),
        ({"prior_precision": 2.0}, (False, True)),
        ({"mean_field_factor": 2.0}, (True, False)),
        ({"mean_field_factor": 0.0}, (False, False)),
    ],
)
def test_what_is_given_is_not_free(arguments, expected):
    assert LaplaceDense(3, **arguments).is_prior_and_factor_free == expected


def test_rows_per_example_make_copies_count_once():
    dense, x = stock(), normal(30, 4)
    once = fitted(dense, x)
    thrice = fitted(dense, np.tile(x, (3, 1)), rows_per_example=3)
    np.testing.assert_allclose(
        np64(thrice.variance(x)), np64(once.variance(x)), rtol=1e-4
    )


def test_independent_labels_have_logistic_curvature():
    dense, x = stock(units=2), normal(30, 4)
    layer = fitted(dense, x, likelihood="binary_logistic", prior_precision=1.0)
    p = 1 / (1 + np.exp(-np64(dense(x))))
    phi = with_one(x)
    hessian = (phi.T * (p * (1 - p)).sum(-1)) @ phi
    exact = np.diag(phi @ np.linalg.inv(np.eye(5) + hessian) @ phi.T)
    np.testing.assert_allclose(np64(layer.variance(x)), exact, rtol=1e-4)


def test_without_a_bias_the_features_are_the_inputs():
    layer = fitted(stock(use_bias=False), normal(30, 4))
    assert tuple(layer.covariance.precision.shape) == (4, 4)


def test_from_layer_merges_lora_and_keeps_the_rest():
    dense = stock(name="head", trainable=False)
    dense.enable_lora(2)
    dense.lora_kernel_b.assign(normal(2, 3, seed=4))
    layer = LaplaceDense.from_layer(dense)
    x = normal(5, 4)
    np.testing.assert_allclose(np64(layer(x)), np64(dense(x)), rtol=1e-5)
    assert (layer.name, layer.trainable) == ("head", False)


def test_an_own_layer_can_have_lora():
    layer = LaplaceDense(3, lora_rank=2)
    layer.build((None, 4))
    assert layer.lora_enabled


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"prior_precision": 0}, "`prior_precision` must be .*=0"),
        ({"prior_precision": "1"}, "`prior_precision` must be .*='1'"),
        ({"mean_field_factor": -1}, "`mean_field_factor` must be .*=-1"),
        ({"rows_per_example": 0}, "`rows_per_example` must be .*=0"),
        ({"likelihood": "poisson"}, "Unknown likelihood: 'poisson'"),
        ({"units": 1, "likelihood": "softmax"}, "several units.*units=1"),
    ],
)
def test_arguments_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LaplaceDense(**{"units": 3, **arguments})
