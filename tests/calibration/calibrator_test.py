"""Configuration, and the way from outputs to logits and back."""

import json

import numpy as np
import pytest
from keras import ops

from keras_plex.calibration.calibrator import Calibrator
from keras_plex.calibration.calibrator import as_logits
from keras_plex.calibration.calibrator import same_kind
from keras_plex.calibration.calibrator import to_logits
from keras_plex.calibration.calibrator import to_outputs

KINDS = {
    "softmax_logits": [[[3.0, -1.0, 0.5]]],
    "sigmoid_logits": [[[-0.5]]],
    "probabilities": [[[0.7, 0.3 - 1e-6, 1e-6]]],
}


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_come_back_from_their_logits(kind):
    outputs = np.array(KINDS[kind], "float32")
    logits = to_logits(outputs, kind)
    np.testing.assert_allclose(
        ops.convert_to_numpy(logits), as_logits(outputs, kind), rtol=1e-6
    )
    back = ops.convert_to_numpy(to_outputs(logits, kind))
    np.testing.assert_allclose(back, outputs, rtol=1e-5)


def test_one_probability_is_that_of_class_1():
    outputs = np.array([[0.75], [0.0], [1.0]], "float32")
    logits = ops.convert_to_numpy(to_logits(outputs, "probabilities"))
    assert logits[0, 0] == pytest.approx(np.log(3), rel=1e-6)
    assert np.all(np.isfinite(logits))
    back = ops.convert_to_numpy(to_outputs(logits, "probabilities"))
    np.testing.assert_allclose(back, outputs, atol=1e-7)


def test_what_is_no_tensor_comes_back_as_numpy():
    tensor = ops.ones((2,))
    assert same_kind(tensor, tensor) is tensor
    assert isinstance(same_kind(tensor, np.ones(2)), np.ndarray)
    assert isinstance(same_kind(tensor, [1.0, 1.0]), np.ndarray)


def test_config_survives_json_exactly():
    calibrator = Calibrator("sigmoid_logits")
    calibrator.fitted = {"number": 0.1 + 0.2, "num_examples": 7}
    config = json.loads(json.dumps(calibrator.get_config()))
    twin = Calibrator.from_config(config)
    assert twin.get_config() == calibrator.get_config()
    assert twin.num_examples == 7


def test_faults_are_named():
    with pytest.raises(ValueError, match="`Calibrator` is not fitted"):
        _ = Calibrator().num_examples
    with pytest.raises(ValueError, match="`output_kind` must be one of"):
        Calibrator("logits")
