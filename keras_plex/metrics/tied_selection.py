"""Selective metrics of groups of tied examples, and their bounds.

The groups come from the most confident to the least; each holds a weight of
`right` and of `wrong` predictions, `(groups,)`, in an unknown order.
"""

import types

from keras_plex.metrics.harmonic_difference import harmonic_difference
from keras_plex.metrics.running_sum import sum_before
from keras_plex.types import Tensor


def risk_coverage_area(
    right: Tensor, wrong: Tensor, xp: types.ModuleType
) -> Tensor:
    """The sum over `k` of the error rate among the `k` most confident.

    In expectation over the order within each group: with `n` examples and `e`
    errors before it, a group of `m` with `w` errors adds
    `sum_j (e + j w / m) / (n + j) = w + (e - n w / m) (H(n + m) - H(n))`.
    """
    group = right + wrong
    before, errors = sum_before(group, xp), sum_before(wrong, xp)
    error_rate = wrong / xp.where(group > 0, group, 1.0)
    excess = errors - before * error_rate
    return xp.sum(wrong + excess * harmonic_difference(before, group, xp))


def risk_coverage_area_range(
    right: Tensor, wrong: Tensor, xp: types.ModuleType
) -> tuple[Tensor, Tensor]:
    """That sum with right predictions first in each group, and last."""
    before, errors = sum_before(right + wrong, xp), sum_before(wrong, xp)
    # Right ones leave the number of errors as it is.
    lowest = errors * harmonic_difference(before, right, xp)
    later = before + right
    lowest = lowest + wrong
    lowest = lowest + (errors - later) * harmonic_difference(later, wrong, xp)
    highest = wrong + (errors - before) * harmonic_difference(before, wrong, xp)
    highest = highest + (errors + wrong) * harmonic_difference(
        before + wrong, right, xp
    )
    return xp.sum(lowest), xp.sum(highest)


def wrong_among_first(
    right: Tensor, wrong: Tensor, amount: Tensor, xp: types.ModuleType
) -> tuple[Tensor, Tensor, Tensor]:
    """The weight of errors in the first `amount`: expected, least and most.

    A group that is used in part counts with its share of errors.
    """
    group = right + wrong
    left = xp.maximum(amount - sum_before(group, xp), 0.0)
    used = xp.minimum(left, group)
    share = used / xp.where(group > 0, group, 1.0)
    expected = xp.sum(wrong * share)
    least = xp.sum(xp.maximum(used - right, 0.0))
    most = xp.sum(xp.minimum(used, wrong))
    return expected, least, most
