"""What the streaming selective metrics share: right and wrong by confidence."""

from keras import ops

from keras_plex.metrics.forecasts import class_probabilities
from keras_plex.metrics.forecasts import example_weights
from keras_plex.metrics.forecasts import label_distribution
from keras_plex.metrics.score_histogram import ScoreHistogram
from keras_plex.types import Config
from keras_plex.types import Tensor


class CorrectnessHistogram(ScoreHistogram):
    """A ranking of the predictions by uncertainty; wrong is positive.

    The uncertainty is one minus the confidence, the largest probability of the
    forecast. It is computed as the sum of the other probabilities, so that
    forecasts whose confidence rounds to 1 still rank. Of equally probable
    classes the first is the predicted one. With a soft label, a prediction is
    right to the share that the label gives to the predicted class.

    Args:
        from_logits: whether `y_pred` holds logits; else probabilities.
        num_bins: number of bins of the uncertainty, even.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments, and when the result is NaN: as in `ForecastMetric`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        *,
        num_bins: int = 65536,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(num_bins, name=name, dtype=dtype)
        self.from_logits = from_logits

    def forecast(self, y_pred: Tensor) -> Tensor:
        """The probabilities `(batch, classes)`, NaN if they are none."""
        if self.from_logits:
            y_pred = _two_logits(
                ops.cast(ops.convert_to_tensor(y_pred), self.sum_dtype)
            )
        return class_probabilities(y_pred, self.from_logits, self.sum_dtype)

    def rate(self, labels: Tensor, forecast: Tensor) -> tuple[Tensor, Tensor]:
        """Uncertainty and share that is wrong, `(batch,)` each."""
        others = 1.0 - ops.one_hot(
            ops.argmax(forecast, axis=-1),
            forecast.shape[-1],
            dtype=forecast.dtype,
        )
        uncertainty = ops.sum(forecast * others, axis=-1)
        return uncertainty, ops.sum(labels * others, axis=-1)

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
    ) -> None:
        forecast = self.forecast(y_pred)
        labels = label_distribution(y_true, forecast)
        weights = example_weights(sample_weight, forecast)
        uncertainty, wrong = self.rate(labels, forecast)
        # Rounding may bring the sum of a soft label out of range.
        self.add(uncertainty, ops.clip(wrong, 0.0, 1.0), weights)

    def get_config(self) -> Config:
        return {**super().get_config(), "from_logits": self.from_logits}


def _two_logits(y_pred: Tensor) -> Tensor:
    """One logit as two, whose softmax keeps the smaller probability."""
    if len(y_pred.shape) == 1:
        y_pred = ops.expand_dims(y_pred, axis=-1)
    if y_pred.shape[-1] != 1:
        return y_pred
    return ops.concatenate([ops.zeros_like(y_pred), y_pred], axis=-1)
