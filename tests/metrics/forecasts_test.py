"""Every accepted form of prediction and label reads as documented."""

import numpy as np
import pytest
from keras import ops

from keras_plex.metrics.forecasts import class_probabilities
from keras_plex.metrics.forecasts import label_distribution
from keras_plex.metrics.forecasts import log_class_probabilities

HALF = np.full((2, 2), 0.5, "float32")
THIRD = np.full((2, 3), 1 / 3, "float32")


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def forecast(y_pred, from_logits=False):
    result = class_probabilities(np.asarray(y_pred), from_logits, "float32")
    return ops.convert_to_numpy(result)


def labels(y_true, like):
    like = ops.convert_to_tensor(like)
    return ops.convert_to_numpy(label_distribution(y_true, like))


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 1, 1)])
def test_one_unit_is_class_one_of_two(shape):
    y_pred = np.reshape([0.25, 0.5], shape)
    np.testing.assert_allclose(forecast(y_pred), [[0.75, 0.25], [0.5, 0.5]])


def test_members_average_as_probabilities():
    members = np.array([[[1.0, 0.0], [0.5, 0.5]]])  # (1, 2 members, 2)
    np.testing.assert_allclose(forecast(members), [[0.75, 0.25]])


@pytest.mark.parametrize("units", [1, 3])
def test_logarithm_of_a_mixture_of_logits_matches_the_probabilities(units):
    logits = np.random.default_rng(0).normal(size=(5, 4, units))
    logarithm = log_class_probabilities(logits, True, "float32")
    np.testing.assert_allclose(
        np.exp(ops.convert_to_numpy(logarithm)),
        forecast(logits, from_logits=True),
        atol=1e-6,
    )


def test_softmax_is_over_the_classes_of_each_member():
    logits = np.random.default_rng(0).normal(size=(5, 4, 3))
    expected = softmax(logits).mean(axis=1)
    np.testing.assert_allclose(forecast(logits, True), expected, atol=1e-6)


def test_logarithm_of_large_logits_does_not_underflow():
    logits = np.array([[0.0, 500.0]])
    logarithm = log_class_probabilities(logits, True, "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(logarithm), [[-500.0, 0.0]])


@pytest.mark.parametrize("row", [[3.0, -1.0], [1.2, -0.2], [0.4, 0.4]])
def test_logits_read_as_probabilities_become_nan(row):
    assert np.isnan(forecast([row])).all()


def test_a_softmax_rounded_to_bfloat16_is_still_a_distribution():
    logits = np.random.default_rng(0).normal(size=(50, 1000))
    rounded = ops.cast(softmax(logits), "bfloat16")
    assert not np.isnan(forecast(ops.cast(rounded, "float32"))).any()


def test_class_indices_become_one_hot():
    np.testing.assert_equal(labels([2, 0], THIRD), [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_equal(labels([[2], [0]], THIRD), [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_equal(labels([2.0, 0.0], THIRD), [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_equal(labels([True, False], HALF), [[0, 1], [1, 0]])


def test_one_number_of_two_classes_is_the_probability_of_class_one():
    np.testing.assert_equal(labels([0.25, 1.0], HALF), [[0.75, 0.25], [0, 1]])


def test_rows_of_labels_pass_as_they_are():
    rows = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], "float32")
    np.testing.assert_equal(labels(rows, THIRD), rows)


@pytest.mark.parametrize("label", [-1, 3, 0.5, np.nan])
def test_what_is_no_class_becomes_nan(label):
    rows = labels(np.array([label, 1.0]), THIRD)
    assert np.isnan(rows[0]).all() and rows[1].tolist() == [0, 1, 0]


@pytest.mark.parametrize("row", [[0, 0, 0], [1, 1, 0], [1.5, -0.5, 0]])
def test_what_is_no_distribution_becomes_nan(row):
    assert np.isnan(labels(np.array([row, row], "float32"), THIRD)).all()


def test_label_shape_error_names_the_forms():
    with pytest.raises(ValueError, match="class indices .*one-hot or soft"):
        labels(np.zeros((2, 4)), THIRD)


def test_prediction_shape_error_names_the_forms():
    with pytest.raises(ValueError, match=r"\(batch, ensemble, classes\)"):
        forecast(np.zeros((2, 2, 2, 2)))
