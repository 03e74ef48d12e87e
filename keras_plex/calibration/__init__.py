"""What is fitted on held-out data after training."""

from keras_plex.calibration.conformal_sets import ConformalSets as ConformalSets
from keras_plex.calibration.isotonic_calibration import (
    IsotonicCalibration as IsotonicCalibration,
)
from keras_plex.calibration.temperature_scaling import (
    TemperatureScaling as TemperatureScaling,
)
from keras_plex.calibration.vector_scaling import VectorScaling as VectorScaling
