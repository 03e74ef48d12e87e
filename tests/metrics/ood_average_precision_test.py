"""The streaming average precision; see ood_histogram_test.py for more."""

import numpy as np
import pytest
from sklearn import metrics

from keras_plex.metrics import OODAveragePrecision


def value(is_ood, scores, weights=None):
    metric = OODAveragePrecision()
    metric.update_state(is_ood, scores, weights)
    return float(metric.result())


def test_is_the_mean_precision_of_the_ood_examples():
    assert value([0, 0, 1, 1], [0.2, 0.4, 0.35, 0.1]) == 0.5
    assert value([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]) == 1.0
    # From the top: 1 of 1, then 2 of 3.
    assert value([1, 0, 1], [1.0, 2.0, 3.0]) == pytest.approx(5 / 6)


def test_ties_share_a_threshold():
    assert value([0, 1, 1, 0], [0.5] * 4) == 0.5


def test_clustered_and_saturated_scores_stay_apart():
    assert value([0, 1], [0.353238, 0.353976]) == 1.0
    assert value([0, 0, 1], np.float32([0.0, 6e-8, 1.2e-7])) == 1.0


def test_weights_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    is_ood, scores = rng.integers(2, size=50), rng.integers(9, size=50)
    weights = rng.uniform(size=50)
    expected = metrics.average_precision_score(
        is_ood, scores, sample_weight=weights
    )
    assert value(is_ood, scores, weights) == pytest.approx(expected, abs=1e-6)
