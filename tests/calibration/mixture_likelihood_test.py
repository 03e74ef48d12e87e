"""The likelihood of the mixture, its slope and its optimum."""

import numpy as np
import pytest

from keras_plex.calibration.mean_field import negative_log_likelihood
from keras_plex.calibration.mixture_likelihood import check_has_optimum
from keras_plex.calibration.mixture_likelihood import minimize_loss
from keras_plex.calibration.mixture_likelihood import mixture_loss

RNG = np.random.default_rng(0)
TARGETS = RNG.dirichlet(np.ones(4), size=6)
EQUAL = np.full(6, 1 / 6)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_loss_is_that_of_the_mean_of_the_probabilities():
    logits = 3 * RNG.normal(size=(6, 3, 4))
    weights = RNG.dirichlet(np.ones(6))
    loss, _ = mixture_loss(logits, TARGETS, weights)
    log_mixture = np.log(softmax(logits).mean(axis=1))
    expected = -np.sum(weights[:, None] * TARGETS * log_mixture)
    assert loss == pytest.approx(expected, rel=1e-12)


def test_one_unit_is_a_sigmoid():
    logits, labels = RNG.normal(size=(6, 2, 1)), np.arange(6) % 2
    targets = np.stack([1 - labels, labels], axis=-1)
    loss, gradient = mixture_loss(logits, targets, EQUAL)
    expected = negative_log_likelihood(
        logits, labels[:, None], "sigmoid_logits"
    )
    assert loss == pytest.approx(expected, rel=1e-12)
    assert gradient.shape == logits.shape


@pytest.mark.parametrize("units", [1, 4])
def test_gradient_is_the_slope(units):
    logits = RNG.normal(size=(6, 3, units))
    targets = TARGETS if units == 4 else RNG.dirichlet([1, 1], size=6)
    weights = RNG.dirichlet(np.ones(6))
    _, gradient = mixture_loss(logits, targets, weights)
    direction = RNG.normal(size=logits.shape)
    ahead = mixture_loss(logits + 1e-5 * direction, targets, weights)[0]
    behind = mixture_loss(logits - 1e-5 * direction, targets, weights)[0]
    slope = (ahead - behind) / 2e-5
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-7)


def test_huge_logits_neither_overflow_nor_lose_the_loss():
    logits = np.array([[[1e4, 0.0]]])
    loss, gradient = mixture_loss(logits, np.array([[0.0, 1.0]]), np.ones(1))
    assert loss == 1e4
    np.testing.assert_array_equal(gradient, [[[1.0, -1.0]]])


def test_descent_finds_the_bottom_of_a_bowl():
    def bowl(x):
        return float(np.sum((x - [1, 2]) ** 2)), 2 * (x - [1, 2])

    point, loss = minimize_loss(bowl, np.array([9.0, -9.0]))
    np.testing.assert_allclose(point, [1, 2], atol=1e-8)
    assert loss < 1e-15
    point, _ = minimize_loss(bowl, np.zeros(2), bounds=(-1, 1.5))
    np.testing.assert_allclose(point, [1, 1.5], atol=1e-8)


def test_descent_is_never_worse_than_its_start():
    def misleading(x):
        return float(x[0] ** 2), np.array([-1.0])  # the slope is a lie

    point, loss = minimize_loss(misleading, np.zeros(1))
    assert point.tolist() == [0.0] and loss == 0.0


def test_labels_that_are_all_right_have_no_optimum():
    logits = np.array([[[2.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [-1.0, 0.0]]])
    targets = np.eye(2)
    with pytest.raises(ValueError, match="no best temperature.*2 examples"):
        check_has_optimum(logits, targets)
    with pytest.raises(ValueError, match="Every label is right"):
        check_has_optimum(logits[..., 1:] - logits[..., :1], targets)
    one_member_is_wrong = np.copy(logits)
    one_member_is_wrong[0, 1] = [0.0, 1.0]
    check_has_optimum(one_member_is_wrong, targets)
    check_has_optimum(logits, np.array([[0.9, 0.1], [0.0, 1.0]]))
