"""The worst bin that holds weight."""

import numpy as np
import pytest

from keras_plex.metrics import MaximumCalibrationError
from keras_plex.metrics import calibration_error
from keras_plex.metrics import maximum_calibration_error


def test_the_largest_gap_of_a_bin():
    probabilities = np.array([[0.2, 0.8], [0.3, 0.7], [0.95, 0.05]])
    metric = MaximumCalibrationError(num_bins=10)
    metric.update_state([1, 0, 0], probabilities)
    assert float(metric.result()) == pytest.approx(0.7)  # sure at 0.7, wrong


def test_a_bin_without_weight_does_not_count():
    probabilities = np.array([[0.2, 0.8], [0.3, 0.7]])
    value = maximum_calibration_error(
        [1, 0], probabilities, sample_weight=[1.0, 0.0]
    )
    assert value == pytest.approx(0.2)


def test_equals_the_exact_family():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(4), 300)
    labels = generator.integers(4, size=300)
    expected = calibration_error(labels, probabilities, norm=np.inf)
    found = maximum_calibration_error(labels, probabilities)
    assert found == pytest.approx(expected, abs=1e-6)
