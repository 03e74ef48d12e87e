"""Clouds: random heights that resemble themselves at every scale."""

import numpy as np

from keras_plex.data.corruptions.randomness import Generators
from keras_plex.data.corruptions.randomness import uniform


def plasma(
    generators: Generators, height: int, width: int, decay: float
) -> np.ndarray:
    """Maps of heights from 0 to 1, `(batch, height, width)`.

    Midpoints of ever smaller squares are the mean of four neighbours and a
    random part, which shrinks by `decay**2` from size to size: the larger
    `decay`, the smoother the map.

    Reference:
        Fournier, Fussell and Carpenter, 1982, "Computer rendering of stochastic
        models".
    """
    step = 2 ** int(np.ceil(np.log2(max(height, width))))
    parts = uniform(generators, (step, step), -1, 1)
    heights = np.zeros_like(parts)
    amplitude = np.float32(1)
    while step > 1:
        whole, half = slice(None, None, step), slice(step // 2, None, step)
        corners = heights[:, whole, whole]
        heights[:, half, half] = (
            _pairs(_pairs(corners, -1, 1), -1, 2) / 4
            + amplitude * parts[:, half, half]
        )
        centres = heights[:, half, half]
        heights[:, whole, half] = (
            _pairs(centres, 1, 1) + _pairs(corners, -1, 2)
        ) / 4 + amplitude * parts[:, whole, half]
        heights[:, half, whole] = (
            _pairs(centres, 1, 2) + _pairs(corners, -1, 1)
        ) / 4 + amplitude * parts[:, half, whole]
        step //= 2
        amplitude /= np.float32(decay**2)
    lowest = heights.min(axis=(1, 2), keepdims=True)
    highest = heights.max(axis=(1, 2), keepdims=True)
    return ((heights - lowest) / (highest - lowest))[:, :height, :width]


def _pairs(heights: np.ndarray, shift: int, axis: int) -> np.ndarray:
    """Each height and its neighbour; the map is a torus."""
    return heights + np.roll(heights, shift, axis)
