"""Whole arrays: what the functions add to the metrics, and refuse."""

import numpy as np
import pytest

from keras_plex.metrics import adaptive_calibration_error
from keras_plex.metrics import brier_score
from keras_plex.metrics import calibration_bins
from keras_plex.metrics import calibration_error
from keras_plex.metrics import calibration_errors
from keras_plex.metrics import classwise_calibration_error
from keras_plex.metrics import expected_calibration_error
from keras_plex.metrics import maximum_calibration_error
from keras_plex.metrics import negative_log_likelihood
from keras_plex.metrics import soft_label_kl_divergence
from keras_plex.metrics.arrays import CHUNK

LABELS = np.array([0, 1, 2])
PROBABILITIES = np.full((3, 3), 1 / 3)

each_function = pytest.mark.parametrize(
    "function",
    [
        adaptive_calibration_error,
        brier_score,
        calibration_bins,
        calibration_error,
        calibration_errors,
        classwise_calibration_error,
        expected_calibration_error,
        maximum_calibration_error,
        negative_log_likelihood,
        soft_label_kl_divergence,
    ],
)


def test_arrays_longer_than_a_chunk_are_read_to_the_end():
    labels = np.zeros(CHUNK + 1, "int32")
    probabilities = np.tile([1.0, 0.0], (CHUNK + 1, 1))
    probabilities[-1] = [0.0, 1.0]
    expected = 2.0 / (CHUNK + 1)
    assert brier_score(labels, probabilities) == pytest.approx(expected)


def test_bins_report_weight_confidence_and_accuracy():
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6]])
    bins = calibration_bins(
        [0, 1, 1], probabilities, num_bins=4, sample_weight=[1.0, 2.0, 2.0]
    )
    np.testing.assert_allclose(bins.weight, [0, 0, 4, 1])
    np.testing.assert_allclose(bins.confidence, [np.nan, np.nan, 0.65, 0.9])
    np.testing.assert_allclose(bins.accuracy, [np.nan, np.nan, 0.5, 1.0])


def test_single_precision_forecasts_keep_their_bins():
    # As float64, float32(0.7) lies below the edge 0.7.
    probabilities = np.array([[0.7, 0.3]], "float32")
    bins = calibration_bins([0], probabilities, num_bins=10)
    assert bins.weight[7] == 1


@each_function
def test_one_hot_equals_class_indices(function):
    np.testing.assert_array_equal(
        function(np.eye(3)[LABELS], PROBABILITIES),
        function(LABELS, PROBABILITIES),
    )


@each_function
def test_logits_are_an_error_that_names_the_softmax(function):
    with pytest.raises(ValueError, match="If they are logits, apply a softmax"):
        function(LABELS, 5.0 * np.eye(3))


@each_function
def test_nan_is_an_error(function):
    with pytest.raises(ValueError, match="must not hold NaN. Received: 1 of 9"):
        function(LABELS, np.where(np.eye(3) * [1, 0, 0], np.nan, 1 / 3))


@each_function
def test_nothing_is_an_error(function):
    with pytest.raises(ValueError, match="`probabilities` is empty"):
        function(np.zeros(0), np.zeros((0, 3)))


@each_function
def test_a_wrong_rank_is_an_error(function):
    with pytest.raises(ValueError, match=r"must be \(examples, classes\)"):
        function(LABELS, np.ones((3, 1, 1, 1)))


@each_function
def test_a_wrong_number_of_labels_is_an_error(function):
    with pytest.raises(ValueError, match="Received: 2 rows for 3 forecasts"):
        function(LABELS[:2], PROBABILITIES)


@each_function
def test_a_wrong_shape_of_labels_is_an_error(function):
    with pytest.raises(ValueError, match=r"soft labels \(examples, 3\)"):
        function(np.eye(4)[LABELS], PROBABILITIES)


@each_function
@pytest.mark.parametrize("label", [-1, 3, 0.5])
def test_a_label_that_is_no_class_is_an_error(function, label):
    with pytest.raises(ValueError, match=f"0 to 2. Received: {label}"):
        function(np.array([0, 1, label]), PROBABILITIES)


@each_function
def test_labels_that_are_no_distribution_are_an_error(function):
    with pytest.raises(ValueError, match="must sum to one over the classes"):
        function(np.zeros((3, 3)), PROBABILITIES)


@each_function
def test_weights_of_another_length_are_an_error(function):
    with pytest.raises(ValueError, match="one number per example"):
        function(LABELS, PROBABILITIES, sample_weight=[1.0])


@each_function
@pytest.mark.parametrize("weights", [[1, 1, -1], [0, 0, 0], [1, 1, np.nan]])
def test_weights_that_weigh_nothing_are_an_error(function, weights):
    with pytest.raises(ValueError, match="not be negative or NaN, nor all"):
        function(LABELS, PROBABILITIES, sample_weight=weights)
