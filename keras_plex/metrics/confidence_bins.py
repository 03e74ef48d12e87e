"""Bins of confidence, and what examples add to them."""

import math

import numpy as np
from keras import ops

from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.forecasts import weigh
from keras_plex.types import Config
from keras_plex.types import Tensor

# With 32, a batch of a million examples is exact to 1e-5.
SHARDS = 32
# Bins and shards together, at most: 12 MB for three columns.
MAX_SEGMENTS = 2**20


class TopLabelBins(ForecastMetric):
    """Sums of weight, confidence and accuracy by bin of the top label.

    The confidence is the largest class probability. The bins have equal width
    on [0, 1] and hold their lower edge; the last also holds 1. The accuracy of
    an example is the probability that its label gives to the predicted class:
    0 or 1 for a hard label, the share of annotators who agree for a soft one.
    Of equally probable classes the first is the predicted one.

    A subclass reads `totals()`, `(num_bins, 3)`, in `result`.

    Args:
        num_bins: number of bins.
        from_logits: whether `y_pred` holds logits.
        name: of the metric.
        dtype: of the sums.
    """

    def __init__(
        self,
        num_bins: int = 15,
        from_logits: bool = False,
        *,
        name: str | None = None,
        dtype: str | None = None,
    ):
        check_num_bins(num_bins)
        super().__init__(
            from_logits, shape=(num_bins, 3), name=name, dtype=dtype
        )
        self.num_bins = num_bins

    def batch_sums(
        self, labels: Tensor, forecast: Tensor, weights: Tensor
    ) -> Tensor:
        confidence, accuracy = top_label(labels, forecast)
        columns = self.columns(confidence, accuracy)
        return binned_sums(
            weigh(columns, weights[:, None]),
            equal_width_bin(confidence, self.num_bins),
            self.num_bins,
        )

    def columns(self, confidence: Tensor, accuracy: Tensor) -> Tensor:
        """What an example of weight 1 adds to its bin: `(batch, 3)`."""
        ones = ops.ones_like(confidence)
        return ops.stack([ones, confidence, accuracy], axis=-1)

    def get_config(self) -> Config:
        return {**super().get_config(), "num_bins": self.num_bins}


def top_label(labels: Tensor, forecast: Tensor) -> tuple[Tensor, Tensor]:
    """Confidence and accuracy `(batch,)` of the most probable class."""
    predicted = ops.one_hot(
        ops.argmax(forecast, axis=-1), forecast.shape[-1], dtype=forecast.dtype
    )
    accuracy = ops.sum(labels * predicted, axis=-1)
    # A maximum over a batch of no example is an error in Keras.
    return ops.sum(forecast * predicted, axis=-1), accuracy


def equal_width_bin(values: Tensor, num_bins: int) -> Tensor:
    """Index of the bin of [0, 1] that holds each value; NaN goes to bin 0.

    Values are compared with the edges `i / num_bins`, so that 0.29 lies in
    bin 29 of 100, where `floor(0.29 * 100)` is 28.
    """
    edges = ops.convert_to_tensor(
        np.arange(1, num_bins) / num_bins, dtype=values.dtype
    )
    reached = values[:, None] >= edges  # (batch, num_bins - 1)
    return ops.sum(ops.cast(reached, "int32"), axis=-1)


def binned_sums(values: Tensor, index: Tensor, num_bins: int) -> Tensor:
    """Sums of rows `(batch, columns)` by bin: `(num_bins, columns)`.

    A float32 sum drifts with its length, so that each bin is a sum of
    `SHARDS` sums of `SHARDS` sums; of fewer where there are many bins.
    """
    shards = max(1, min(SHARDS, math.isqrt(MAX_SEGMENTS // num_bins)))
    shard = ops.arange(ops.shape(index)[0], dtype="int32") % shards**2
    sums = ops.segment_sum(
        values, shard * num_bins + index, num_segments=shards**2 * num_bins
    )
    # (shards, shards, num_bins, columns) -> (num_bins, columns)
    sums = ops.reshape(sums, (shards, shards, num_bins, values.shape[-1]))
    return ops.sum(ops.sum(sums, axis=0), axis=0)


def check_num_bins(num_bins: int) -> None:
    """Raises if `num_bins` is not a positive integer."""
    if type(num_bins) is not int or num_bins < 1:
        raise ValueError(
            "`num_bins` must be a positive integer. "
            f"Received: num_bins={num_bins!r}"
        )
