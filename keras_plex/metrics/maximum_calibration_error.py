"""The largest distance of accuracy from confidence."""

import math

import keras
from keras import ops

from keras_plex.metrics.base import ratio
from keras_plex.metrics.confidence_bins import TopLabelBins
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class MaximumCalibrationError(TopLabelBins):
    """Largest distance of accuracy from confidence, over bins of confidence.

    Where a wrong probability is costly, the worst bin matters more than the
    mean, `ExpectedCalibrationError`, whose bins these are. A bin with few
    examples is noisy, and decides: use few bins, or many examples.

    `MCE = max over bins b that hold weight of |accuracy_b - confidence_b|`

    Args:
        num_bins: number of bins. Defaults to 15.
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`.

    Example:

    >>> metric = MaximumCalibrationError(num_bins=10)
    >>> metric.update_state([1, 0], [[0.2, 0.8], [0.3, 0.7]])
    >>> round(float(metric.result()), 6)  # gaps 0.2 and 0.7
    0.7

    Reference:
        Naeini, Cooper and Hauskrecht, 2015, "Obtaining well calibrated
        probabilities using Bayesian binning".
    """

    def __init__(
        self,
        num_bins: int = 15,
        from_logits: bool = False,
        *,
        name: str = "maximum_calibration_error",
        dtype: str | None = None,
    ):
        super().__init__(num_bins, from_logits, name=name, dtype=dtype)

    def result(self) -> Tensor:
        weight, confidence, accuracy = ops.unstack(self.totals(), axis=-1)
        gaps = ratio(ops.abs(accuracy - confidence), weight)
        largest = ops.max(ops.where(weight == 0, 0.0, gaps))
        # Backends differ in whether a maximum passes a NaN on.
        is_number = ops.all((weight == 0) | ~ops.isnan(gaps))
        is_number = is_number & ops.any(weight != 0)
        return ops.where(is_number, largest, math.nan)
