"""What the streaming out-of-distribution metrics share: arguments, scores."""

import math
import types

from keras import ops

from keras_plex.conversion import forward_pass
from keras_plex.metrics.forecasts import check_same_batch
from keras_plex.metrics.forecasts import class_probabilities
from keras_plex.metrics.forecasts import example_weights
from keras_plex.metrics.score_histogram import ScoreHistogram
from keras_plex.predictions import prediction_fields
from keras_plex.scores import needs_features
from keras_plex.scores import score as score_named
from keras_plex.types import Config
from keras_plex.types import Tensor


class OODHistogram(ScoreHistogram):
    """A ranking by a score of uncertainty; out-of-distribution is positive.

    Args:
        score: name of a score in `keras_plex.scores`, computed from `y_pred`,
            such as `"msp"`; or `None`, where `y_pred` is the score itself.
        from_logits: whether `y_pred` holds logits; only for a named score.
        num_bins: number of bins, even; half are for negative scores. More
            bins make the bound smaller. Defaults to 65536 (1 MB).
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments:
        y_true: `(batch,)` or `(batch, 1)`; 1 for out-of-distribution (OOD), 0
            for in-distribution.
        y_pred: scores `(batch,)` or `(batch, 1)`, higher = more uncertain;
            with a named score, predictions as in `ForecastMetric`. In
            `compile` of a model with members, scores of these read them.
        sample_weight: `(batch,)` or `(batch, 1)`.

    The result is NaN without an example of each kind, after a label that is
    neither 0 nor 1, and after a NaN score or prediction.
    """

    def __init__(
        self,
        score: str | None = None,
        from_logits: bool = False,
        *,
        num_bins: int = 65536,
        name: str | None = None,
        dtype: str | None = None,
    ):
        if score is None and from_logits:
            raise ValueError(
                "`from_logits=True` needs a named score, such as "
                '`score="msp"`: without one, `y_pred` is the score itself.'
            )
        if score is not None and needs_features(score):
            raise ValueError(
                f"Score {score!r} reads features, which `y_pred` does not "
                "hold. Compute the score, and pass it as `y_pred` to a metric "
                "without a named one."
            )
        super().__init__(num_bins, name=name, dtype=dtype)
        self.score = score
        self.from_logits = from_logits

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
    ) -> None:
        values = self._scores(y_pred)
        is_ood = ops.convert_to_tensor(y_true)
        check_same_batch("y_true", is_ood, values)
        is_ood = ops.reshape(ops.cast(is_ood, values.dtype), (-1,))
        is_kind = (is_ood == 0) | (is_ood == 1)
        self.add(
            values,
            ops.where(is_kind, is_ood, math.nan),
            example_weights(sample_weight, values),
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "score": self.score,
            "from_logits": self.from_logits,
        }

    def _scores(self, y_pred: Tensor) -> Tensor:
        """Scores `(batch,)`, NaN for a prediction that is no forecast."""
        members = forward_pass.members_of(y_pred)
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), self.sum_dtype)
        rank = len(y_pred.shape)
        if self.score is not None:
            probabilities = class_probabilities(
                y_pred, self.from_logits, self.sum_dtype
            )
            values = score_named(self.score)(self._fields(y_pred, members))
            values = ops.cast(values, self.sum_dtype)
            is_forecast = ~ops.any(ops.isnan(probabilities), axis=-1)
            return ops.where(is_forecast, values, math.nan)
        if rank == 1 or (rank == 2 and y_pred.shape[-1] == 1):
            return ops.reshape(y_pred, (-1,))
        raise ValueError(
            "Without a named score, `y_pred` must be scores (batch,) or "
            '(batch, 1). For predictions name one, such as `score="msp"`. '
            f"Received: shape={tuple(y_pred.shape)}"
        )

    def _fields(
        self, y_pred: Tensor, members: Tensor | None
    ) -> types.SimpleNamespace:
        """The fields of `Predictions` as tensors."""
        if len(y_pred.shape) == 1:
            y_pred = ops.expand_dims(y_pred, axis=-1)
        activation = "sigmoid" if y_pred.shape[-1] == 1 else "softmax"
        kind = f"{activation}_logits" if self.from_logits else "probabilities"
        fields = prediction_fields(y_pred, kind)
        if members is not None:
            of_forecast = {name: fields[name] for name in OF_FORECAST}
            fields = {**prediction_fields(members, kind), **of_forecast}
        return types.SimpleNamespace(**fields)


# What a forecast says itself, whatever the members say.
OF_FORECAST = (
    "probabilities",
    "labels",
    "confidence",
    "entropy",
    "log_probabilities",
)
