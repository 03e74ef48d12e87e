"""Bins of the probabilities of each class, and what examples add to them."""

from collections.abc import Callable

from keras import ops

from keras_plex.metrics.base import ratio
from keras_plex.metrics.confidence_bins import binned_sums
from keras_plex.metrics.forecasts import weigh
from keras_plex.types import Tensor


def class_sums(
    labels: Tensor,
    forecast: Tensor,
    weights: Tensor,
    *,
    find_bin: Callable[[Tensor], Tensor],
    num_bins: int,
    threshold: float,
) -> Tensor:
    """Sums of weight, probability and label by class and bin.

    Args:
        labels: `(batch, classes)`.
        forecast: `(batch, classes)`.
        weights: `(batch,)`.
        find_bin: function from values `(size,)` to their bins.
        num_bins: number of bins.
        threshold: smallest probability that counts.

    Returns:
        `(classes, num_bins, 3)`.
    """
    classes = forecast.shape[-1]
    # NaN is not below the threshold: it is to show in the result.
    is_below = forecast < threshold
    weights = ops.where(is_below, 0.0, weights[:, None])
    columns = ops.stack([ops.ones_like(forecast), forecast, labels], axis=-1)
    columns = weigh(columns, weights[..., None])
    bins = ops.reshape(find_bin(ops.reshape(forecast, (-1,))), (-1, classes))
    bins = bins + num_bins * ops.arange(classes, dtype="int32")
    # Examples run fastest, so that those of one class meet many shards.
    columns = ops.reshape(ops.swapaxes(columns, 0, 1), (-1, 3))
    bins = ops.reshape(ops.swapaxes(bins, 0, 1), (-1,))
    sums = binned_sums(columns, bins, classes * num_bins)
    return ops.reshape(sums, (classes, num_bins, 3))


def mean_over_classes(gaps: Tensor, weight: Tensor) -> Tensor:
    """Mean of `gaps / weight` over the classes that have weight."""
    has_weight = weight != 0
    errors = ops.where(has_weight, ratio(gaps, weight), 0.0)
    count = ops.sum(ops.cast(has_weight, errors.dtype))
    return ratio(ops.sum(errors), count)


def check_threshold(threshold: float) -> None:
    """Raises unless `threshold` is a number in [0, 1)."""
    is_number = isinstance(threshold, float | int)
    if not is_number or not 0 <= threshold < 1:
        raise ValueError(
            "`threshold` must be a probability below 1. "
            f"Received: threshold={threshold!r}"
        )
