"""Every number equals that of the metric of whole arrays."""

import numpy as np
import pytest

from keras_plex import metrics
from keras_plex.tasks import Calibration
from tests.task_cases import TEST
from tests.task_cases import linear_model
from tests.task_cases import logits_model
from tests.task_cases import poor_model
from tests.task_cases import softmax

X, Y = TEST


@pytest.mark.parametrize("labels", [Y, Y[:, None], np.eye(4)[Y]])
def test_numbers_are_those_of_the_metrics(labels):
    task = Calibration((X, labels))
    measured = task.measure(task.predict(poor_model()))
    forecast = softmax(np.roll(2 * X, 1, axis=1))
    expected = {
        "ece": metrics.expected_calibration_error(Y, forecast),
        "mce": metrics.maximum_calibration_error(Y, forecast),
        "nll": metrics.negative_log_likelihood(Y, forecast),
        "brier": metrics.brier_score(Y, forecast),
    }
    assert measured == pytest.approx(expected, abs=1e-5)


def test_a_forecaster_that_knows_the_frequencies_is_calibrated():
    # Not 0.8, an edge of 15 bins: rows of one batch may round to either side.
    x = np.log(np.array([[0.7, 0.3]] * 10, "float32"))
    task = Calibration((x, np.array([0] * 7 + [1] * 3)))
    measured = task.measure(task.predict(linear_model(np.eye(2))))
    assert measured["ece"] == pytest.approx(0.0, abs=1e-6)


def test_bins_of_the_curve_give_the_error():
    task = Calibration(TEST)
    evidence = task.predict(logits_model())
    bins = task.curves(evidence)["reliability"]
    weight, confidence, accuracy = map(np.array, bins.values())
    assert weight.sum() == len(Y) and len(weight) == 15
    expected = metrics.calibration_bins(Y, softmax(X))
    used = weight > 0
    np.testing.assert_allclose(weight, expected.weight)
    np.testing.assert_allclose(
        confidence[used], expected.confidence[used], atol=1e-5
    )
    ece = np.average(np.abs(accuracy - confidence), weights=weight)
    assert task.measure(evidence)["ece"] == pytest.approx(ece)
