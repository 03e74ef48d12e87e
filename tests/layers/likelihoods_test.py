"""Curvatures are second derivatives; forecasts are means over Gaussians."""

import numpy as np
import pytest
from keras import ops
from scipy import special

from keras_plex.layers.likelihoods import LIKELIHOODS
from keras_plex.layers.likelihoods import sample_forecast


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


# Name -> log p(y | f) for a y; the curvature must not depend on it.
LOG_LIKELIHOODS = {
    "binary_logistic": lambda f: special.log_expit(f).sum(axis=-1),
    "poisson": lambda f: (3 * f - np.exp(f)).sum(axis=-1),
    "softmax": lambda f: special.log_softmax(f, axis=-1)[..., 0],
}


@pytest.mark.parametrize("name", LOG_LIKELIHOODS)
def test_a_curvature_is_minus_the_second_derivative(name):
    log_likelihood = LOG_LIKELIHOODS[name]
    f, step = normal(5, 4 if name == "softmax" else 1), 1e-4
    expected = np.empty_like(f)
    for i, unit in enumerate(np.eye(f.shape[-1])):
        up, down = (log_likelihood(f + s * step * unit) for s in (1.0, -1.0))
        expected[:, i] = (2 * log_likelihood(f) - up - down) / step**2
    found = np64(LIKELIHOODS[name].curvature(ops.convert_to_tensor(f)))
    np.testing.assert_allclose(found.reshape(f.shape), expected, atol=1e-5)


def test_a_gaussian_has_the_curvature_one_everywhere():
    assert LIKELIHOODS["gaussian"].curvature is None


def test_mean_field_rows_of_the_paper():
    logits, variance = np.array([[2.0]]), np.array([1.5])
    for name in ("gaussian", "binary_logistic", "softmax"):
        found = LIKELIHOODS[name].flatten(logits, variance, 2.0)
        np.testing.assert_allclose(np64(found), logits / 2)
    rate = np.exp(np64(LIKELIHOODS["poisson"].flatten(logits, variance, 2.0)))
    np.testing.assert_allclose(rate, np.exp(logits) * np.exp(1.5))


def test_the_poisson_mean_field_is_the_exact_mean_rate():
    draws = 0.3 + np.sqrt(0.5) * normal(400_000)
    found = LIKELIHOODS["poisson"].flatten(
        np.array([[0.3]]),
        np.array([0.5]),
        LIKELIHOODS["poisson"].typical_factor,
    )
    assert np.exp(float(np64(found)[0, 0])) == pytest.approx(
        np.exp(draws).mean(), rel=5e-3
    )


@pytest.mark.parametrize(
    "name, units, link",
    [
        ("gaussian", 3, lambda u: special.softmax(u, axis=-1)),
        ("softmax", 3, lambda u: special.softmax(u, axis=-1)),
        ("gaussian", 1, special.expit),
        ("binary_logistic", 1, special.expit),
        ("poisson", 1, np.exp),
    ],
)
def test_sampled_forecasts_are_the_mean_over_draws(name, units, link):
    latents = normal(4, units).astype("float32")
    variance = np.array([0.0, 0.2, 0.5, 1.0], "float32")
    draws = latents + np.sqrt(variance)[:, None] * normal(
        200_000, 4, units, seed=1
    )
    expected = link(draws).mean(axis=0)
    exact = 1.0 if name == "poisson" else np.pi / 8
    found = np64(sample_forecast(name, latents, variance, exact, 4000))
    np.testing.assert_allclose(link(found), expected, rtol=0.02, atol=0.01)
    again = np64(sample_forecast(name, latents, variance, exact, 4000))
    np.testing.assert_array_equal(found, again)


def test_sampled_forecasts_take_a_variance_per_class():
    latents = np.zeros((1, 2), "float32")
    variance = np.array([[0.0, 9.0]], "float32")
    found = np64(sample_forecast("softmax", latents, variance, np.pi / 8, 4000))
    draws = 3 * normal(200_000, seed=1)
    expected = special.expit(draws).mean()
    assert special.softmax(found)[0, 1] == pytest.approx(expected, abs=0.01)
