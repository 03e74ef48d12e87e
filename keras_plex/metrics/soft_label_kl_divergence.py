"""How far the forecast is from the distribution of the labels."""

import keras
from keras import ops

from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.forecasts import log_class_probabilities
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class SoftLabelKLDivergence(ForecastMetric):
    """Kullback-Leibler divergence of the forecast from soft labels, in nats.

    Whether the model is unsure where annotators disagree. It is 0 for a
    forecast that equals the label distribution, where `NegativeLogLikelihood`
    is the entropy of the labels: this metric is that one less the entropy.

    `KL = mean over examples of sum_k y_k ln(y_k / p_k)`, where `0 ln 0 = 0`

    Nothing is clipped: a class with a label share and probability 0 makes the
    result infinite. With `from_logits=True` the logarithm is exact for large
    logits.

    Args:
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`.

    Example:

    >>> metric = SoftLabelKLDivergence()
    >>> metric.update_state([[0.5, 0.5]], [[0.75, 0.25]])
    >>> round(float(metric.result()), 6)  # ln(4 / 3) / 2
    0.143841

    Reference:
        Kullback and Leibler, 1951, "On information and sufficiency"; for
        labels of many annotators: Peterson et al., 2019, "Human uncertainty
        makes classification more robust".
    """

    def __init__(
        self,
        from_logits: bool = False,
        *,
        name: str = "soft_label_kl_divergence",
        dtype: str | None = None,
    ):
        super().__init__(from_logits, name=name, dtype=dtype)

    def forecast(self, y_pred: Tensor) -> Tensor:
        return log_class_probabilities(y_pred, self.from_logits, self.sum_dtype)

    def values(self, labels: Tensor, forecast: Tensor) -> Tensor:
        is_zero = labels <= 0
        log_labels = ops.log(ops.where(is_zero, 1.0, labels))
        terms = ops.where(is_zero, 0.0, labels * (log_labels - forecast))
        return ops.sum(terms, axis=-1)
