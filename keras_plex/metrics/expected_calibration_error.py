"""How far confidence and accuracy lie apart."""

import keras
import numpy as np
from keras import ops

from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.base import ratio
from keras_plex.metrics.forecasts import weigh
from keras_plex.types import Config
from keras_plex.types import Tensor

# With 32, a batch of a million examples is exact to 1e-5.
SHARDS = 32


@keras.saving.register_keras_serializable("keras_plex")
class ExpectedCalibrationError(ForecastMetric):
    """Mean distance of accuracy from confidence, over bins of confidence.

    Says by how much, on average, a stated probability is off: 0.05 is five
    percentage points. It is 0 for a forecaster whose 80 % forecasts come true
    80 % of the time, and says nothing about accuracy: read it beside
    `NegativeLogLikelihood` or `BrierScore`.

    `ECE = sum over bins b of (weight_b / weight) |accuracy_b - confidence_b|`

    The confidence is the largest class probability. The bins have equal width
    on [0, 1] and hold their lower edge; the last also holds 1. The accuracy of
    an example is the probability that its label gives to the predicted class:
    0 or 1 for a hard label, the share of annotators who agree for a soft one.
    Of equally probable classes the first is the predicted one.

    ECE is biased upwards by sampling noise: with few examples a bin, a
    perfect forecaster scores above 0.

    Args:
        num_bins: number of bins. Defaults to 15, as in the paper.
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`.

    Example:

    >>> metric = ExpectedCalibrationError(num_bins=10)
    >>> metric.update_state([1, 0], [[0.2, 0.8], [0.3, 0.7]])
    >>> round(float(metric.result()), 6)  # 0.5 * 0.2 + 0.5 * 0.7
    0.45

    Reference:
        Guo, Pleiss, Sun and Weinberger, 2017, "On calibration of modern neural
        networks", https://arxiv.org/abs/1706.04599
    """

    def __init__(
        self,
        num_bins: int = 15,
        from_logits: bool = False,
        *,
        name: str = "expected_calibration_error",
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
        confidence = ops.max(forecast, axis=-1)
        predicted = ops.one_hot(
            ops.argmax(forecast, axis=-1),
            forecast.shape[-1],
            dtype=forecast.dtype,
        )
        accuracy = ops.sum(labels * predicted, axis=-1)
        # (batch, 3): weight, confidence, accuracy
        examples = ops.stack(
            [ops.ones_like(confidence), confidence, accuracy], axis=-1
        )
        return binned_sums(
            weigh(examples, weights[:, None]),
            equal_width_bin(confidence, self.num_bins),
            self.num_bins,
        )

    def result(self) -> Tensor:
        weight, confidence, accuracy = ops.unstack(self.totals(), axis=-1)
        gaps = ops.sum(ops.abs(accuracy - confidence))
        return ratio(gaps, ops.sum(weight))

    def get_config(self) -> Config:
        return {**super().get_config(), "num_bins": self.num_bins}


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
    `SHARDS` sums of `SHARDS` sums.
    """
    shard = ops.arange(ops.shape(index)[0], dtype="int32") % SHARDS**2
    sums = ops.segment_sum(
        values, shard * num_bins + index, num_segments=SHARDS**2 * num_bins
    )
    # (SHARDS, SHARDS, num_bins, columns) -> (num_bins, columns)
    sums = ops.reshape(sums, (SHARDS, SHARDS, num_bins, values.shape[-1]))
    return ops.sum(ops.sum(sums, axis=0), axis=0)


def check_num_bins(num_bins: int) -> None:
    """Raises if `num_bins` is not a positive integer."""
    if type(num_bins) is not int or num_bins < 1:
        raise ValueError(
            "`num_bins` must be a positive integer. "
            f"Received: num_bins={num_bins!r}"
        )
