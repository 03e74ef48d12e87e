"""Narrow bins of [0, 1], narrowest where probabilities saturate."""

import functools

import numpy as np

# Half of the bins of q = min(p, 1 - p) lie above 2^-(1 + OCTAVES).
OCTAVES = 4.0
HALF = 512


@functools.cache
def fine_edges() -> np.ndarray:
    """Inner edges of the bins; a bin holds its lower edge.

    `q = min(p, 1 - p)` lies at `u / (OCTAVES + u)` with `u = -log2 2q`, from 0
    at 1/2 to 1 at 0: a bin is 0.5 % of `q` wide at 0.3, 4 % at 0.01, 25 % at
    1e-6. Below 2^-24, the last float32 step before 1, there is one bin.
    """
    position = np.arange(1, HALF) / HALF
    below = 0.5 * np.exp2(-OCTAVES * position / (1.0 - position))
    below = below[below >= 2.0**-24]
    return np.concatenate([below[::-1], [0.5], 1.0 - below])


def num_fine_bins() -> int:
    """Number of bins."""
    return len(fine_edges()) + 1
