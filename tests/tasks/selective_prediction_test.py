"""Every number equals that of the metric of whole arrays."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from keras_plex import metrics
from keras_plex.tasks import SelectivePrediction
from keras_plex.tasks.measurements import predict_data
from tests.task_cases import TEST
from tests.task_cases import linear_model
from tests.task_cases import logits_model

X, Y = TEST


def test_numbers_are_those_of_the_metrics_and_of_scikit_learn():
    task = SelectivePrediction(TEST)
    model = logits_model()
    measured = task.measure(task.predict(model))
    forecast = model_forecast(model)
    expected = {
        "aurc": metrics.risk_coverage_auc(Y, forecast),
        "excess_aurc": metrics.risk_coverage_auc(Y, forecast, excess=True),
        "calibration_auc": metrics.calibration_auc(Y, forecast),
        "accuracy_at_80": metrics.selective_accuracy(Y, forecast),
        "accuracy_with_oracle": metrics.oracle_collaborative_accuracy(
            Y, forecast
        ),
    }
    assert measured == pytest.approx(expected, abs=1e-12)
    wrong = forecast.argmax(-1) != Y
    auc = roc_auc_score(wrong, 1 - forecast.max(-1).astype("float64"))
    assert measured["calibration_auc"] == pytest.approx(auc, abs=1e-3)


def model_forecast(model):
    return predict_data(model, X)[0].probabilities


def test_a_model_without_errors_has_no_calibration_auc():
    x = np.array([[2.0, 0.0], [0.0, 1.0]], "float32")
    task = SelectivePrediction((x, np.array([0, 1])))
    measured = task.measure(task.predict(linear_model(np.eye(2))))
    assert np.isnan(measured["calibration_auc"])
    assert measured["aurc"] == 0 and measured["accuracy_at_80"] == 1


def test_curve_is_short_and_ends_at_the_error_rate():
    task = SelectivePrediction(TEST)
    evidence = task.predict(logits_model())
    curve = task.curves(evidence)["risk_coverage"]
    assert len(curve["coverage"]) == len(curve["risk"]) == 101
    assert curve["coverage"][-1] == 1
    error_rate = np.mean(X.argmax(-1) != Y)
    assert curve["risk"][-1] == pytest.approx(error_rate)
