"""The likelihood in closed form and against scikit-learn."""

import numpy as np
import pytest

from keras_plex.metrics import NegativeLogLikelihood
from keras_plex.metrics import negative_log_likelihood


def streamed(y_true, y_pred, **options):
    metric = NegativeLogLikelihood(**options)
    metric.update_state(y_true, y_pred)
    return float(metric.result())


def test_the_mean_of_the_members_is_scored_and_not_the_mean_score():
    members = [[[0.2, 0.8], [0.7, 0.3]]]  # mean (.45, .55)
    assert streamed([1], members) == pytest.approx(-np.log(0.55))


def test_a_uniform_forecast_costs_the_logarithm_of_the_classes():
    assert streamed([3], [[0.25] * 4]) == pytest.approx(np.log(4))


def test_a_soft_label_weighs_the_logarithms():
    value = streamed(np.array([[0.25, 0.75, 0.0]]), [[0.5, 0.5, 0.0]])
    assert value == pytest.approx(np.log(2))


def test_a_soft_label_of_two_classes_may_be_one_number():
    value = streamed([0.25], [[0.5]])
    assert value == pytest.approx(np.log(2))


def test_no_probability_for_the_label_is_infinite():
    assert streamed([1, 0], [[1.0, 0.0], [0.5, 0.5]]) == np.inf
    assert negative_log_likelihood([1], [[1.0, 0.0]]) == np.inf


def test_logits_keep_what_a_softmax_loses():
    assert streamed([0], [[0.0, 500.0]], from_logits=True) == 500.0
    assert streamed([0], [[500.0]], from_logits=True) == 500.0


def test_a_class_that_logits_rule_out_costs_nothing_elsewhere():
    value = streamed([0], [[0.0, -np.inf]], from_logits=True)
    assert value == 0.0


def test_equals_scikit_learn():
    from sklearn.metrics import log_loss

    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 100)
    labels = rng.integers(0, 4, 100)
    weights = rng.random(100)
    assert negative_log_likelihood(
        labels, probabilities, sample_weight=weights
    ) == pytest.approx(
        log_loss(labels, probabilities, sample_weight=weights), rel=1e-6
    )
