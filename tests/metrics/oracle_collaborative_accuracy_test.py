"""Accuracy with a reviewer of the least confident predictions."""

import numpy as np
import pytest

from keras_plex.metrics import OracleCollaborativeAccuracy
from keras_plex.metrics import oracle_collaborative_accuracy

PROBABILITIES = [0.51, 0.45, 0.39, 0.66, 0.68, 0.29, 0.81, 0.85]
LABELS = [0, 0, 0, 1, 0, 1, 1, 1]


def value(labels, probabilities, **options):
    metric = OracleCollaborativeAccuracy(**options)
    metric.update_state(labels, probabilities)
    return float(metric.result())


@pytest.mark.parametrize(
    "fraction, expected", [(0.4, 0.7916667), (0.15, 0.6875)]
)
def test_ten_bins_give_the_values_of_the_reference(fraction, expected):
    options = {"fraction": fraction, "num_bins": 10}
    assert value(LABELS, PROBABILITIES, **options) == pytest.approx(expected)
    assert oracle_collaborative_accuracy(
        LABELS, PROBABILITIES, **options
    ) == pytest.approx(expected)


def test_a_threshold_gives_the_value_of_the_reference():
    labels = [0, 0, 1, 1, 0, 1, 1, 1]
    probabilities = [0.51, 0.45, 0.39, 0.76, 0.68, 0.29, 0.81, 0.85]
    options = {"fraction": 0.3, "num_bins": 10, "threshold": 0.655}
    assert value(labels, probabilities, **options) == pytest.approx(0.75)
    assert oracle_collaborative_accuracy(
        labels, probabilities, **options
    ) == pytest.approx(0.75)


def test_without_bins_the_least_confident_are_reviewed():
    # .51 is wrong, .45 and .39 are right.
    for fraction, expected in [(0, 5), (0.2, 6), (0.4, 6), (1, 8)]:
        found = value(LABELS, PROBABILITIES, fraction=fraction)
        assert found == pytest.approx(expected / 8)


def test_one_bin_is_chance():
    # Half of the examples are reviewed, and of the errors.
    found = value(LABELS, PROBABILITIES, fraction=0.5, num_bins=1)
    assert found == pytest.approx((5 + 1.5) / 8)


@pytest.mark.parametrize("num_bins", [2, 15, 100, 1000])
def test_bins_of_equal_width_stay_apart(num_bins):
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), 400).astype("float32")
    labels = rng.integers(3, size=400)
    options = {"fraction": 0.3, "num_bins": num_bins}
    assert value(labels, probabilities, **options) == pytest.approx(
        oracle_collaborative_accuracy(labels, probabilities, **options),
        abs=1e-6,
    )


def test_bad_arguments_are_errors():
    with pytest.raises(ValueError, match=r"`fraction` must lie in \[0, 1\]"):
        OracleCollaborativeAccuracy(1.5)
    with pytest.raises(ValueError, match="integer from 1 to 1000, or None"):
        OracleCollaborativeAccuracy(num_bins=0)
    with pytest.raises(ValueError, match=r"`threshold` must lie in \[0, 1\]"):
        OracleCollaborativeAccuracy(threshold=-0.5)
    with pytest.raises(ValueError, match="`threshold` is for two classes"):
        value([0], [[0.5, 0.3, 0.2]], threshold=0.5)
