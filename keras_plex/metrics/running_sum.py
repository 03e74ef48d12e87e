"""Sums of what comes before, over many bins."""

import types

from keras_plex.types import Tensor


def running_sum(values: Tensor, xp: types.ModuleType) -> Tensor:
    """The sum of each value `(bins,)` and all before it.

    Sums within rows, then over the rows: in float32 the error grows with
    twice the square root of the number of bins, and no faster.

    Args:
        values: `(bins,)`.
        xp: `keras.ops` for tensors, `numpy` for arrays.

    Example:

    >>> import numpy as np
    >>> running_sum(np.array([1.0, 2.0, 3.0]), np).tolist()
    [1.0, 3.0, 6.0]
    """
    size = values.shape[0]
    columns = int(size**0.5) + 1
    rows = xp.reshape(xp.pad(values, ((0, -size % columns),)), (-1, columns))
    sums = xp.cumsum(rows, axis=1)
    totals = xp.cumsum(sums[:, -1], axis=0)
    before = xp.pad(totals[:-1], ((1, 0),))
    return xp.reshape(sums + before[:, None], (-1,))[:size]


def sum_before(values: Tensor, xp: types.ModuleType) -> Tensor:
    """The sum of all values before each, 0 for the first."""
    return xp.pad(running_sum(values, xp)[:-1], ((1, 0),))
