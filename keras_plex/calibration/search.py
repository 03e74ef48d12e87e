"""The smallest value of a function of one number, or of a few."""

from collections.abc import Callable
from collections.abc import Sequence

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


def minimize_from_axes(
    loss: Callable[[np.ndarray], float],
    center: Sequence[float] | np.ndarray,
    bounds: Sequence[tuple[float, float]],
    is_free: Sequence[bool],
    num_points: int = 33,
) -> np.ndarray:
    """Where a loss of a few numbers that may have several valleys is least.

    It looks along each axis through `center` on a grid, goes down from the
    best point of each (Nelder and Mead, 1965, "A simplex method for function
    minimization"), and takes the lowest end. The result is never worse than
    `center`.

    Args:
        loss: of an array of numbers.
        center: where the axes cross, within the bounds.
        bounds: low and high of each number.
        is_free: which numbers may change.
        num_points: of each grid.
    """
    origin = np.array(center, "float64")
    axes = np.flatnonzero(is_free).tolist()

    def at(values: np.ndarray) -> np.ndarray:
        point = origin.copy()
        point[axes] = values
        return point

    def best_on(axis: int) -> np.ndarray:
        points = [origin]
        for value in np.linspace(*bounds[axis], num=num_points):
            points.append(
                np.where(np.arange(len(origin)) == axis, value, origin)
            )
        return points[int(np.argmin([loss(point) for point in points]))]

    low, high = np.array([bounds[axis] for axis in axes]).T
    ends = []
    for axis in axes:
        start = best_on(axis)[axes]
        steps = np.diag(np.where(start + 0.5 > high, -0.5, 0.5))
        simplex = np.vstack([start, start + steps])
        options = {"initial_simplex": simplex, "xatol": 1e-3, "fatol": 1e-8}
        ends.append(
            optimize.minimize(
                lambda values: loss(at(values)),
                start,
                method="Nelder-Mead",
                bounds=list(zip(low, high, strict=True)),
                options=options,
            )
        )
    if not ends:
        return origin
    return at(min(ends, key=lambda end: end.fun).x)
