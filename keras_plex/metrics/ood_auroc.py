"""How well a score separates the unknown from the known, while streaming."""

import math
import types

import keras
import numpy as np
from keras import ops

from keras_plex.metrics.base import StreamingMetric
from keras_plex.metrics.base import ratio
from keras_plex.metrics.forecasts import check_same_batch
from keras_plex.metrics.forecasts import class_probabilities
from keras_plex.metrics.forecasts import example_weights
from keras_plex.metrics.forecasts import weigh
from keras_plex.predictions import prediction_fields
from keras_plex.scores import score as score_named
from keras_plex.types import Config
from keras_plex.types import Tensor

# A magnitude m lies at u / (OCTAVES + |u|) with u = log2 m: half of the bins
# lie between 2^-OCTAVES and 2^OCTAVES, the rest reach 0 and infinity.
OCTAVES = 4.0


@keras.saving.register_keras_serializable("keras_plex")
class OODAUROC(StreamingMetric):
    """Probability that an out-of-distribution example scores higher.

    Compares a random out-of-distribution (OOD) example with a random known
    one; an equal score counts one half. 1 is perfect separation, 0.5 is
    chance.

    Memory does not grow with the data: the state is a histogram of the scores
    of each kind. The bins are narrow relative to the score (with the default
    `num_bins`: 0.02 % of it near 1, 0.2 % at 1e-3 and 1e3, 1 % at 1e-7) and
    0 has its own, so that saturated scores stay apart. The order of two
    scores is never reversed; those that share a bin count one half. The
    result is therefore within half the share of pairs in one bin of the exact
    value: `error_bound()`. For the exact value over arrays see
    `metrics.ranking.auroc`.

    Args:
        score: name of a score in `keras_plex.scores`, computed from `y_pred`,
            such as `"msp"`; or `None`, where `y_pred` is the score itself.
        from_logits: whether `y_pred` holds logits; only for a named score.
        num_bins: number of bins, even; half are for negative scores. More
            bins make the bound smaller. Defaults to 65536 (1 MB).
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments:
        y_true: `(batch,)` or `(batch, 1)`; 1 for OOD, 0 for in-distribution.
        y_pred: scores `(batch,)` or `(batch, 1)`, higher = more uncertain;
            with a named score, predictions as in `ForecastMetric`.
        sample_weight: `(batch,)` or `(batch, 1)`.

    The result is NaN without an example of each kind, after a label that is
    neither 0 nor 1, and after a NaN score or prediction.

    Example:

    >>> metric = OODAUROC()
    >>> metric.update_state([0, 0, 1, 1], [0.2, 0.4, 0.35, 0.1])
    >>> float(metric.result())  # 1 of the 4 pairs is in order
    0.25

    Reference:
        Hanley and McNeil, 1982, "The meaning and use of the area under a
        receiver operating characteristic (ROC) curve".
    """

    def __init__(
        self,
        score: str | None = None,
        from_logits: bool = False,
        *,
        num_bins: int = 65536,
        name: str = "ood_auroc",
        dtype: str | None = None,
    ):
        if type(num_bins) is not int or num_bins < 2 or num_bins % 2:
            raise ValueError(
                "`num_bins` must be an even positive integer. "
                f"Received: num_bins={num_bins!r}"
            )
        if score is None and from_logits:
            raise ValueError(
                "`from_logits=True` needs a named score, such as "
                '`score="msp"`: without one, `y_pred` is the score itself.'
            )
        if score is not None:
            score_named(score)  # An unknown name is an error here.
        # (known or OOD, bin)
        super().__init__((2, num_bins), name=name, dtype=dtype)
        self.score = score
        self.from_logits = from_logits
        self.num_bins = num_bins

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
        is_valid = ((is_ood == 0) | (is_ood == 1)) & ~ops.isnan(values)
        weights = weigh(
            ops.where(is_valid, 1.0, math.nan),
            example_weights(sample_weight, values),
        )
        index = score_bin(ops.where(is_valid, values, 0.0), self.num_bins)
        kind = ops.cast(is_ood == 1, "int32")
        histogram = ops.segment_sum(
            weights,
            kind * self.num_bins + index,
            num_segments=2 * self.num_bins,
        )
        self.accumulate(ops.reshape(histogram, (2, self.num_bins)))

    def result(self) -> Tensor:
        known, ood = ops.unstack(self.totals())
        below = ops.cumsum(known) - known
        in_order = ops.sum(ood * (below + 0.5 * known))
        return ratio(in_order, ops.sum(known) * ops.sum(ood))

    def error_bound(self) -> Tensor:
        """How far the result may lie from the exact value, at most.

        Half the share of pairs (known, OOD) that lie in one bin. Pairs of
        equal scores are among them, though they cause no error.
        """
        known, ood = ops.unstack(self.totals())
        tied = 0.5 * ops.sum(known * ood)
        return ratio(tied, ops.sum(known) * ops.sum(ood))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "score": self.score,
            "from_logits": self.from_logits,
            "num_bins": self.num_bins,
        }

    def _scores(self, y_pred: Tensor) -> Tensor:
        """Scores `(batch,)`, NaN for a prediction that is no forecast."""
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), self.sum_dtype)
        rank = len(y_pred.shape)
        if self.score is not None:
            probabilities = class_probabilities(
                y_pred, self.from_logits, self.sum_dtype
            )
            values = score_named(self.score)(self._fields(y_pred))
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

    def _fields(self, y_pred: Tensor) -> types.SimpleNamespace:
        """The fields of `Predictions` as tensors."""
        if len(y_pred.shape) == 1:
            y_pred = ops.expand_dims(y_pred, axis=-1)
        activation = "sigmoid" if y_pred.shape[-1] == 1 else "softmax"
        kind = f"{activation}_logits" if self.from_logits else "probabilities"
        return types.SimpleNamespace(**prediction_fields(y_pred, kind))


def score_bin(values: Tensor, num_bins: int) -> Tensor:
    """Index of the bin of each score; never lower for a higher score."""
    edges = ops.convert_to_tensor(
        _magnitude_edges(num_bins // 2), dtype=values.dtype
    )
    magnitude = ops.abs(values)
    exponent = ops.log2(ops.clip(magnitude, np.finfo("float32").tiny, 2.0**127))
    position = exponent / (OCTAVES + ops.abs(exponent))  # in (-1, 1)
    index = ops.cast((position + 1.0) * (num_bins / 4), "int32")
    # The logarithm is right to a bin: the edges decide, and keep the order.
    index = index + ops.cast(magnitude >= ops.take(edges, index + 1), "int32")
    index = index - ops.cast(magnitude < ops.take(edges, index), "int32")
    return ops.where(
        values < 0, num_bins // 2 - 1 - index, num_bins // 2 + index
    )


def _magnitude_edges(bins: int) -> np.ndarray:
    """Lower edges of the bins of the magnitudes; NaN, never reached, ends."""
    position = np.linspace(-1.0, 1.0, bins + 1)[1:-1]
    exponent = OCTAVES * position / (1.0 - np.abs(position))
    # Outside the range of float32 bins stay empty.
    inner = np.exp2(np.clip(exponent, -126.0, 127.0))
    return np.concatenate([[0.0], inner, [np.nan]])
