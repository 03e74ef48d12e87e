"""The mean-field factor is the best one on held-out data."""

import numpy as np
import pytest
from scipy import special

from keras_plex.calibration.mean_field import LOG_FACTOR_BOUNDS
from keras_plex.calibration.mean_field import as_targets
from keras_plex.calibration.mean_field import fit_mean_field_factor
from keras_plex.calibration.mean_field import negative_log_likelihood

SOFTMAX, SIGMOID = "softmax_logits", "sigmoid_logits"


def mixture_nll(factor, logits, variance, targets, kind):
    """-mean log of the mean over members of the flattened forecasts."""
    scaled = logits / np.sqrt(1 + factor * variance[..., None])
    if kind == SOFTMAX:
        forecast = special.softmax(scaled, axis=-1).mean(axis=1)
        return -np.mean(np.sum(targets * np.log(forecast), axis=-1))
    forecast = special.expit(scaled).mean(axis=1)
    each = targets * np.log(forecast) + (1 - targets) * np.log(1 - forecast)
    return -np.mean(np.sum(each, axis=-1))


def brute_force(*data):
    """The best of 4,001 factors between the bounds, and none."""
    factors = [0.0, *np.exp(np.linspace(*LOG_FACTOR_BOUNDS, num=4001))]
    losses = [mixture_nll(factor, *data) for factor in factors]
    best = int(np.argmin(losses))
    return factors[best], losses[best]


def overconfident(classes=3, examples=200, ensemble=2, seed=0):
    """Large logits; the labels are noise where the variance is large."""
    rng = np.random.default_rng(seed)
    logits = 4 * rng.normal(size=(examples, ensemble, classes))
    variance = rng.uniform(size=(examples, ensemble)) ** 2
    noise = rng.gumbel(size=(examples, classes)) * (1 + 4 * variance[:, :1])
    return logits, variance, (logits.mean(1) + noise).argmax(-1)


@pytest.mark.parametrize("seed", range(3))
def test_softmax_factor_equals_a_grid_search(seed):
    logits, variance, labels = overconfident(seed=seed)
    targets = np.eye(3)[labels]
    found = fit_mean_field_factor(logits, variance, labels, SOFTMAX)
    best, loss = brute_force(logits, variance, targets, SOFTMAX)
    assert best > 0.1
    np.testing.assert_allclose(found, best, rtol=0.01)
    ours = mixture_nll(found, logits, variance, targets, SOFTMAX)
    assert ours <= loss + 1e-9


@pytest.mark.parametrize("classes", [1, 3])
def test_sigmoid_factor_equals_a_grid_search(classes):
    rng = np.random.default_rng(1)
    logits = 4 * rng.normal(size=(200, 2, classes))
    variance = rng.uniform(size=(200, 2))
    noise = rng.logistic(size=(200, classes)) * 3
    labels = (logits.mean(1) + noise > 0).astype("int32")
    found = fit_mean_field_factor(logits, variance, labels, SIGMOID)
    best, _ = brute_force(logits, variance, labels, SIGMOID)
    assert best > 0.1
    np.testing.assert_allclose(found, best, rtol=0.01)


def test_factor_is_zero_when_flatter_forecasts_only_lose():
    # Every forecast is right: flattening any of them costs likelihood.
    logits = np.array([[[3.0, 0.0]], [[0.0, 3.0]]])
    factor = fit_mean_field_factor(logits, np.ones((2, 1)), [0, 1], SOFTMAX)
    assert factor == 0.0


def test_factor_is_large_when_every_forecast_is_wrong():
    logits = np.array([[[3.0, 0.0]], [[0.0, 3.0]]])
    factor = fit_mean_field_factor(logits, np.ones((2, 1)), [1, 0], SOFTMAX)
    assert factor > 0.5 * np.exp(LOG_FACTOR_BOUNDS[1])


@pytest.mark.parametrize("typical", [0.5, 5.0])
def test_factor_with_a_prior_equals_a_grid_search(typical):
    logits, variance, labels = overconfident()
    targets = np.eye(3)[labels]
    factors = np.exp(np.linspace(*LOG_FACTOR_BOUNDS, num=4001))
    losses = [
        200 * mixture_nll(factor, logits, variance, targets, SOFTMAX)
        + 0.5 * np.log(factor / typical) ** 2
        for factor in factors
    ]
    found = fit_mean_field_factor(
        logits, variance, labels, SOFTMAX, typical_factor=typical
    )
    np.testing.assert_allclose(found, factors[np.argmin(losses)], rtol=0.01)
    alone = fit_mean_field_factor(logits, variance, labels, SOFTMAX)
    assert typical < found < alone


def test_prior_decides_where_the_variance_says_nothing():
    logits, variance, labels = overconfident()
    found = fit_mean_field_factor(
        logits, 0 * variance, labels, SOFTMAX, typical_factor=5.0
    )
    np.testing.assert_allclose(found, 5.0, rtol=1e-3)


def test_prior_does_not_outweigh_many_examples():
    logits, variance, labels = overconfident(examples=20_000)
    alone = fit_mean_field_factor(logits, variance, labels, SOFTMAX)
    found = fit_mean_field_factor(
        logits, variance, labels, SOFTMAX, typical_factor=5.0
    )
    np.testing.assert_allclose(found, alone, rtol=0.02)


def test_factor_is_zero_without_variance():
    logits, variance, labels = overconfident()
    assert fit_mean_field_factor(logits, 0 * variance, labels, SOFTMAX) == 0.0


@pytest.mark.parametrize("tens, is_left", [(1, False), (3, True)])
def test_deeper_of_two_valleys_is_found(tens, is_left):
    # Logit 6, right 9 times of 10, variance 100: best is a factor near 0.07.
    # Logit 9, right 4 times of 5, variance 0.01: best is one near 4,000.
    # Which valley is deeper depends on how many there are of the first kind.
    first, second = [0] * 9 + [1], [0, 0, 0, 0, 1]
    labels = np.array(first * tens + second)
    logits = np.full((len(labels), 1, 2), [6.0, 0.0])
    logits[-5:] = [9.0, 0.0]
    variance = np.full((len(labels), 1), 100.0)
    variance[-5:] = 0.01
    data = (logits, variance, np.eye(2)[labels], SOFTMAX)
    losses = [mixture_nll(factor, *data) for factor in (0.07, 20.0, 4000.0)]
    assert max(losses) == losses[1]  # a ridge between two valleys
    found = fit_mean_field_factor(logits, variance, labels, SOFTMAX)
    best, _ = brute_force(*data)
    assert (best < 1) == is_left
    np.testing.assert_allclose(found, best, rtol=0.01)


def test_loss_is_that_of_the_mean_of_probabilities():
    # Probabilities 1/2 and 3/4 of the label: mean 5/8.
    logits = np.log([[[1.0, 1.0], [3.0, 1.0]]])
    loss = negative_log_likelihood(logits, np.array([[1.0, 0.0]]), SOFTMAX)
    np.testing.assert_allclose(loss, -np.log(5 / 8))
    logits = np.log([[[1.0], [3.0]]])  # sigmoid: 1/2 and 3/4
    for target, probability in ((1.0, 5 / 8), (0.0, 3 / 8)):
        loss = negative_log_likelihood(logits, np.array([[target]]), SIGMOID)
        np.testing.assert_allclose(loss, -np.log(probability))


def test_loss_of_a_hopeless_forecast_is_finite():
    logits = np.array([[[1000.0, 0.0]]])
    loss = negative_log_likelihood(logits, np.array([[0.0, 1.0]]), SOFTMAX)
    assert loss == 1000.0


@pytest.mark.parametrize(
    "labels",
    [[2, 0], [[2], [0]], [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]],
    ids=["indices", "column", "one-hot"],
)
def test_labels_become_the_same_targets(labels):
    targets = as_targets(labels, 3, SOFTMAX)
    np.testing.assert_array_equal(targets, [[0, 0, 1], [1, 0, 0]])


def test_soft_labels_stay_as_they_are():
    soft = np.array([[0.5, 0.25, 0.25]])
    np.testing.assert_array_equal(as_targets(soft, 3, SOFTMAX), soft)


def test_binary_labels_become_a_column():
    targets = as_targets([1, 0], 1, SIGMOID)
    np.testing.assert_array_equal(targets, [[1.0], [0.0]])
    several = [[1, 0, 1], [0, 0, 1]]
    np.testing.assert_array_equal(as_targets(several, 3, SIGMOID), several)


def test_forecast_of_nan_does_not_decide_the_factor():
    logits, variance, labels = overconfident()
    expected = fit_mean_field_factor(
        logits[1:], variance[1:], labels[1:], SOFTMAX
    )
    logits[0] = np.nan
    found = fit_mean_field_factor(logits, variance, labels, SOFTMAX)
    np.testing.assert_allclose(found, expected, rtol=0.01)
