"""How many false alarms it takes to find most of the unknown."""

import keras

from keras_plex.checks import is_number
from keras_plex.metrics.ood_histogram import OODHistogram
from keras_plex.metrics.tied_ranking import binned_fpr
from keras_plex.metrics.tied_ranking import fpr_error
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class FPRAtTPR(OODHistogram):
    """Share of known examples flagged when `tpr` of the OOD ones are found.

    The false positive rate at the highest threshold that finds at least the
    share `tpr` of the out-of-distribution (OOD) examples: the price of an
    alarm that misses few. 0 is perfect.

    Memory does not grow with the data: see `ScoreHistogram`. Scores in one bin
    share a threshold, so that the result is never below the exact value, and
    above it by `error_bound()` at most. For the exact value over arrays see
    `metrics.ranking.fpr_at_tpr`.

    Args:
        score: name of a score in `keras_plex.scores`, computed from `y_pred`,
            such as `"msp"`; or `None`, where `y_pred` is the score itself.
        from_logits: whether `y_pred` holds logits; only for a named score.
        tpr: true positive rate to reach, in (0, 1]. Defaults to 0.95.
        num_bins: number of bins, even; half are for negative scores. Defaults
            to 65536 (1 MB).
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `OODAUROC`.

    Example:

    >>> metric = FPRAtTPR()
    >>> metric.update_state([0, 0, 1, 1], [0.1, 0.3, 0.2, 0.4])
    >>> float(metric.result())  # flags 0.3 as well
    0.5

    Reference:
        Liang, Li and Srikant, 2018, "Enhancing the reliability of
        out-of-distribution image detection in neural networks".
    """

    def __init__(
        self,
        score: str | None = None,
        from_logits: bool = False,
        *,
        tpr: float = 0.95,
        num_bins: int = 65536,
        name: str = "fpr_at_tpr",
        dtype: str | None = None,
    ):
        check_tpr(tpr)
        super().__init__(
            score, from_logits, num_bins=num_bins, name=name, dtype=dtype
        )
        self.tpr = tpr

    def value(self, negative: Tensor, positive: Tensor) -> Tensor:
        return binned_fpr(negative, positive, self.tpr)

    def bound(self, negative: Tensor, positive: Tensor) -> Tensor:
        return fpr_error(negative, positive, self.tpr)

    def get_config(self) -> Config:
        return {**super().get_config(), "tpr": self.tpr}


def check_tpr(tpr: float) -> None:
    """Raises if `tpr` is no positive share."""
    if not is_number(tpr) or not 0 < tpr <= 1:
        raise ValueError(f"`tpr` must lie in (0, 1]. Received: tpr={tpr}")
