"""Accuracy of the most confident share."""

import numpy as np
import pytest

from keras_plex.metrics import SelectiveAccuracy


def value(labels, probabilities, **options):
    metric = SelectiveAccuracy(**options)
    metric.update_state(labels, probabilities)
    return float(metric.result())


# Right, wrong, right, wrong, from the most confident to the least.
LABELS, PROBABILITIES = [1, 0, 1, 0], [0.9375, 0.875, 0.75, 0.625]


@pytest.mark.parametrize(
    "coverage, expected",
    [(0.25, 1.0), (0.5, 0.5), (0.75, 2 / 3), (1.0, 0.5), (0.375, 1 / 1.5)],
)
def test_only_the_most_confident_count(coverage, expected):
    assert value(LABELS, PROBABILITIES, coverage=coverage) == pytest.approx(
        expected
    )


def test_tied_examples_count_with_their_average():
    assert value([1, 1, 0], [0.75] * 3, coverage=0.5) == pytest.approx(2 / 3)


def test_full_coverage_is_the_accuracy():
    rng = np.random.default_rng(0)
    probabilities, labels = rng.uniform(size=999), rng.integers(2, size=999)
    assert value(labels, probabilities, coverage=1) == pytest.approx(
        ((probabilities > 0.5) == labels).mean(), abs=1e-6
    )


@pytest.mark.parametrize("coverage", [0.0, 1.1, np.nan, "1"])
def test_coverage_must_be_a_positive_share(coverage):
    with pytest.raises(ValueError, match=r"`coverage` must lie in \(0, 1\]"):
        SelectiveAccuracy(coverage)
