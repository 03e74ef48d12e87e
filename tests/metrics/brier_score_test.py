"""The Brier score in closed form and against scikit-learn."""

import numpy as np
import pytest

from keras_plex.metrics import BrierScore
from keras_plex.metrics import brier_score


def streamed(y_true, y_pred, **options):
    metric = BrierScore(**options)
    metric.update_state(y_true, y_pred)
    return float(metric.result())


def test_is_summed_over_classes():
    assert streamed([0], [[0.5, 0.5]]) == 0.25 + 0.25
    members = [[[0.2, 0.8], [0.7, 0.3]]]  # mean (.45, .55)
    assert streamed([1], members) == pytest.approx(2 * 0.45**2)


def test_runs_from_zero_to_two():
    assert streamed([0], [[1.0, 0.0, 0.0]]) == 0.0
    assert streamed([1], [[1.0, 0.0, 0.0]]) == 2.0


def test_a_soft_label_is_a_point_like_any_other():
    value = streamed(np.array([[0.5, 0.5, 0.0]]), [[0.0, 0.5, 0.5]])
    assert value == 0.25 + 0.25


def test_is_twice_the_score_of_scikit_learn_for_class_one():
    from sklearn.metrics import brier_score_loss

    rng = np.random.default_rng(0)
    probabilities, labels = rng.random(100), rng.integers(0, 2, 100)
    assert brier_score(labels, probabilities) == pytest.approx(
        2 * brier_score_loss(labels, probabilities), rel=1e-6
    )
