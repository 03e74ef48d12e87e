"""The divergence of forecasts from labels."""

import numpy as np
import pytest

from keras_plex.metrics import SoftLabelKLDivergence
from keras_plex.metrics import negative_log_likelihood
from keras_plex.metrics import soft_label_kl_divergence


def streamed(labels, y_pred, **options):
    metric = SoftLabelKLDivergence(**options)
    metric.update_state(labels, y_pred)
    return float(metric.result())


def test_equals_the_sum_over_classes():
    labels = np.random.default_rng(0).dirichlet(np.ones(4), 50)
    forecasts = np.random.default_rng(1).dirichlet(np.ones(4), 50)
    terms = labels * np.log(labels / forecasts)
    expected = terms.sum(axis=1).mean()
    assert streamed(labels, forecasts) == pytest.approx(expected, abs=1e-5)


def test_is_zero_for_the_labels_themselves():
    labels = np.random.default_rng(0).dirichlet(np.full(4, 0.1), 50)
    assert streamed(labels, labels) == pytest.approx(0.0, abs=1e-6)


def test_of_hard_labels_is_the_likelihood():
    labels, forecasts = [0, 1], [[0.75, 0.25], [0.5, 0.5]]
    expected = negative_log_likelihood(labels, forecasts)
    value = soft_label_kl_divergence(labels, forecasts)
    assert value == pytest.approx(expected)


def test_is_exact_for_large_logits():
    value = streamed([[0.5, 0.5]], [[0.0, 500.0]], from_logits=True)
    assert value == pytest.approx(250.0 + np.log(0.5))


def test_is_infinite_where_the_forecast_excludes_a_label():
    assert streamed([[0.5, 0.5]], [[1.0, 0.0]]) == np.inf
    assert streamed([[1.0, 0.0]], [[1.0, 0.0]]) == 0.0
