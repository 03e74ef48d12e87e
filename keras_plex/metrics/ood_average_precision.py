"""How pure the alarms of a score are, while streaming."""

import keras

from keras_plex.metrics.ood_histogram import OODHistogram
from keras_plex.metrics.tied_ranking import average_precision_error
from keras_plex.metrics.tied_ranking import binned_average_precision
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class OODAveragePrecision(OODHistogram):
    """Mean precision over the out-of-distribution examples, as they are found.

    For each out-of-distribution (OOD) example, the share of OOD examples among
    those that score at least as high. Tells more than `OODAUROC` where OOD is
    rare. Chance is the share of OOD examples, so that values for different
    shares do not compare.

    `AP = sum over thresholds of (recall - next higher recall) * precision`

    Memory does not grow with the data: see `ScoreHistogram`. Scores in one bin
    share a threshold; `error_bound()` says how far that can move the result.
    For the exact value over arrays see `metrics.ranking.average_precision`.

    Args:
        score: name of a score in `keras_plex.scores`, computed from `y_pred`,
            such as `"msp"`; or `None`, where `y_pred` is the score itself.
        from_logits: whether `y_pred` holds logits; only for a named score.
        num_bins: number of bins, even; half are for negative scores. Defaults
            to 65536 (1 MB).
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `OODAUROC`.

    Example:

    >>> metric = OODAveragePrecision()
    >>> metric.update_state([0, 0, 1, 1], [0.2, 0.4, 0.35, 0.1])
    >>> float(metric.result())  # (1/2 + 2/4) / 2
    0.5

    Reference:
        Davis and Goadrich, 2006, "The relationship between precision-recall
        and ROC curves".
    """

    def __init__(
        self,
        score: str | None = None,
        from_logits: bool = False,
        *,
        num_bins: int = 65536,
        name: str = "ood_average_precision",
        dtype: str | None = None,
    ):
        super().__init__(
            score, from_logits, num_bins=num_bins, name=name, dtype=dtype
        )

    def value(self, negative: Tensor, positive: Tensor) -> Tensor:
        return binned_average_precision(negative, positive)

    def bound(self, negative: Tensor, positive: Tensor) -> Tensor:
        return average_precision_error(negative, positive)
