"""The error rate of a model that may abstain, over all shares of answers."""

import keras
from keras import ops

from keras_plex.metrics.base import ratio
from keras_plex.metrics.correctness_histogram import CorrectnessHistogram
from keras_plex.metrics.tied_selection import risk_coverage_area
from keras_plex.metrics.tied_selection import risk_coverage_area_range
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class RiskCoverageAUC(CorrectnessHistogram):
    """Mean error rate among the most confident predictions (AURC).

    A model that answers only the share of questions it is most confident in,
    its coverage, makes errors at a rate, its risk. This is the mean risk over
    all coverages; lower is better. It rewards accuracy and ranking together.

    `AURC = 1 / N sum_k (errors among the k most confident) / k`

    With `excess=True`, the AURC above that of a model with the same errors and
    a perfect ranking (E-AURC): 0 means that every error is less confident than
    every right prediction.

    Ties count in expectation over their order, and memory does not grow with
    the data: see `ScoreHistogram`. `error_bound()` says how far the bins can
    move the result from the exact value, which `metrics.risk_coverage_auc`
    gives for arrays.

    Args:
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        excess: whether to subtract the lowest possible value. Defaults to
            `False`.
        num_bins: number of bins, even. Defaults to 65536 (1 MB).
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`. A weight counts like as many equal
    examples, so that weights that sum to one do not give the same value.

    Example:

    >>> metric = RiskCoverageAUC()
    >>> metric.update_state([1, 0, 1], [[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    >>> round(float(metric.result()), 6)  # (0 + 1/2 + 1/3) / 3
    0.277778

    Reference:
        Geifman, Uziel and El-Yaniv, 2019, "Bias-reduced uncertainty estimation
        for deep neural classifiers".
    """

    def __init__(
        self,
        from_logits: bool = False,
        *,
        excess: bool = False,
        num_bins: int = 65536,
        name: str = "risk_coverage_auc",
        dtype: str | None = None,
    ):
        super().__init__(from_logits, num_bins=num_bins, name=name, dtype=dtype)
        self.excess = excess

    def value(self, negative: Tensor, positive: Tensor) -> Tensor:
        area = risk_coverage_area(negative, positive, ops)
        if self.excess:
            # All in one group, the right ones first.
            everything = ops.sum(negative)[None], ops.sum(positive)[None]
            area = area - risk_coverage_area_range(*everything, ops)[0]
        return ratio(area, ops.sum(negative) + ops.sum(positive))

    def bound(self, negative: Tensor, positive: Tensor) -> Tensor:
        area = risk_coverage_area(negative, positive, ops)
        lowest, highest = risk_coverage_area_range(negative, positive, ops)
        error = ops.maximum(area - lowest, highest - area)
        return ratio(
            ops.maximum(error, 0.0), ops.sum(negative) + ops.sum(positive)
        )

    def get_config(self) -> Config:
        return {**super().get_config(), "excess": self.excess}
