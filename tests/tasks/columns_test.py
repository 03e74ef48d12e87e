"""One number per example, whose means are the metrics."""

import numpy as np
import pytest

from keras_plex import metrics
from keras_plex.predictions import Predictions
from keras_plex.tasks.columns import forecast_columns
from keras_plex.tasks.columns import value_metrics

FORECAST = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], "float32")


def columns_of(labels):
    predictions = Predictions.from_outputs(FORECAST, "probabilities")
    return forecast_columns(predictions, labels, value_metrics())


def test_columns_of_hard_labels():
    columns = columns_of(np.array([0, 1]))
    assert columns["right"].tolist() == [1, 0]
    np.testing.assert_allclose(columns["confidence"], [0.7, 0.6])
    np.testing.assert_allclose(columns["uncertainty"], [0.15, 0.2], atol=1e-7)
    np.testing.assert_allclose(columns["nll"], -np.log([0.7, 0.3]), atol=1e-6)
    # .3^2 + .2^2 + .1^2; .1^2 + .7^2 + .6^2
    np.testing.assert_allclose(columns["brier"], [0.14, 0.86], atol=1e-6)
    np.testing.assert_allclose(columns["kl"], columns["nll"], atol=1e-6)
    np.testing.assert_allclose(columns["label_entropy"], [0, 0])


@pytest.mark.parametrize(
    "labels", [[2, 0], [[2], [0]], [[0, 0, 1], [1, 0, 0]], [[0, 0.5, 0.5]] * 2]
)
def test_means_are_the_metrics(labels):
    labels = np.array(labels)
    columns = columns_of(labels)
    for name, metric in {
        "nll": metrics.negative_log_likelihood,
        "brier": metrics.brier_score,
        "kl": metrics.soft_label_kl_divergence,
    }.items():
        expected = metric(labels, FORECAST)
        assert columns[name].mean() == pytest.approx(expected, abs=1e-6)


def test_a_soft_label_is_right_in_part():
    columns = columns_of(np.array([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(columns["right"], [0.25, 1.0])


def test_without_labels_there_is_the_entropy():
    assert list(columns_of(None)) == ["entropy"]


def test_an_impossible_label_costs_infinitely():
    predictions = Predictions.from_outputs(
        np.array([[1.0, 0.0]]), "probabilities"
    )
    columns = forecast_columns(predictions, np.array([1]), value_metrics())
    assert columns["nll"][0] == np.inf


@pytest.mark.parametrize("kind", ["softmax_logits", "sigmoid_logits"])
def test_logits_far_apart_cost_what_they_say(kind):
    logits = np.array([[-60.0, 60.0]] * 2, "float32")
    if kind == "sigmoid_logits":
        logits = logits[:, 1:] - logits[:, :1]
    labels = np.array([1, 0])
    for sign in (1, -1):
        predictions = Predictions.from_outputs(sign * logits, kind)
        columns = forecast_columns(predictions, labels, value_metrics())
        np.testing.assert_allclose(
            columns["nll"], [0.0, 120.0][::sign], atol=1e-5
        )


def test_a_forecast_of_its_own_is_taken_as_it_is():
    predictions = Predictions.from_outputs(
        np.array([[2.0, 0.0]]),
        "softmax_logits",
        probabilities=np.array([[1.0, 0.0]], "float32"),
    )
    columns = forecast_columns(predictions, np.array([1]), value_metrics())
    assert columns["nll"][0] == np.inf
