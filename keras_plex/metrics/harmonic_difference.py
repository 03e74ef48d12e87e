"""The sum of `1 / k` over a run of ranks."""

import types

from keras_plex.types import Tensor

# The series is taken from rank SHIFT on, where five terms give 1e-16.
SHIFT = 16
SERIES = (1 / 24, -7 / 960, 31 / 8064, -127 / 30720, 511 / 67584)


def harmonic_difference(
    start: Tensor, count: Tensor, xp: types.ModuleType
) -> Tensor:
    """`1 / (start + 1) + ... + 1 / (start + count)`, for real numbers too.

    `H(start + count) - H(start)`, where `H(x) = digamma(x + 1) + gamma`. The
    difference of two digammas has no digit left in float32 after a million
    examples. Here every term is a difference already, so that the result is
    right relative to itself:

    `H(b) - H(a) = ln(b / a) + c_1 (b^-2 - a^-2) + c_2 (b^-4 - a^-4) + ...`
    with `a` and `b` half a rank further on.

    Args:
        start: number of examples before the run, not negative.
        count: number of examples in it, not negative.
        xp: `keras.ops` for tensors, `numpy` for arrays.

    Example:

    >>> import numpy as np
    >>> two_terms = harmonic_difference(np.array(0.0), np.array(2.0), np)
    >>> round(float(two_terms), 12)  # 1 + 1/2
    1.5

    Reference:
        Abramowitz and Stegun, 1964, "Handbook of mathematical functions", 6.3.
    """
    total = 0.0
    for i in range(1, SHIFT + 1):
        total = total + count / ((start + i) * (start + count + i))
    low = start + (SHIFT + 0.5)
    high = low + count
    low_square, high_square = 1.0 / (low * low), 1.0 / (high * high)
    # Horner's scheme at two points: the divided difference of the series.
    value, slope = 0.0, 0.0
    for coefficient in reversed((0.0, *SERIES)):
        slope = slope * low_square + value
        value = value * high_square + coefficient
    gap = count * (low + high) * low_square * high_square
    return total + xp.log1p(count / low) - gap * slope
