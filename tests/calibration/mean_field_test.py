"""Scale and mean-field factor are the best ones on held-out data."""

import numpy as np
import pytest
from scipy import special

from keras_plex.calibration.mean_field import LOG_FACTOR_BOUNDS
from keras_plex.calibration.mean_field import LOG_SCALE_BOUNDS
from keras_plex.calibration.mean_field import as_targets
from keras_plex.calibration.mean_field import fit_mean_field
from keras_plex.calibration.mean_field import negative_log_likelihood
from keras_plex.calibration.search import minimize_from_axes

SOFTMAX, SIGMOID = "softmax_logits", "sigmoid_logits"


def mixture_nll(scale, factor, logits, variance, targets, kind):
    """-mean log of the mean over members of the flattened forecasts."""
    scaled = scale * logits / np.sqrt(1 + factor * variance[..., None])
    if kind == SOFTMAX:
        forecast = special.softmax(scaled, axis=-1).mean(axis=1)
        return -np.mean(np.sum(targets * np.log(forecast), axis=-1))
    forecast = special.expit(scaled).mean(axis=1)
    each = targets * np.log(forecast) + (1 - targets) * np.log(1 - forecast)
    return -np.mean(np.sum(each, axis=-1))


def penalized(scale, factor, logits, variance, *rest):
    """The negative logarithm of the posterior of both, per example."""
    # N(-log median variance, 2) and N(0, 0.5): standard deviations.
    distance = (np.log(factor * np.median(variance)) / 2.0) ** 2
    distance += (np.log(scale) / 0.5) ** 2
    nll = mixture_nll(scale, factor, logits, variance, *rest)
    return nll + 0.5 * distance / len(logits)


def brute_force(*data):
    """The best of 121 x 81 pairs between the bounds, and its loss."""
    scales = np.exp(np.linspace(*LOG_SCALE_BOUNDS, num=81))
    factors = np.exp(np.linspace(*LOG_FACTOR_BOUNDS, num=121))
    losses = [
        [penalized(scale, factor, *data) for factor in factors]
        for scale in scales
    ]
    i, j = np.unravel_index(np.argmin(losses), np.shape(losses))
    return (scales[i], factors[j]), losses[i][j]


def check_against_brute_force(logits, variance, labels, targets, kind):
    found = fit_mean_field(logits, variance, labels, kind)
    data = (logits, variance, targets, kind)
    _, loss = brute_force(*data)
    assert penalized(*found, *data) <= loss + 1e-9
    return found


def overconfident(classes=3, examples=200, ensemble=2, seed=0):
    """Large logits; the labels are noise where the variance is large."""
    rng = np.random.default_rng(seed)
    logits = 4 * rng.normal(size=(examples, ensemble, classes))
    variance = rng.uniform(size=(examples, ensemble)) ** 2
    noise = rng.gumbel(size=(examples, classes)) * (1 + 4 * variance[:, :1])
    return logits, variance, (logits.mean(1) + noise).argmax(-1)


@pytest.mark.parametrize("seed", range(3))
def test_no_pair_of_a_grid_suits_classes_better(seed):
    logits, variance, labels = overconfident(seed=seed)
    targets = np.eye(3)[labels]
    check_against_brute_force(logits, variance, labels, targets, SOFTMAX)


@pytest.mark.parametrize("classes", [1, 3])
def test_no_pair_of_a_grid_suits_labels_better(classes):
    rng = np.random.default_rng(1)
    logits = 4 * rng.normal(size=(200, 2, classes))
    variance = rng.uniform(size=(200, 2))
    noise = rng.logistic(size=(200, classes)) * 3
    labels = (logits.mean(1) + noise > 0).astype("int32")
    check_against_brute_force(logits, variance, labels, labels, SIGMOID)


def test_what_made_the_labels_is_found():
    # Each label is drawn from the forecast of these two numbers.
    scale, factor = 0.4, 12.0
    rng = np.random.default_rng(0)
    logits = 4 * rng.normal(size=(20_000, 1, 3))
    variance = rng.uniform(size=(20_000, 1)) ** 2
    latents = scale * logits / np.sqrt(1 + factor * variance[..., None])
    labels = (latents[:, 0] + rng.gumbel(size=(20_000, 3))).argmax(-1)
    found = fit_mean_field(logits, variance, labels, SOFTMAX)
    np.testing.assert_allclose(found, (scale, factor), rtol=0.1)


def test_forecasts_that_are_all_too_sure_do_not_need_the_variance():
    # The surest forecasts have the largest variance, and deserve none of it: a
    # factor that is also the temperature makes them the least sure.
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(5000, 1, 2)) * [2.0, 0.0]
    labels = (latents[:, 0] + rng.gumbel(size=(5000, 2))).argmax(-1)
    variance = 0.01 + 0.01 * np.abs(latents[..., 0])
    scale, factor = fit_mean_field(10 * latents, variance, labels, SOFTMAX)
    assert 0.08 < scale < 0.13
    assert factor < 20
    flattened = np.abs(latents[..., 0]) / np.sqrt(1 + factor * variance)
    order = np.argsort(np.abs(latents[:, 0, 0]))
    assert (np.diff(flattened[order, 0]) > 0).all()


def test_no_forecast_becomes_surer_though_every_one_is_right():
    logits = np.tile([[[3.0, 0.0]], [[0.0, 3.0]]], (500, 1, 1))
    labels = np.tile([0, 1], 500)
    found = fit_mean_field(logits, np.ones((1000, 1)), labels, SOFTMAX)
    assert found.scale == pytest.approx(1.0, abs=1e-3)
    assert found.factor < 0.02


def test_scale_is_small_when_every_forecast_is_wrong():
    logits = np.tile([[[3.0, 0.0]], [[0.0, 3.0]]], (500, 1, 1))
    labels = np.tile([1, 0], 500)
    found = fit_mean_field(logits, np.ones((1000, 1)), labels, SOFTMAX)
    assert found.scale / np.sqrt(1 + found.factor) < 0.03


@pytest.mark.parametrize("size", [0.01, 1.0, 100.0])
def test_priors_decide_where_there_is_little_data(size):
    logits, variance, labels = overconfident(examples=2)
    variance = size * (1.0 + variance)
    found = fit_mean_field(logits, variance, labels, SOFTMAX)
    assert 0.3 < found.scale <= 1.0
    assert 0.1 < found.factor * np.median(variance) < 10.0


def test_factor_without_any_variance_is_one():
    logits, variance, labels = overconfident()
    found = fit_mean_field(logits, 0 * variance, labels, SOFTMAX)
    np.testing.assert_allclose(found.factor, 1.0, rtol=5e-3)


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
    many = 200  # so that no prior decides

    def loss(point):
        data = (logits, variance, np.eye(2)[labels], SOFTMAX)
        return mixture_nll(1.0, np.exp(point[1]), *data)

    losses = [loss([0.0, np.log(factor)]) for factor in (0.07, 20.0, 4000.0)]
    assert max(losses) == losses[1]  # a ridge between two valleys
    bounds = (LOG_SCALE_BOUNDS, LOG_FACTOR_BOUNDS)
    center = (0.0, np.log(20.0))
    found = minimize_from_axes(loss, center, bounds, (False, True))
    assert (found[1] < 0) == is_left
    fitted = fit_mean_field(
        np.tile(logits, (many, 1, 1)),
        np.tile(variance, (many, 1)),
        np.tile(labels, many),
        SOFTMAX,
    )
    data = (logits, variance, np.eye(2)[labels], SOFTMAX)
    grid = np.exp(np.linspace(*LOG_FACTOR_BOUNDS, num=121))
    best = min(
        mixture_nll(scale, factor, *data)
        for factor in grid
        for scale in np.exp(np.linspace(*LOG_SCALE_BOUNDS, num=81))
    )
    assert mixture_nll(*fitted, *data) < best + 1e-3


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
    expected = fit_mean_field(logits[1:], variance[1:], labels[1:], SOFTMAX)
    logits[0] = np.nan
    found = fit_mean_field(logits, variance, labels, SOFTMAX)
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_a_weight_counts_as_so_many_examples():
    logits, variance, labels = overconfident()
    counts = 1 + np.arange(len(labels)) % 3
    rows = np.repeat(np.arange(len(labels)), counts)
    targets = np.eye(3)[labels]
    np.testing.assert_allclose(
        negative_log_likelihood(logits, targets, SOFTMAX, counts),
        negative_log_likelihood(logits[rows], targets[rows], SOFTMAX),
    )
    found = [
        fit_mean_field(logits, variance, labels, SOFTMAX, weights)
        for weights in (None, np.full(len(labels), 2.0), counts)
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)
    assert abs(found[2].factor - found[0].factor) > 1e-3


@pytest.mark.parametrize("label", [-1, 3, 0.5])
def test_a_label_of_no_class_is_an_error(label):
    with pytest.raises(ValueError, match=f"class indices 0 to 2.*: {label}"):
        as_targets([0, label], 3, SOFTMAX)
