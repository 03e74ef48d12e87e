"""What a calibrated model says, from arrays that one can check by eye."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.calibration import ConformalSets
from keras_plex.calibration import IsotonicCalibration
from keras_plex.calibration import TemperatureScaling
from keras_plex.models.calibrated import calibrated_details
from keras_plex.models.calibrated import calibrated_forecast

RNG = np.random.default_rng(0)
LOGITS = (3 * RNG.normal(size=(7, 2, 3))).astype("float32")


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def temperature(kind, value=2.0):
    scaling = TemperatureScaling(kind)
    scaling.fitted = {"temperature": value, "num_examples": 5}
    return scaling


def doubled_below_half(functions):
    """Twice the probability, at most 1."""
    calibration = IsotonicCalibration()
    calibration.fitted = {
        "points": [[0.0, 0.5]] * functions,
        "values": [[0.0, 1.0]] * functions,
        "num_examples": 5,
    }
    return calibration


def test_temperature_divides_before_the_members_are_mixed():
    found = calibrated_forecast(
        ops.convert_to_tensor(LOGITS),
        "softmax_logits",
        temperature("softmax_logits"),
    )
    expected = softmax(LOGITS.astype("float64") / 2).mean(axis=1)
    np.testing.assert_allclose(
        softmax(ops.convert_to_numpy(found)), expected, atol=1e-6
    )
    p = softmax(LOGITS)
    found = calibrated_forecast(
        ops.convert_to_tensor(p), "probabilities", temperature("probabilities")
    )
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, atol=1e-6)


def test_isotonic_maps_the_mean_and_stays_of_its_kind():
    p = np.array([[[0.2, 0.2, 0.6]], [[0.0, 0.5, 0.5]]], "float32")
    expected = [[2 / 9, 2 / 9, 5 / 9], [0.0, 0.5, 0.5]]
    expected = [[0.4 / 1.8, 0.4 / 1.8, 1 / 1.8], [0.0, 0.5, 0.5]]
    calibration = doubled_below_half(3)
    found = calibrated_forecast(
        ops.convert_to_tensor(p), "probabilities", calibration
    )
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, atol=1e-6)
    logits = np.log(np.maximum(p, 1e-30))
    found = calibrated_forecast(
        ops.convert_to_tensor(logits), "softmax_logits", calibration
    )
    found = ops.convert_to_numpy(found)
    assert np.all(np.isfinite(found))
    np.testing.assert_allclose(softmax(found), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["sigmoid_logits", "probabilities"])
def test_isotonic_of_one_unit_is_class_1(kind):
    positive = np.array([[[0.3]], [[0.9]], [[0.0]]], "float32")
    outputs = positive
    if kind == "sigmoid_logits":
        safe = np.clip(positive, 1e-30, None)
        outputs = np.log(safe) - np.log1p(-positive)
    found = ops.convert_to_numpy(
        calibrated_forecast(
            ops.convert_to_tensor(outputs), kind, doubled_below_half(1)
        )
    )
    assert found.shape == (3, 1) and np.all(np.isfinite(found))
    if kind == "sigmoid_logits":
        found = 1 / (1 + np.exp(-found.astype("float64")))
    np.testing.assert_allclose(found, [[0.6], [1.0], [0.0]], atol=1e-6)


def test_forecast_keeps_the_dtype_of_the_outputs():
    members = ops.cast(LOGITS, "bfloat16")
    for calibrator in (temperature("softmax_logits"), doubled_below_half(3)):
        found = calibrated_forecast(members, "softmax_logits", calibrator)
        assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"


def test_details_hold_what_is_calibrated_and_nothing_else():
    members = ops.convert_to_tensor(LOGITS)
    kind = "softmax_logits"
    assert calibrated_details(members, kind, None, None) == {}
    scaling = temperature(kind)
    found = calibrated_details(members, kind, scaling, None)
    assert set(found) == {"outputs"}
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found["outputs"]), LOGITS / 2
    )
    found = calibrated_details(members, kind, doubled_below_half(3), None)
    assert set(found) == {"probabilities"}


def test_sets_are_those_of_the_calibrated_forecast():
    kind = "softmax_logits"
    labels = np.arange(40) % 3
    forecasts = softmax(RNG.normal(size=(40, 3))).astype("float32")
    sets = ConformalSets(0.2).fit(forecasts, labels)
    members = ops.convert_to_tensor(LOGITS)
    for calibrator in (None, temperature(kind), doubled_below_half(3)):
        found = calibrated_details(members, kind, calibrator, sets)
        forecast = calibrated_forecast(
            members, kind, calibrator or temperature(kind, 1.0)
        )
        expected = sets(softmax(ops.convert_to_numpy(forecast)))
        np.testing.assert_array_equal(
            ops.convert_to_numpy(found["prediction_sets"]), expected
        )
