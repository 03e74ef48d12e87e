"""The streaming error stays within its bound of the exact one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from keras_plex.metrics import AdaptiveCalibrationError
from keras_plex.metrics import adaptive_calibration_error


def streamed(labels, probabilities, **options):
    metric = AdaptiveCalibrationError(**options)
    metric.update_state(labels, probabilities)
    return metric


def reference(labels, probabilities, num_bins):
    """Bins of as many examples each; ten lines of float64 NumPy."""
    errors = []
    for k in range(probabilities.shape[1]):
        order = np.argsort(probabilities[:, k])
        p, y = probabilities[order, k], labels[order] == k
        for part in np.split(np.arange(len(p)), num_bins):
            errors.append(abs(y[part].mean() - p[part].mean()))
    return np.mean(errors)


@pytest.mark.parametrize("num_bins", [1, 5, 15, 60])
def test_exact_value_equals_bins_of_as_many_examples(num_bins):
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(3), 300)
    labels = generator.integers(3, size=300)
    expected = reference(labels, probabilities, num_bins)
    assert adaptive_calibration_error(
        labels, probabilities, num_bins=num_bins
    ) == pytest.approx(expected, abs=1e-12)


def of_class_one(values):
    return np.stack([1.0 - values, values], axis=-1).astype("float32")


# Name -> how to draw the probability of class 1.
ADVERSARIES = {
    "spread": lambda g, n: g.uniform(size=n),
    "ties": lambda g, n: g.choice([0.1, 0.35, 0.35001, 0.9], n),
    "all equal": lambda g, n: np.full(n, 0.3),
    "saturated": lambda g, n: 1.0 - 10.0 ** -g.uniform(3, 12, n),
    "saturated at both ends": lambda g, n: np.abs(
        g.integers(2, size=n) - 10.0 ** -g.uniform(3, 12, n)
    ),
    "clustered": lambda g, n: 0.4 + 1e-5 * g.uniform(size=n),
    "two clusters": lambda g, n: g.choice([0.2, 0.7], n) + 1e-4 * g.normal(n),
}


@pytest.mark.parametrize("name", ADVERSARIES)
@pytest.mark.parametrize("num_bins", [2, 15])
@settings(max_examples=3)
@given(seed=st.integers(0, 999), is_ordered=st.booleans())
def test_result_is_within_its_bound(name, num_bins, seed, is_ordered):
    generator = np.random.default_rng(seed)
    values = np.clip(ADVERSARIES[name](generator, 200), 0.0, 1.0)
    # The worst order: within a narrow bin all labels are at one end.
    labels = values > np.median(values)
    if not is_ordered:
        labels = generator.uniform(size=200) < values
    labels, probabilities = labels.astype(int), of_class_one(values)
    metric = streamed(labels, probabilities, num_bins=num_bins)
    exact = adaptive_calibration_error(labels, probabilities, num_bins=num_bins)
    distance = abs(float(metric.result()) - exact)
    assert distance <= float(metric.error_bound()) + 2e-6


def test_the_bound_holds_for_soft_labels_and_many_classes():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.full(20, 0.1), 500)
    labels = generator.dirichlet(np.full(20, 0.1), 500)
    for threshold in (0.0, 0.01):
        metric = streamed(labels, probabilities, threshold=threshold)
        exact = adaptive_calibration_error(
            labels, probabilities, threshold=threshold
        )
        distance = abs(float(metric.result()) - exact)
        assert distance <= float(metric.error_bound()) + 1e-6


def test_the_bound_is_no_formality():
    # All in one narrow bin, and the upper half is right: nothing is known
    # about the order, and the exact value is far from the streamed one.
    values = 0.4 + 1e-6 * np.arange(100)
    labels = (np.arange(100) >= 50).astype(int)
    metric = streamed(labels, of_class_one(values), num_bins=2)
    exact = adaptive_calibration_error(labels, of_class_one(values), num_bins=2)
    assert exact == pytest.approx(0.5, abs=1e-4)
    assert float(metric.result()) == pytest.approx(0.1, abs=1e-4)
    assert float(metric.error_bound()) >= 0.4


def test_ties_share_their_frequency():
    # Four equal forecasts in two bins: each bin has half of them, half right.
    probabilities = of_class_one(np.full(4, 0.5))
    for labels in ([0, 0, 1, 1], [1, 0, 1, 0]):
        value = float(streamed(labels, probabilities, num_bins=2).result())
        assert value == pytest.approx(0.0, abs=1e-6)
        exact = adaptive_calibration_error(labels, probabilities, num_bins=2)
        assert exact == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize("name", ["cifar10_test_probs", "imdb_test_probs"])
def test_real_probabilities_are_within_a_thousandth(name, shared_data):
    file = np.load(shared_data / "model_outputs" / f"{name}.npz")
    metric = streamed(file["labels"], file["probs"])
    exact = adaptive_calibration_error(file["labels"], file["probs"])
    distance = abs(float(metric.result()) - exact)
    assert distance <= float(metric.error_bound()) < 2e-3
    assert distance < 1e-4


def test_without_data_there_is_no_bound():
    assert np.isnan(float(AdaptiveCalibrationError().error_bound()))
