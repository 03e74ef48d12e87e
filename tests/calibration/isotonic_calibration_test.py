"""Rising functions, as scikit-learn fits them and NumPy interpolates."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.isotonic import IsotonicRegression

from keras_plex.calibration import IsotonicCalibration

RNG = np.random.default_rng(0)
P = RNG.dirichlet(np.ones(3), size=500).astype("float32")
LABELS = np.array([RNG.choice(3, p=p**2 / np.sum(p**2)) for p in P])
WEIGHTS = RNG.integers(0, 3, size=500)


def reference(p, labels, weights, x):
    found = np.stack(
        [
            IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
            .fit(p[:, k].astype("float64"), labels == k, weights)
            .predict(x[:, k].astype("float64"))
            for k in range(p.shape[1])
        ],
        axis=-1,
    )
    return found


def test_it_is_scikit_learn_per_class_then_normalised():
    calibration = IsotonicCalibration().fit(P, LABELS, WEIGHTS)
    x = RNG.dirichlet(0.3 * np.ones(3), size=400).astype("float32")
    x = np.concatenate([x, P])
    expected = reference(P, LABELS, WEIGHTS, x)
    total = expected.sum(axis=-1, keepdims=True)
    kept = total[:, 0] > 0
    expected = np.where(total > 0, expected / np.maximum(total, 1e-9), x)
    assert kept.sum() > 800
    np.testing.assert_allclose(calibration(x), expected, atol=1e-5)
    np.testing.assert_allclose(calibration(x).sum(-1), 1, atol=1e-6)


def test_two_classes_have_one_function():
    p = P[:, :2] / P[:, :2].sum(-1, keepdims=True)
    calibration = IsotonicCalibration().fit(p, LABELS % 2)
    assert len(calibration.functions) == 1
    expected = reference(p, LABELS % 2, None, p)[:, 1]
    np.testing.assert_allclose(calibration(p)[:, 1], expected, atol=1e-6)
    np.testing.assert_allclose(calibration(p)[:, 0], 1 - expected, atol=1e-6)


def test_functions_are_those_of_np_interp_everywhere():
    calibration = IsotonicCalibration().fit(P, LABELS)
    ((points, values), *_) = calibration.functions
    x = np.concatenate([np.linspace(0, 1, 999), points]).astype("float32")
    two = {"points": [points], "values": [values], "num_examples": 500}
    binary = IsotonicCalibration.from_config({"fitted": two})
    found = binary(np.stack([1 - x, x], axis=-1))[:, 1]
    expected = np.interp(x.astype("float64"), points, values)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    flat = np.diff(values, append=np.nan) == 0
    assert flat.sum() > 3
    at_knots = found[999:]
    np.testing.assert_array_equal(at_knots, np.float32(values))


def test_points_that_float32_cannot_tell_apart_give_no_nan():
    numbers = {
        "points": [[0.5, 0.5 + 1e-12, 0.5 + 1e-7]],
        "values": [[0.0, 0.5, 1.0]],
        "num_examples": 3,
    }
    calibration = IsotonicCalibration.from_config({"fitted": numbers})
    x = np.linspace(0.4999999, 0.5000002, 30)
    found = calibration(np.stack([1 - x, x], axis=-1))
    assert np.all((found >= 0) & (found <= 1))
    assert found[0, 1] == 0 and found[-1, 1] == 1


def test_row_without_any_probability_stays():
    numbers = {
        "points": [[0.4, 0.6]] * 3,
        "values": [[0.0, 1.0]] * 3,
        "num_examples": 9,
    }
    calibration = IsotonicCalibration.from_config({"fitted": numbers})
    x = np.array([[0.35, 0.33, 0.32], [0.5, 0.5, 0.0]], "float32")
    np.testing.assert_allclose(
        calibration(x), [[0.35, 0.33, 0.32], [0.5, 0.5, 0.0]], atol=1e-6
    )


def test_graph_tensor_and_file_say_the_same():
    calibration = IsotonicCalibration().fit(P, LABELS)
    expected = calibration(P)
    assert isinstance(expected, np.ndarray)
    tensor = ops.convert_to_tensor(P)
    found = ops.convert_to_numpy(calibration(tensor))
    np.testing.assert_array_equal(found, expected)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Lambda(calibration)(inputs))
    found = model.predict(P, batch_size=64, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    config = json.loads(json.dumps(calibration.get_config()))
    twin = IsotonicCalibration.from_config(config)
    np.testing.assert_array_equal(twin(P), expected)


def test_faults_are_named():
    calibration = IsotonicCalibration()
    with pytest.raises(ValueError, match="two classes or more"):
        calibration.fit(P[:, :1], LABELS % 2)
    with pytest.raises(ValueError, match="probabilities of a forecast"):
        calibration.fit(P[:, None], LABELS)
    with pytest.raises(ValueError, match="examples of every class"):
        calibration.fit(P, LABELS % 2)
    with pytest.raises(ValueError, match="not fitted"):
        calibration(P)
    with pytest.raises(ValueError, match="at least 2 examples"):
        calibration.fit(P[:1], LABELS[:1])
    with pytest.raises(ValueError, match="those of 3 classes"):
        calibration.fit(P, LABELS)(P[:, :2])
