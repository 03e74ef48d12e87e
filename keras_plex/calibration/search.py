"""The smallest value of a function of one number."""

from collections.abc import Callable

import numpy as np
from scipy import optimize


def minimize_on_interval(
    loss: Callable[[float], float],
    bounds: tuple[float, float],
    num_points: int = 33,
) -> tuple[float, float]:
    """Where a loss that may have several valleys is least, and the loss there.

    It looks along a grid, then closely around the best point.
    """
    grid = np.linspace(*bounds, num=num_points)
    best = grid[np.argmin([loss(point) for point in grid])]
    step = grid[1] - grid[0]
    found = optimize.minimize_scalar(
        loss, bounds=(best - step, best + step), method="bounded"
    )
    return float(found.x), float(found.fun)
