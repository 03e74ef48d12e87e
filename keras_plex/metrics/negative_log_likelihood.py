"""How surprising the labels are to the forecast."""

import keras
from keras import ops

from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.forecasts import log_class_probabilities
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class NegativeLogLikelihood(ForecastMetric):
    """Minus the log probability that the mixture gives the label, in nats.

    The proper score to compare models by: it falls only by being right more
    often or by being better calibrated. `ln(classes)` is the score of a
    uniform forecast.

    `NLL = mean over examples of -sum_k y_k ln p_k`, where `0 ln 0 = 0`

    Nothing is clipped: a label that was given probability 0 makes the result
    infinite. A float32 softmax gives 0 below 1e-38; with `from_logits=True`
    the logarithm is taken before that happens.

    Args:
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`.

    Example:

    >>> metric = NegativeLogLikelihood()
    >>> metric.update_state([0, 1], [[0.5, 0.5], [0.75, 0.25]])
    >>> round(float(metric.result()), 6)  # (ln 2 + ln 4) / 2
    1.039721

    Reference:
        Good, 1952, "Rational decisions".
    """

    def __init__(
        self,
        from_logits: bool = False,
        *,
        name: str = "negative_log_likelihood",
        dtype: str | None = None,
    ):
        super().__init__(from_logits, name=name, dtype=dtype)

    def forecast(self, y_pred: Tensor) -> Tensor:
        return log_class_probabilities(y_pred, self.from_logits, self.sum_dtype)

    def values(self, labels: Tensor, forecast: Tensor) -> Tensor:
        terms = ops.where(labels == 0, 0.0, labels * forecast)
        return -ops.sum(terms, axis=-1)
