"""The calibration error in closed form, published numbers, NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.metrics import ExpectedCalibrationError
from keras_plex.metrics import expected_calibration_error

# Confidences .51 .55 .61 .66 .68 .71 .81 .85; right: all but .51, .71 (y=1
# has .29) and .45 -> .55, see the counts below.
BINARY = np.array([0.51, 0.45, 0.39, 0.66, 0.68, 0.29, 0.81, 0.85])
BINARY_LABELS = np.array([0, 0, 0, 1, 0, 1, 1, 1])

# Rows sum to 1; only the largest probability and its class matter.
THREE = np.array(
    [
        [0.31, 0.32, 0.27, 0.10],
        [0.37, 0.33, 0.30, 0.00],
        [0.30, 0.31, 0.39, 0.00],
        [0.61, 0.38, 0.01, 0.00],
        [0.10, 0.65, 0.25, 0.00],
        [0.91, 0.05, 0.04, 0.00],
    ]
)
THREE_LABELS = np.array([1, 0, 0, 1, 0, 0])


def streamed(y_true, y_pred, **options):
    metric = ExpectedCalibrationError(**options)
    metric.update_state(y_true, y_pred)
    return float(metric.result())


def reference(labels, probabilities, num_bins):
    """Ten lines of float64 NumPy."""
    confidence = probabilities.max(axis=-1)
    right = probabilities.argmax(axis=-1) == labels
    error = 0.0
    for i in range(num_bins):
        low, high = i / num_bins, (i + 1) / num_bins
        inside = (confidence >= low) & (confidence < high)
        if i == num_bins - 1:
            inside |= confidence == 1
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            error += inside.mean() * gap
    return error


@pytest.mark.parametrize("function", [streamed, expected_calibration_error])
def test_published_numbers(function):
    binary = function(BINARY_LABELS, BINARY, num_bins=10)
    assert binary == pytest.approx(0.145, abs=1e-6)
    for num_bins in (10, 15):
        three = function(THREE_LABELS, THREE, num_bins=num_bins)
        assert three == pytest.approx(0.378333, abs=1e-6)
    two = function([1, 0], np.array([[0.2, 0.8], [0.3, 0.7]]))
    assert two == pytest.approx(0.45, abs=1e-6)
    tied = np.array([[0.35, 0.35, 0.30], [0.80, 0.15, 0.05]])
    assert function([2, 1], tied) == pytest.approx(0.575, abs=1e-6)


def test_bins_hold_the_published_counts():
    metric = ExpectedCalibrationError(num_bins=10)
    metric.update_state(BINARY_LABELS, BINARY)
    weight, _, accuracy = ops.convert_to_numpy(metric.totals()).T
    assert weight.tolist() == [0, 0, 0, 0, 0, 2, 3, 1, 2, 0]
    assert accuracy.tolist() == [0, 0, 0, 0, 0, 1, 2, 0, 2, 0]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), num_bins=st.integers(1, 30))
def test_equals_a_float64_reference(seed, num_bins):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(4), 60)
    labels = rng.integers(0, 4, 60)
    expected = reference(labels, probabilities, num_bins)
    assert expected_calibration_error(
        labels, probabilities, num_bins=num_bins
    ) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999))
def test_a_perfect_forecaster_has_no_error(seed):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(4), 60)
    # The labels are soft: each is what the forecaster said.
    error = expected_calibration_error(probabilities, probabilities)
    assert error == pytest.approx(0.0, abs=1e-6)


def test_eighty_percent_right_at_eighty_percent_is_no_error():
    probabilities = np.tile([0.8, 0.2], (10, 1))
    labels = [0] * 8 + [1] * 2
    assert streamed(labels, probabilities) == pytest.approx(0.0, abs=1e-6)


def test_sure_and_wrong_is_an_error_of_one():
    assert streamed([1, 1], [[1.0, 0.0], [1.0, 0.0]]) == 1.0


def test_accuracy_of_a_soft_label_is_its_share_of_the_predicted_class():
    value = streamed(np.array([[0.6, 0.4]]), np.array([[0.9, 0.1]]))
    assert value == pytest.approx(0.9 - 0.6)


def test_logits_and_their_softmax_agree():
    logits = np.random.default_rng(0).normal(size=(20, 3, 4))
    exponentials = np.exp(logits)
    members = exponentials / exponentials.sum(axis=-1, keepdims=True)
    labels = np.arange(20) % 4
    assert streamed(labels, logits, from_logits=True) == pytest.approx(
        streamed(labels, members.mean(axis=1)), abs=1e-6
    )


def test_one_unit_logits_pass_through_a_sigmoid():
    labels = [1, 1, 0, 1]
    logits = np.log([[3.0], [3.0], [3.0], [3.0]])  # sigmoid: 3 / 4
    assert streamed(labels, logits, from_logits=True) == pytest.approx(
        0.0, abs=1e-6
    )


@pytest.mark.parametrize("batch_size", [1_000_000, 100_000])
def test_a_million_examples_are_as_exact_as_a_few(batch_size):
    metric = ExpectedCalibrationError()
    labels = np.zeros(batch_size, "int32")
    forecasts = np.tile(np.float32([0.9, 0.1]), (batch_size, 1))
    for _ in range(1_000_000 // batch_size):
        metric.update_state(labels, forecasts)
    # One plain float32 sum gives 0.109.
    assert float(metric.result()) == pytest.approx(0.1, abs=1e-5)


@pytest.mark.parametrize("num_bins", [0, -1, 2.5, True])
def test_num_bins_must_be_a_positive_integer(num_bins):
    with pytest.raises(ValueError, match="`num_bins` must be a positive"):
        ExpectedCalibrationError(num_bins)


def test_weighted_gaps_equal_the_published_number():
    value = streamed(THREE_LABELS, THREE, num_bins=10, weighted=True)
    assert value == pytest.approx(0.19585, abs=1e-6)


def test_real_probabilities_equal_tensorflow_probability(shared_data):
    stats = pytest.importorskip("tensorflow_probability").stats
    file = np.load(shared_data / "model_outputs" / "cifar10_test_probs.npz")
    # Its float32 sums drift over more rows.
    for start in range(0, 10_000, 1000):
        rows = slice(start, start + 1000)
        labels, probabilities = file["labels"][rows], file["probs"][rows]
        logits = np.log(np.maximum(probabilities, 1e-30))
        expected = stats.expected_calibration_error(15, logits, labels)
        found = expected_calibration_error(labels, probabilities)
        assert found == pytest.approx(float(expected), abs=2e-6)
