"""AURC: the mean error rate of the most confident."""

import numpy as np
import pytest

from keras_plex.metrics import RiskCoverageAUC


def value(labels, probabilities, **options):
    metric = RiskCoverageAUC(**options)
    metric.update_state(labels, probabilities)
    return float(metric.result())


# Right, wrong, right, wrong, from the most confident to the least.
LABELS, PROBABILITIES = [1, 0, 1, 0], [0.9375, 0.875, 0.75, 0.625]


def test_is_the_mean_of_the_risks():
    assert value(LABELS, PROBABILITIES) == pytest.approx(
        (0 + 1 / 2 + 1 / 3 + 2 / 4) / 4
    )


def test_ties_count_in_expectation():
    # One error of two: it is the first half of the time.
    assert value([1, 0], [0.75, 0.75]) == pytest.approx((0.5 + 0.5) / 2)
    # Two errors of three.
    assert value([1, 0, 0], [0.75] * 3) == pytest.approx(2 / 3)


def test_the_excess_is_zero_for_a_perfect_ranking():
    assert value([1, 1, 0, 0], PROBABILITIES, excess=True) == pytest.approx(
        0.0, abs=1e-7
    )
    # The best order has risks 0, 0, 1/3, 2/4.
    assert value(LABELS, PROBABILITIES, excess=True) == pytest.approx(
        (1 / 2) / 4
    )


@pytest.mark.parametrize("labels, expected", [([1] * 4, 0.0), ([0] * 4, 1.0)])
def test_without_errors_or_without_hits_there_is_one_risk(labels, expected):
    assert value(labels, PROBABILITIES) == pytest.approx(expected)
    assert value(labels, PROBABILITIES, excess=True) == pytest.approx(
        0.0, abs=1e-7
    )


def test_a_large_set_keeps_its_digits():
    rng = np.random.default_rng(0)
    probabilities = rng.uniform(0.5, 1, 200_000).astype("float32")
    labels = (rng.uniform(size=200_000) < probabilities).astype(int)
    metric = RiskCoverageAUC()
    for rows in np.split(np.arange(200_000), 4):
        metric.update_state(labels[rows], probabilities[rows])
    errors = 1 - labels[np.argsort(-probabilities, kind="stable")]
    risks = np.cumsum(errors) / np.arange(1, 200_001)
    assert float(metric.result()) == pytest.approx(risks.mean(), abs=1e-5)
    assert float(metric.error_bound()) < 1e-3
