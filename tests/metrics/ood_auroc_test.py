"""The streaming AUROC counts pairs; see ood_histogram_test.py for more."""

import numpy as np
import pytest

from keras_plex.metrics import OODAUROC


def streamed(is_ood, y_pred, **options):
    metric = OODAUROC(**options)
    metric.update_state(is_ood, y_pred)
    return metric


def value(is_ood, y_pred, **options):
    return float(streamed(is_ood, y_pred, **options).result())


def test_counts_the_pairs_in_order():
    assert value([0, 0, 1, 1], [0.2, 0.4, 0.35, 0.1]) == 0.25
    assert value([0, 1], [0.1, 0.2]) == 1.0
    assert value([0, 1], [0.2, 0.1]) == 0.0
    assert value([0, 1], [0.2, 0.2]) == 0.5


def test_negative_scores_rank_below_positive_ones():
    scores = [-20.0, -3.0, -1e-6, 0.0, 1e-6, 5.0]
    assert value([0, 0, 0, 1, 1, 1], scores) == 1.0


def test_clustered_scores_stay_apart():
    # The 200 thresholds of a usual streaming AUC call these two equal.
    assert value([0, 1], [0.353238, 0.353976]) == 1.0


def test_saturated_scores_stay_apart():
    scores = np.float32([0.0, 6e-8, 1.2e-7, 1.8e-7, 2.4e-7])
    assert value([0, 0, 1, 1, 1], scores) == 1.0
    assert value([0, 1], [1e-30, 2e-30]) == 1.0


def test_large_and_infinite_scores_stay_apart():
    assert value([0, 0, 1, 1], [1e5, 1.1e5, 1.2e5, 1e30]) == 1.0
    assert value([0, 1, 1], [-np.inf, 3.0, np.inf]) == 1.0


def test_the_bound_is_half_the_share_of_pairs_in_one_bin():
    # Pairs: (.5, .5) in one bin, (.5, .9) not.
    metric = streamed([0, 1, 1], [0.5, 0.5, 0.9])
    assert float(metric.error_bound()) == pytest.approx(0.25)
