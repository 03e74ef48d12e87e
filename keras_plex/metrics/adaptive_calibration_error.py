"""How far the probability of each class lies from its frequency, evenly."""

import math

import keras
import numpy as np
from keras import ops

from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.base import ratio
from keras_plex.metrics.class_bins import check_threshold
from keras_plex.metrics.class_bins import class_sums
from keras_plex.metrics.class_bins import mean_over_classes
from keras_plex.metrics.confidence_bins import check_num_bins
from keras_plex.metrics.fine_bins import fine_edges
from keras_plex.metrics.fine_bins import num_fine_bins
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class AdaptiveCalibrationError(ForecastMetric):
    """`ClasswiseCalibrationError` with bins that hold equal weight.

    Most probabilities of a class are close to 0 or 1, where few of the bins of
    equal width lie. These have edges at the quantiles of the probabilities of
    each class. With `threshold=0.01` it is the thresholded error (TACE) of
    the paper.

    `error = mean over classes and bins of |frequency - probability|`

    Equal probabilities are not told apart: where a bin ends among them, its
    share of them has their mean frequency. Quantiles need all values. Memory
    does not grow with the data: the state is a histogram per class of 874
    narrow bins, 21 kB (21 MB for 1000 classes), that are merged to bins of
    equal weight in `result`. A narrow bin that is cut counts in parts with
    its mean: the result is within `error_bound()` of the exact value, which
    `metrics.adaptive_calibration_error` gives for arrays.

    Args:
        num_bins: number of bins of each class. Defaults to 15.
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        threshold: probabilities below it do not count, and a class without
            any above it does not either. Defaults to `0.0`: all count.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`. The number of classes is that of
    the first batch.

    Example:

    >>> metric = AdaptiveCalibrationError(num_bins=2)
    >>> metric.update_state([1, 0], [[0.2, 0.8], [0.3, 0.7]])
    >>> round(float(metric.result()), 6)  # of each class (0.2 + 0.7) / 2
    0.45

    Reference:
        Nixon et al., 2019, "Measuring calibration in deep learning".
    """

    def __init__(
        self,
        num_bins: int = 15,
        from_logits: bool = False,
        *,
        threshold: float = 0.0,
        name: str = "adaptive_calibration_error",
        dtype: str | None = None,
    ):
        check_num_bins(num_bins)
        check_threshold(threshold)
        super().__init__(from_logits, shape=None, name=name, dtype=dtype)
        self.num_bins = num_bins
        self.threshold = threshold

    def batch_sums(
        self, labels: Tensor, forecast: Tensor, weights: Tensor
    ) -> Tensor:
        return class_sums(
            labels,
            forecast,
            weights,
            find_bin=_find_fine_bin,
            num_bins=num_fine_bins(),
            threshold=self.threshold,
        )

    def result(self) -> Tensor:
        if not self.has_state:
            return ops.convert_to_tensor(math.nan, dtype=self.sum_dtype)
        # (classes, fine bins)
        weight, probability, frequency = ops.unstack(self.totals(), axis=-1)
        gaps = frequency - probability
        total = ops.sum(weight, axis=-1)
        index, share = _cuts(weight, self.num_bins)
        inside = ops.take_along_axis(gaps, index, axis=-1)
        up_to = ops.take_along_axis(ops.cumsum(gaps, axis=-1), index, axis=-1)
        # The gap of all examples below each end of a bin.
        ends = [
            ops.zeros_like(total)[:, None],
            up_to - inside + share * inside,
            ops.sum(gaps, axis=-1, keepdims=True),
        ]
        steps = ops.diff(ops.concatenate(ends, axis=-1), axis=-1)
        return mean_over_classes(ops.sum(ops.abs(steps), axis=-1), total)

    def error_bound(self) -> Tensor:
        """How far the result may lie from the exact value, at most.

        For each narrow bin that is cut, the most that the order of the
        examples within it can move from one side to the other.
        """
        if not self.has_state:
            return ops.convert_to_tensor(math.nan, dtype=self.sum_dtype)
        weight, probability, frequency = ops.unstack(self.totals(), axis=-1)
        index, share = _cuts(weight, self.num_bins)
        inside = [
            ops.take_along_axis(x, index, axis=-1)
            for x in (weight, probability, frequency)
        ]
        # What is moved leaves one bin and enters the next.
        moved = 2.0 * ops.sum(_most_moved(inside, index, share), axis=-1)
        return mean_over_classes(moved, ops.sum(weight, axis=-1))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "threshold": self.threshold,
        }


def _find_fine_bin(probabilities: Tensor) -> Tensor:
    edges = ops.convert_to_tensor(fine_edges(), dtype=probabilities.dtype)
    # NaN goes to bin 0.
    values = ops.where(ops.isnan(probabilities), 0.0, probabilities)
    index = ops.searchsorted(edges, values, side="right")
    return ops.cast(index, "int32")


def _cuts(weight: Tensor, num_bins: int) -> tuple[Tensor, Tensor]:
    """Where bins end: in which fine bin, and after which share of it.

    Args:
        weight: `(classes, fine bins)`.
        num_bins: number of bins of equal weight.

    Returns:
        Two `(classes, num_bins - 1)`.
    """
    up_to = ops.cumsum(weight, axis=-1)
    parts = np.arange(1, num_bins) / num_bins
    ends = up_to[:, -1:] * ops.convert_to_tensor(parts, dtype=up_to.dtype)
    index = ops.minimum(_count_below(up_to, ends), weight.shape[-1] - 1)
    inside = ops.take_along_axis(weight, index, axis=-1)
    missing = ops.take_along_axis(up_to, index, axis=-1) - ends
    share = 1.0 - ops.clip(ratio(missing, inside), 0.0, 1.0)
    return index, ops.where(inside == 0, 0.0, share)


def _count_below(rows: Tensor, values: Tensor) -> Tensor:
    """How many of an ascending row are below each of its values."""
    size = rows.shape[-1]
    count = ops.zeros_like(values, dtype="int32")
    for step in reversed([2**i for i in range(size.bit_length())]):
        tried = ops.minimum(count + step, size)
        last = ops.take_along_axis(rows, tried - 1, axis=-1)
        count = ops.where(last < values, tried, count)
    return count


def _most_moved(inside: list[Tensor], index: Tensor, share: Tensor) -> Tensor:
    """How far the gap below a cut may lie from the share of its fine bin's."""
    weight, probability, frequency = inside
    edges = np.concatenate([[0.0], fine_edges(), [1.0]])
    edges = ops.convert_to_tensor(edges, dtype=weight.dtype)
    lowest, highest = ops.take(edges, index), ops.take(edges, index + 1)
    left, right = share * weight, (1.0 - share) * weight
    # The lowest probabilities are below the cut, each between the edges.
    least = ops.maximum(left * lowest, probability - right * highest)
    too_much = ops.maximum(share * probability - least, 0.0)
    most_right = ops.minimum(frequency, left) - share * frequency
    least_right = share * frequency - ops.maximum(0.0, frequency - right)
    return ops.maximum(most_right + too_much, least_right)
