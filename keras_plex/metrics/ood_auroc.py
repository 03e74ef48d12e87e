"""How well a score separates the unknown from the known, while streaming."""

import keras

from keras_plex.metrics.ood_histogram import OODHistogram
from keras_plex.metrics.tied_ranking import auroc_error
from keras_plex.metrics.tied_ranking import binned_auroc
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class OODAUROC(OODHistogram):
    """Probability that an out-of-distribution example scores higher.

    Compares a random out-of-distribution (OOD) example with a random known
    one; an equal score counts one half. 1 is perfect separation, 0.5 is
    chance.

    Memory does not grow with the data: the state is a histogram of the scores
    of each kind, with bins that are narrow relative to the score. Two scores
    in one bin count as equal. The result is within half the share of pairs in
    one bin of the exact value: `error_bound()`. For the exact value over
    arrays see `metrics.ranking.auroc`.

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
        super().__init__(
            score, from_logits, num_bins=num_bins, name=name, dtype=dtype
        )

    def value(self, negative: Tensor, positive: Tensor) -> Tensor:
        return binned_auroc(negative, positive)

    def bound(self, negative: Tensor, positive: Tensor) -> Tensor:
        return auroc_error(negative, positive)
