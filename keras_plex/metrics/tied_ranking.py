"""Ranking metrics of bins of scores, and how far off the bins can make them.

A bin is a group of tied examples; the bins come from the lowest score up.
"""

from keras import ops

from keras_plex.metrics.base import ratio
from keras_plex.metrics.running_sum import running_sum
from keras_plex.metrics.running_sum import sum_before
from keras_plex.types import Tensor

# Three times that of float32.
ROUNDING = 2e-7


def binned_auroc(negative: Tensor, positive: Tensor) -> Tensor:
    """The probability that a positive is in a higher bin; half if the same.

    Args:
        negative: weight of the negative examples of each bin, `(bins,)`.
        positive: weight of the positive examples of each bin, `(bins,)`.
    """
    lower = sum_before(negative, ops) + 0.5 * negative
    shares = ratio(lower, ops.sum(negative))
    return ratio(ops.sum(positive * shares), ops.sum(positive))


def auroc_error(negative: Tensor, positive: Tensor) -> Tensor:
    """Half the share of pairs in one bin: they may all be in one order."""
    shares = ratio(0.5 * negative, ops.sum(negative))
    return ratio(ops.sum(positive * shares), ops.sum(positive))


def binned_average_precision(negative: Tensor, positive: Tensor) -> Tensor:
    """The mean precision over the positives, one threshold for each bin."""
    false, true = _from_the_top(negative), _from_the_top(positive)
    value = _mean_of(true / _at_least_tiny(true + false), positive)
    return _if_both(value, negative, positive)


def average_precision_error(negative: Tensor, positive: Tensor) -> Tensor:
    """How far any order within the bins can move the average precision.

    In the best order the positives of a bin come first, and are tied. In the
    worst they come last, one by one and however small: an integral.
    """
    false, true = _from_the_top(negative), _from_the_top(positive)
    value = binned_average_precision(negative, positive)
    best = true / _at_least_tiny(true + false - negative)
    best = ops.minimum(best, 1.0)  # Rounding may bring it above.
    # Integral of t / (t + false) from `true - positive` to `true`.
    start = _at_least_tiny(true - positive + false)
    lost = false * ops.log1p(positive / start)
    worst = ratio(ops.sum(positive - lost), ops.sum(positive))
    return ops.maximum(_mean_of(best, positive) - value, value - worst)


def binned_fpr(negative: Tensor, positive: Tensor, tpr: float) -> Tensor:
    """The share of negatives in the bins that hold `tpr` of the positives."""
    false = _from_the_top(negative)
    reached = ops.take(false, _last_bin(positive, tpr), axis=0)
    return _if_both(ratio(reached, ops.max(false)), negative, positive)


def fpr_error(negative: Tensor, positive: Tensor, tpr: float) -> Tensor:
    """The share of negatives in the last of these bins."""
    last = ops.take(negative, _last_bin(positive, tpr), axis=0)
    share = ratio(last, ops.sum(negative))
    return _if_both(share, negative, positive)


def _from_the_top(values: Tensor) -> Tensor:
    """The sum of each bin and all higher ones."""
    return ops.flip(running_sum(ops.flip(values, axis=0), ops), axis=0)


def _at_least_tiny(values: Tensor) -> Tensor:
    """The values, but 1 where they are 0 and only divide 0."""
    return ops.where(values <= 0, 1.0, values)


def _mean_of(values: Tensor, positive: Tensor) -> Tensor:
    return ratio(ops.sum(values * positive), ops.sum(positive))


def _last_bin(positive: Tensor, tpr: float) -> Tensor:
    true = _from_the_top(positive)
    # 95 of 100 reach 0.95, also if the quotient falls short by a rounding.
    reaches = ratio(true, ops.max(true)) >= tpr * (1.0 - ROUNDING)
    return ops.maximum(ops.sum(ops.cast(reaches, "int32")) - 1, 0)


def _if_both(values: Tensor, negative: Tensor, positive: Tensor) -> Tensor:
    """NaN unless there are examples of both kinds."""
    there = (ops.sum(negative) > 0) & (ops.sum(positive) > 0)
    return ops.where(there, values, float("nan"))
