"""The squared distance between forecast and label."""

import keras
from keras import ops

from keras_plex.metrics.base import ForecastMetric
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class BrierScore(ForecastMetric):
    """Squared distance of the forecast from the label, summed over classes.

    A proper score like the likelihood, but bounded: from 0, certain and right,
    to 2, certain and wrong. Two classes give twice the value of the
    half-Brier score of class 1 alone, which scikit-learn uses.

    `Brier = mean over examples of sum_k (p_k - y_k)^2`

    Args:
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`.

    Example:

    >>> metric = BrierScore()
    >>> metric.update_state([0], [[0.5, 0.5]])
    >>> float(metric.result())  # 0.25 + 0.25
    0.5

    Reference:
        Brier, 1950, "Verification of forecasts expressed in terms of
        probability".
    """

    def __init__(
        self,
        from_logits: bool = False,
        *,
        name: str = "brier_score",
        dtype: str | None = None,
    ):
        super().__init__(from_logits, name=name, dtype=dtype)

    def values(self, labels: Tensor, forecast: Tensor) -> Tensor:
        return ops.sum(ops.square(forecast - labels), axis=-1)
