"""The accuracy of a model together with a human who answers some questions."""

import keras
from keras import ops

from keras_plex.metrics.base import ratio
from keras_plex.metrics.confidence_bins import equal_width_bin
from keras_plex.metrics.confidence_bins import top_label
from keras_plex.metrics.correctness_histogram import CorrectnessHistogram
from keras_plex.metrics.review import check_bins
from keras_plex.metrics.review import check_share
from keras_plex.metrics.review import check_two_classes
from keras_plex.metrics.review import review_count
from keras_plex.metrics.tied_selection import wrong_among_first
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class OracleCollaborativeAccuracy(CorrectnessHistogram):
    """Accuracy if an oracle answers the share that is least confident.

    What the model and a perfect reviewer with a limited budget reach together:
    the `floor(fraction * examples)` least confident predictions become right.
    Of tied examples that are reviewed in part, the reviewed ones hold their
    share of the errors.

    Memory does not grow with the data: see `ScoreHistogram`. `error_bound()`
    says how far the bins can move the result from the exact value, which
    `metrics.oracle_collaborative_accuracy` gives for arrays.

    Args:
        fraction: share of the examples that the oracle answers, in [0, 1].
            Defaults to 0.01.
        num_bins: `None` for the fine bins of `ScoreHistogram`; or a number of
            bins of equal width on [0, 1], at most 1000, as in the reference,
            which uses 100. Confidences in one bin are tied. Defaults to
            `None`.
        threshold: only for two classes: class 1 is predicted above this
            probability, and the confidence is the distance from it. `None`
            predicts the most probable class. Defaults to `None`.
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`.

    Example:

    >>> metric = OracleCollaborativeAccuracy(fraction=0.5)
    >>> metric.update_state([1, 1], [[0.1, 0.9], [0.6, 0.4]])
    >>> float(metric.result())  # the second is wrong, and is reviewed
    1.0

    Reference:
        Kivlichan et al., 2021, "Measuring and improving model-moderator
        collaboration using uncertainty estimation".
    """

    def __init__(
        self,
        fraction: float = 0.01,
        num_bins: int | None = None,
        threshold: float | None = None,
        from_logits: bool = False,
        *,
        name: str = "oracle_collaborative_accuracy",
        dtype: str | None = None,
    ):
        check_share("fraction", fraction)
        check_bins(num_bins)
        if threshold is not None:
            check_share("threshold", threshold)
        super().__init__(from_logits, name=name, dtype=dtype)
        self.fraction = fraction
        self.num_bins = num_bins
        self.threshold = threshold

    def rate(self, labels: Tensor, forecast: Tensor) -> tuple[Tensor, Tensor]:
        if self.threshold is None:
            confidence, _ = top_label(labels, forecast)
            uncertainty, wrong = super().rate(labels, forecast)
        else:
            check_two_classes(forecast)
            is_one = forecast[:, 1] > self.threshold
            confidence = ops.abs(forecast[:, 1] - self.threshold)
            uncertainty = -confidence
            wrong = ops.where(is_one, labels[:, 0], labels[:, 1])
        if self.num_bins is not None:
            index = equal_width_bin(confidence, self.num_bins)
            level = ops.cast(self.num_bins - index, forecast.dtype)
            is_nan = ops.isnan(confidence)
            uncertainty = ops.where(is_nan, confidence, level / self.num_bins)
        return uncertainty, wrong

    def value(self, negative: Tensor, positive: Tensor) -> Tensor:
        solved, _, _ = self._reviewed(negative, positive)
        total = ops.sum(negative + positive)
        return 1.0 - ratio(ops.sum(positive) - solved, total)

    def bound(self, negative: Tensor, positive: Tensor) -> Tensor:
        solved, least, most = self._reviewed(negative, positive)
        total = ops.sum(negative + positive)
        return ratio(ops.maximum(solved - least, most - solved), total)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "fraction": self.fraction,
            "num_bins": self.num_bins,
            "threshold": self.threshold,
        }

    def _reviewed(
        self, right: Tensor, wrong: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The weight of errors that are reviewed: expected, least, most."""
        amount = review_count(self.fraction, ops.sum(right + wrong), ops)
        return wrong_among_first(
            ops.flip(right, axis=0), ops.flip(wrong, axis=0), amount, ops
        )
