"""Calibrators go by name, and to files and back."""

import json

import numpy as np
import pytest

from keras_plex.calibration.calibrator import Calibrator
from keras_plex.calibration.calibrators import CALIBRATORS
from keras_plex.calibration.calibrators import calibrator_class
from keras_plex.calibration.calibrators import calibrator_name
from keras_plex.calibration.calibrators import deserialize_calibrator
from keras_plex.calibration.calibrators import serialize_calibrator

RNG = np.random.default_rng(0)
P = RNG.dirichlet(np.ones(3), size=60).astype("float32")
LABELS = np.arange(60) % 3


@pytest.mark.parametrize("name", CALIBRATORS)
def test_file_brings_it_back(name):
    cls = calibrator_class(name)
    calibrator = cls("probabilities") if cls.is_of_members else cls()
    calibrator.fit(P, LABELS)
    assert calibrator_name(calibrator) == name
    config = json.loads(json.dumps(serialize_calibrator(calibrator)))
    twin = deserialize_calibrator(config)
    assert type(twin) is cls
    np.testing.assert_array_equal(twin(P), calibrator(P))


def test_unknown_names_and_classes_are_named():
    with pytest.raises(ValueError, match="Unknown calibration method: 'platt'"):
        calibrator_class("platt")
    with pytest.raises(ValueError, match="not in `CALIBRATORS`"):
        calibrator_name(Calibrator())
