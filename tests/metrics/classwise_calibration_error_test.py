"""The error of each class, and their mean."""

import numpy as np
import pytest
from keras import ops

from keras_plex.metrics import ClasswiseCalibrationError
from keras_plex.metrics import classwise_calibration_error
from keras_plex.metrics.class_bins import class_sums
from keras_plex.metrics.confidence_bins import equal_width_bin


def reference(labels, probabilities, num_bins, threshold=0.0):
    """Ten lines of float64 NumPy."""
    errors = []
    for k in range(probabilities.shape[1]):
        p, y = probabilities[:, k], labels == k
        p, y = p[p >= threshold], y[p >= threshold]
        if len(p):
            index = np.minimum((p * num_bins).astype(int), num_bins - 1)
            bins = [index == b for b in range(num_bins)]
            gaps = [abs(y[b].sum() - p[b].sum()) for b in bins]
            errors.append(sum(gaps) / len(p))
    return np.mean(errors)


@pytest.mark.parametrize("threshold", [0.0, 0.01, 0.3, 0.9])
@pytest.mark.parametrize("num_bins", [1, 7, 15])
def test_equals_a_float64_reference(num_bins, threshold):
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.full(4, 0.5), 200)
    labels = generator.integers(4, size=200)
    metric = ClasswiseCalibrationError(num_bins, threshold=threshold)
    metric.update_state(labels, probabilities)
    expected = reference(labels, probabilities, num_bins, threshold)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


def test_a_class_that_the_top_label_hides_is_seen():
    # The predicted class is right as often as it says; the others swap.
    probabilities = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])
    value = classwise_calibration_error([0, 2], probabilities)
    assert value == pytest.approx((0.0 + 0.5 + 0.5) / 3)


def test_a_perfect_forecaster_has_no_error():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 100)
    value = classwise_calibration_error(probabilities, probabilities)
    assert value == pytest.approx(0.0, abs=1e-6)


def test_the_state_is_made_by_the_first_batch():
    metric = ClasswiseCalibrationError(num_bins=5)
    assert not metric.variables
    metric.update_state([0, 1], [[0.9, 0.1], [0.2, 0.8]])
    assert [tuple(v.shape) for v in metric.variables] == [(2, 5, 3)] * 2


def test_another_number_of_classes_is_an_error():
    metric = ClasswiseCalibrationError()
    metric.update_state([0], [[0.9, 0.1]])
    with pytest.raises(ValueError, match="must have as many classes"):
        metric.update_state([0], [[0.9, 0.1, 0.0]])


@pytest.mark.parametrize("threshold", [-0.1, 1.0, "0.1", None])
def test_threshold_must_be_a_probability(threshold):
    with pytest.raises(ValueError, match="`threshold` must be a probability"):
        ClasswiseCalibrationError(threshold=threshold)


def test_a_thousand_classes_fit_into_memory():
    sums = class_sums(
        ops.zeros((4, 1000)),
        ops.ones((4, 1000)) / 1000,
        ops.ones((4,)),
        find_bin=lambda values: equal_width_bin(values, 15),
        num_bins=15,
        threshold=0.0,
    )
    totals = ops.convert_to_numpy(sums)
    assert totals.shape == (1000, 15, 3)
    np.testing.assert_array_equal(totals[:, 0, 0], 4.0)
