"""Accuracy and proper scores equal those of `measure_forecasts`."""

import numpy as np
import pytest

from keras_plex.tasks import InDistribution
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import predict_data
from tests.task_cases import TEST
from tests.task_cases import linear_model
from tests.task_cases import logits_model
from tests.task_cases import softmax

X, Y = TEST


def test_numbers_are_those_of_measure_forecasts():
    task, model = InDistribution(TEST), logits_model()
    predictions, labels = predict_data(model, TEST)
    expected = measure_forecasts(predictions, labels)
    measured = task.measure(task.predict(model))
    assert measured == pytest.approx(expected, abs=1e-6)


def test_three_of_four_are_right():
    x = np.array([[4.0, 0.0], [0.0, 2.0], [1.0, 0.0], [3.0, 1.0]], "float32")
    task = InDistribution((x, np.array([0, 1, 1, 0])))
    measured = task.measure(task.predict(linear_model(np.eye(2))))
    assert measured["accuracy"] == 0.75


def test_the_curve_is_the_confidence_of_right_and_wrong():
    task = InDistribution(TEST)
    evidence = task.predict(logits_model())
    curve = task.curves(evidence)["confidence"]
    confidence = softmax(TEST[0]).max(-1)
    right = softmax(TEST[0]).argmax(-1) == TEST[1]
    for name, kind in (("right", right), ("wrong", ~right)):
        counts, _ = np.histogram(confidence[kind], np.linspace(0, 1, 21))
        np.testing.assert_allclose(curve[name], counts / kind.sum())
