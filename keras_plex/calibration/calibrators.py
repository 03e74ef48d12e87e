"""Calibrators by name."""

from keras_plex.calibration.calibrator import Calibrator
from keras_plex.calibration.isotonic_calibration import IsotonicCalibration
from keras_plex.calibration.temperature_scaling import TemperatureScaling
from keras_plex.calibration.vector_scaling import VectorScaling
from keras_plex.tables import lookup
from keras_plex.types import Config

# Name -> class. Add one here, or from outside: it is an ordinary dict.
CALIBRATORS: dict[str, type[Calibrator]] = {
    "temperature": TemperatureScaling,
    "vector": VectorScaling,
    "isotonic": IsotonicCalibration,
}


def calibrator_class(name: str) -> type[Calibrator]:
    """The calibrator of that name."""
    return lookup(CALIBRATORS, name, "calibration method")


def calibrator_name(calibrator: Calibrator) -> str:
    """Its name in the table."""
    for name, known in CALIBRATORS.items():
        if type(calibrator) is known:
            return name
    raise ValueError(
        f"`{type(calibrator).__name__}` is not in `CALIBRATORS`: put it there, "
        "so that a file can name it."
    )


def serialize_calibrator(calibrator: Calibrator) -> Config:
    """A calibrator as what JSON keeps exactly."""
    name = calibrator_name(calibrator)
    return {"method": name, "config": calibrator.get_config()}


def deserialize_calibrator(config: Config) -> Calibrator:
    """The calibrator of `serialize_calibrator`."""
    return calibrator_class(config["method"]).from_config(config["config"])
