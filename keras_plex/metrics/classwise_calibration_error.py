"""How far the probability of each class lies from its frequency."""

import math

import keras
from keras import ops

from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.class_bins import check_threshold
from keras_plex.metrics.class_bins import class_sums
from keras_plex.metrics.class_bins import mean_over_classes
from keras_plex.metrics.confidence_bins import check_num_bins
from keras_plex.metrics.confidence_bins import equal_width_bin
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class ClasswiseCalibrationError(ForecastMetric):
    """Mean distance of frequency from probability, class by class.

    `ExpectedCalibrationError` looks at the predicted class alone. This one
    asks of every class whether, among the examples to which it was given 20 %,
    a fifth belong to it: for decisions that weigh all classes. Also called
    static calibration error.

    `error = mean over classes k of sum over bins b of (weight_kb / weight_k)
    |frequency_kb - probability_kb|`

    The bins have equal width on [0, 1] and hold their lower edge; the last
    also holds 1. With many classes most probabilities are close to 0, where a
    small distance is no achievement: `threshold` leaves them out.

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

    >>> metric = ClasswiseCalibrationError(num_bins=10)
    >>> metric.update_state([1, 0], [[0.2, 0.8], [0.3, 0.7]])
    >>> round(float(metric.result()), 6)  # of each class (0.2 + 0.7) / 2
    0.45

    Reference:
        Kull et al., 2019, "Beyond temperature scaling: obtaining well
        calibrated multi-class probabilities with Dirichlet calibration";
        Nixon et al., 2019, "Measuring calibration in deep learning".
    """

    def __init__(
        self,
        num_bins: int = 15,
        from_logits: bool = False,
        *,
        threshold: float = 0.0,
        name: str = "classwise_calibration_error",
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
            find_bin=lambda values: equal_width_bin(values, self.num_bins),
            num_bins=self.num_bins,
            threshold=self.threshold,
        )

    def result(self) -> Tensor:
        if not self.has_state:
            return ops.convert_to_tensor(math.nan, dtype=self.sum_dtype)
        # (classes, num_bins)
        weight, probability, frequency = ops.unstack(self.totals(), axis=-1)
        gaps = ops.sum(ops.abs(frequency - probability), axis=-1)
        return mean_over_classes(gaps, ops.sum(weight, axis=-1))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "threshold": self.threshold,
        }
