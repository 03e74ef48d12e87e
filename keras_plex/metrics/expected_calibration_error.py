"""How far confidence and accuracy lie apart."""

import keras
from keras import ops

from keras_plex.metrics.base import ratio
from keras_plex.metrics.confidence_bins import TopLabelBins
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class ExpectedCalibrationError(TopLabelBins):
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
        weighted: whether each gap counts times the confidence, so that sure
            forecasts matter more. The weights stay out of the divisor, as in
            the code of the Plex paper. Defaults to `False`.
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
        weighted: bool = False,
        name: str = "expected_calibration_error",
        dtype: str | None = None,
    ):
        super().__init__(num_bins, from_logits, name=name, dtype=dtype)
        self.weighted = weighted

    def columns(self, confidence: Tensor, accuracy: Tensor) -> Tensor:
        if not self.weighted:
            return super().columns(confidence, accuracy)
        scaled = [confidence * confidence, confidence * accuracy]
        return ops.stack([ops.ones_like(confidence), *scaled], axis=-1)

    def result(self) -> Tensor:
        weight, confidence, accuracy = ops.unstack(self.totals(), axis=-1)
        gaps = ops.sum(ops.abs(accuracy - confidence))
        return ratio(gaps, ops.sum(weight))

    def get_config(self) -> Config:
        return {**super().get_config(), "weighted": self.weighted}
