"""The accuracy of a model that may abstain."""

import keras
from keras import ops

from keras_plex.checks import is_number
from keras_plex.metrics.base import ratio
from keras_plex.metrics.correctness_histogram import CorrectnessHistogram
from keras_plex.metrics.tied_selection import wrong_among_first
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class SelectiveAccuracy(CorrectnessHistogram):
    """Accuracy among the share of predictions that are most confident.

    What users see if the model answers only the `coverage` it is surest of.
    The example at the edge counts in part, and tied examples with their
    average.

    Memory does not grow with the data: see `ScoreHistogram`. `error_bound()`
    says how far the bins can move the result from the exact value, which
    `metrics.selective_accuracy` gives for arrays.

    Args:
        coverage: share of the examples to answer, in (0, 1]. Defaults to 0.8.
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        num_bins: number of bins, even. Defaults to 65536 (1 MB).
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`.

    Example:

    >>> metric = SelectiveAccuracy(coverage=0.5)
    >>> metric.update_state([1, 1], [[0.1, 0.9], [0.6, 0.4]])
    >>> float(metric.result())  # the second is left out
    1.0

    Reference:
        El-Yaniv and Wiener, 2010, "On the foundations of noise-free selective
        classification".
    """

    def __init__(
        self,
        coverage: float = 0.8,
        from_logits: bool = False,
        *,
        num_bins: int = 65536,
        name: str = "selective_accuracy",
        dtype: str | None = None,
    ):
        check_coverage(coverage)
        super().__init__(from_logits, num_bins=num_bins, name=name, dtype=dtype)
        self.coverage = coverage

    def value(self, negative: Tensor, positive: Tensor) -> Tensor:
        amount = self.coverage * ops.sum(negative + positive)
        wrong, _, _ = wrong_among_first(negative, positive, amount, ops)
        return 1.0 - ratio(wrong, amount)

    def bound(self, negative: Tensor, positive: Tensor) -> Tensor:
        amount = self.coverage * ops.sum(negative + positive)
        wrong, least, most = wrong_among_first(negative, positive, amount, ops)
        return ratio(ops.maximum(wrong - least, most - wrong), amount)

    def get_config(self) -> Config:
        return {**super().get_config(), "coverage": self.coverage}


def check_coverage(coverage: float) -> None:
    """Raises if `coverage` is no positive share."""
    if not is_number(coverage) or not 0 < coverage <= 1:
        raise ValueError(
            f"`coverage` must lie in (0, 1]. Received: coverage={coverage}"
        )
