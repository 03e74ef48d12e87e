"""Noise of a sensor: Gaussian, of few photons, of dead pixels."""

import numpy as np

from keras_plex.data.corruptions.randomness import Generators
from keras_plex.data.corruptions.randomness import normal
from keras_plex.data.corruptions.randomness import uniform
from keras_plex.data.corruptions.severities import Severities

# Standard deviation.
GAUSSIAN_NOISE = Severities(
    small=((0.04,), (0.06,), (0.08,), (0.09,), (0.10,)),
    large=((0.08,), (0.12,), (0.18,), (0.26,), (0.38,)),
)
# Photons that a white pixel collects.
SHOT_NOISE = Severities(
    small=((500,), (250,), (100,), (75,), (50,)),
    large=((60,), (25,), (12,), (5,), (3,)),
)
# Share of the values that are lost.
IMPULSE_NOISE = Severities(
    small=((0.01,), (0.02,), (0.03,), (0.05,), (0.07,)),
    large=((0.03,), (0.06,), (0.09,), (0.17,), (0.27,)),
)


def gaussian_noise(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Adds normal noise to each value: poor light."""
    (deviation,) = GAUSSIAN_NOISE.at(severity, images)
    return images + deviation * normal(generators, images.shape[1:])


def shot_noise(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Counts photons, a Poisson number of them: light comes in parts."""
    (photons,) = SHOT_NOISE.at(severity, images)
    counts = [
        generator.poisson(image * photons)
        for image, generator in zip(images, generators, strict=True)
    ]
    return np.stack(counts) / photons


def impulse_noise(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Sets some values to black or white, salt and pepper: bits that flip."""
    (share,) = IMPULSE_NOISE.at(severity, images)
    draws = uniform(generators, images.shape[1:])
    images = np.where(draws < share / 2, 0.0, images)
    return np.where(draws > 1 - share / 2, 1.0, images)
