"""How far a share, seen in a sample, may be from the true one."""

import numpy as np


def wilson_interval(
    share: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % confidence interval of a probability seen as `share` of `count`.

    Args:
        share: of successes, in [0, 1].
        count: of trials, positive.

    Example:

    >>> low, high = wilson_interval(np.array([0.0]), np.array([20.0]))
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.0], [0.16])

    Reference:
        Wilson, 1927, "Probable inference, the law of succession, and
        statistical inference".
    """
    z = 1.959964  # the 97.5 % point of the normal distribution
    scale = 1.0 + z**2 / count
    center = (share + z**2 / (2.0 * count)) / scale
    half = np.sqrt(share * (1.0 - share) / count + (z / (2.0 * count)) ** 2)
    half = z * half / scale
    return np.clip(center - half, 0, share), np.clip(center + half, share, 1)
