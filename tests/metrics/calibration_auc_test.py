"""Calibration AUC: errors are found by their low confidence."""

import numpy as np
import pytest
from sklearn import metrics

from keras_plex.metrics import CalibrationAUC


def value(labels, probabilities, **options):
    metric = CalibrationAUC(**options)
    metric.update_state(labels, probabilities)
    return float(metric.result())


def draw():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 500).astype("float32")
    labels = [rng.choice(4, p=p / p.sum()) for p in probabilities.astype(float)]
    confidence = probabilities.max(-1)
    return labels, probabilities, confidence, probabilities.argmax(-1) == labels


def test_the_roc_area_is_that_of_the_detector_of_errors():
    labels, probabilities, confidence, right = draw()
    expected = metrics.roc_auc_score(~right, 1 - confidence)
    found = value(labels, probabilities)
    assert found == pytest.approx(expected, abs=1e-4)
    # Finding what is right is the same task, seen from the other side.
    found = value(labels, probabilities, positive="correct")
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_pr_area_depends_on_what_is_to_be_found():
    labels, probabilities, confidence, right = draw()
    expected = metrics.average_precision_score(~right, 1 - confidence)
    found = value(labels, probabilities, curve="PR")
    assert found == pytest.approx(expected, abs=1e-3)
    expected = metrics.average_precision_score(right, confidence)
    found = value(labels, probabilities, curve="PR", positive="correct")
    assert found == pytest.approx(expected, abs=1e-3)


def test_equal_confidence_is_chance():
    labels, probabilities = [0, 1, 1, 0, 1], [[0.75, 0.25]] * 5
    assert value(labels, probabilities) == 0.5
    assert value(labels, probabilities, curve="PR") == pytest.approx(0.6)
    assert value(
        labels, probabilities, curve="PR", positive="correct"
    ) == pytest.approx(0.4)


def test_no_errors_give_nan():
    assert np.isnan(value([0, 0], [[0.75, 0.25], [0.6, 0.4]]))


def test_other_names_are_an_error():
    with pytest.raises(ValueError, match='`curve` must be "ROC" or "PR"'):
        CalibrationAUC("roc")
    with pytest.raises(ValueError, match='"incorrect" or "correct". Rec'):
        CalibrationAUC(positive="right")
