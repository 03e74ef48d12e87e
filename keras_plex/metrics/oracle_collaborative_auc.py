"""The area under the curve of a model whose closest calls are reviewed."""

import math

import keras
from keras import ops

from keras_plex.checks import is_integer
from keras_plex.checks import is_positive_integer
from keras_plex.metrics.base import StreamingMetric
from keras_plex.metrics.confidence_bins import top_label
from keras_plex.metrics.forecasts import check_same_batch
from keras_plex.metrics.forecasts import class_probabilities
from keras_plex.metrics.forecasts import example_weights
from keras_plex.metrics.forecasts import label_distribution
from keras_plex.metrics.review import check_share
from keras_plex.metrics.review import review_count
from keras_plex.metrics.score_histogram import nan_unless
from keras_plex.metrics.threshold_curve import AREAS
from keras_plex.metrics.threshold_curve import check_curve
from keras_plex.metrics.threshold_curve import spaced_thresholds
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class OracleCollaborativeAUC(StreamingMetric):
    """AUC if, at each threshold, an oracle settles the closest calls.

    For a detector of two classes with a reviewer: whatever threshold is
    chosen, the `floor(fraction * examples)` predictions closest to it are
    corrected. `fraction=0` is the plain AUC at these thresholds, and
    `fraction=1` is 1.

    The positive class is class 1. With more than two classes the task becomes
    "is the prediction right": positive = right, probability = confidence. (The
    reference compares class 0 with the rest there.)

    As in the reference, examples are counted at `num_thresholds` thresholds
    and in `num_bins` bins of the distance from each. A bin that is reviewed in
    part loses its share of errors. Nothing is corrected at the first and the
    last threshold, which lie outside [0, 1]. Scores between two thresholds
    are tied: clustered scores need more thresholds, or `CalibrationAUC`.

    Args:
        fraction: share of the examples that the oracle reviews at each
            threshold, in [0, 1]. Defaults to 0.01.
        curve: `"ROC"` or `"PR"`. Defaults to `"ROC"`.
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        num_thresholds: at least 2. Defaults to 200.
        num_bins: number of bins of equal width for the distance. The state
            holds `8 * num_thresholds * num_bins` numbers. Defaults to 1000.
        max_oracle_count: most examples that the oracle reviews, whatever the
            fraction, or `None`. Defaults to `None`.
        oracle_threshold: the oracle reviews everything at most this far from
            the threshold, in [0, 1], whatever the other limits, or `None`.
            Defaults to `None`.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`, and `score`: `(batch,)` in [0, 1],
    an order of review that takes the place of the distance, lowest first.

    Example:

    >>> metric = OracleCollaborativeAUC(fraction=0.5)
    >>> metric.update_state([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9])
    >>> float(metric.result())  # 0.75 without the oracle
    1.0

    Reference:
        Kivlichan et al., 2021, "Measuring and improving model-moderator
        collaboration using uncertainty estimation".
    """

    def __init__(
        self,
        fraction: float = 0.01,
        curve: str = "ROC",
        from_logits: bool = False,
        *,
        num_thresholds: int = 200,
        num_bins: int = 1000,
        max_oracle_count: int | None = None,
        oracle_threshold: float | None = None,
        name: str = "oracle_collaborative_auc",
        dtype: str | None = None,
    ):
        check_share("fraction", fraction)
        check_curve(curve)
        _check_counts(num_thresholds, num_bins, max_oracle_count)
        if oracle_threshold is not None:
            check_share("oracle_threshold", oracle_threshold)
            num_distances = 2  # Reviewed or not.
        else:
            num_distances = num_bins
        # (predicted positive, threshold, distance, label)
        super().__init__(
            (2, num_thresholds, num_distances, 2), name=name, dtype=dtype
        )
        self.fraction = fraction
        self.curve = curve
        self.from_logits = from_logits
        self.num_thresholds = num_thresholds
        self.num_bins = num_bins
        self.max_oracle_count = max_oracle_count
        self.oracle_threshold = oracle_threshold

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
        score: Tensor | None = None,
    ) -> None:
        forecast = class_probabilities(y_pred, self.from_logits, self.sum_dtype)
        labels = label_distribution(y_true, forecast)
        weights = example_weights(sample_weight, forecast)
        positive, probability = _two_class_task(labels, forecast)
        is_valid = ~ops.isnan(positive + probability)
        if score is not None:
            score = ops.cast(ops.convert_to_tensor(score), forecast.dtype)
            check_same_batch("score", score, forecast)
            score = ops.reshape(score, (-1,))
            is_valid = is_valid & ~ops.isnan(score)
            score = ops.where(is_valid, score, 0.0)
        weights = nan_unless(is_valid, weights)
        positive = ops.where(is_valid, positive, 0.0)
        probability = ops.where(is_valid, probability, 0.0)[:, None]
        # (batch, thresholds)
        thresholds = ops.convert_to_tensor(
            spaced_thresholds(self.num_thresholds)[None], probability.dtype
        )
        above = ops.cast(probability > thresholds, "int32")
        distance = ops.abs(probability - thresholds)
        if score is not None:
            distance = ops.broadcast_to(score[:, None], ops.shape(distance))
        _, num_thresholds, num_distances, _ = self.sums.shape
        index = above * num_thresholds + ops.arange(num_thresholds)
        index = index * num_distances + self._distance_bin(distance)
        counts = ops.stack(
            [weights * (1.0 - positive), weights * positive], axis=-1
        )
        counts = ops.broadcast_to(
            counts[:, None], (*ops.shape(distance), 2)
        )  # (batch, thresholds, label)
        sums = ops.segment_sum(
            ops.reshape(counts, (-1, 2)),
            ops.reshape(index, (-1,)),
            num_segments=2 * num_thresholds * num_distances,
        )
        self.accumulate(ops.reshape(sums, self.sums.shape))

    def result(self) -> Tensor:
        counts = self.totals()
        # (predicted positive, threshold, label)
        reviewed = ops.sum(counts * self._reviewed_share(counts), axis=2)
        counted = ops.sum(counts, axis=2)
        found, alarms = reviewed[0, :, 1], reviewed[1, :, 0]
        # Every threshold has seen all examples.
        negatives, positives = ops.unstack(counted[0, 0] + counted[1, 0])
        area = AREAS[self.curve](
            counted[1, :, 1] + found,
            counted[1, :, 0] - alarms,
            positives,
            negatives,
            ops,
        )
        return ops.where(positives * negatives > 0, area, math.nan)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "fraction": self.fraction,
            "curve": self.curve,
            "from_logits": self.from_logits,
            "num_thresholds": self.num_thresholds,
            "num_bins": self.num_bins,
            "max_oracle_count": self.max_oracle_count,
            "oracle_threshold": self.oracle_threshold,
        }

    def _distance_bin(self, distance: Tensor) -> Tensor:
        if self.oracle_threshold is not None:
            return ops.cast(distance > self.oracle_threshold, "int32")
        scaled = ops.clip(distance * self.num_bins, 0, self.num_bins - 1)
        return ops.cast(scaled, "int32")

    def _reviewed_share(self, counts: Tensor) -> Tensor:
        """Share of each bin that is reviewed: `(thresholds, distances, 1)`."""
        # (predicted, threshold, distance, label) -> (threshold, distance)
        examples = ops.sum(ops.sum(counts, axis=-1), axis=0)
        if self.oracle_threshold is not None:
            share = ops.cast([[1.0, 0.0]], counts.dtype)
        else:
            total = ops.sum(examples, axis=-1, keepdims=True)
            amount = review_count(self.fraction, total, ops)
            if self.max_oracle_count is not None:
                amount = ops.minimum(amount, float(self.max_oracle_count))
            before = ops.cumsum(examples, axis=-1) - examples
            used = ops.clip(amount - before, 0.0, examples)
            share = used / ops.where(examples > 0, examples, 1.0)
        inner = ops.arange(self.num_thresholds)[:, None]
        inner = (inner > 0) & (inner < self.num_thresholds - 1)
        return ops.where(inner, share, 0.0)[..., None]


def _two_class_task(labels: Tensor, forecast: Tensor) -> tuple[Tensor, Tensor]:
    """The share that is positive and its probability, `(batch,)` each."""
    if forecast.shape[-1] == 2:
        return labels[:, 1], forecast[:, 1]
    confidence, accuracy = top_label(labels, forecast)
    return accuracy, confidence


def _check_counts(
    num_thresholds: int, num_bins: int, max_oracle_count: int | None
) -> None:
    if not is_integer(num_thresholds) or num_thresholds < 2:
        raise ValueError(
            "`num_thresholds` must be an integer of at least 2. "
            f"Received: num_thresholds={num_thresholds!r}"
        )
    if not is_positive_integer(num_bins):
        raise ValueError(
            "`num_bins` must be a positive integer. "
            f"Received: num_bins={num_bins!r}"
        )
    if max_oracle_count is not None and not (
        is_integer(max_oracle_count) and max_oracle_count >= 0
    ):
        raise ValueError(
            "`max_oracle_count` must be an integer of at least 0, or None. "
            f"Received: max_oracle_count={max_oracle_count!r}"
        )
