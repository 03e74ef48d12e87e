"""How well confidence tells right predictions from wrong ones."""

import keras
from keras import ops

from keras_plex.metrics.correctness_histogram import CorrectnessHistogram
from keras_plex.metrics.threshold_curve import check_curve
from keras_plex.metrics.tied_ranking import auroc_error
from keras_plex.metrics.tied_ranking import average_precision_error
from keras_plex.metrics.tied_ranking import binned_auroc
from keras_plex.metrics.tied_ranking import binned_average_precision
from keras_plex.types import Config
from keras_plex.types import Tensor

# Name -> the value and the bound of a histogram of negatives and positives.
AREAS = {
    "ROC": (binned_auroc, auroc_error),
    "PR": (binned_average_precision, average_precision_error),
}
POSITIVES = ("incorrect", "correct")


@keras.saving.register_keras_serializable("keras_plex")
class CalibrationAUC(CorrectnessHistogram):
    """Probability that a wrong prediction is less confident than a right one.

    Says whether confidence can be used to choose what a human should look at,
    whatever its scale: unlike the calibration error it does not change when
    all forecasts are sharpened. Read it beside the accuracy: a model with few,
    strange errors may rank them worse than a model with many.

    With `curve="PR"` it is the average precision of the detector of errors, or
    with `positive="correct"` of right predictions; the ROC curve gives the
    same area for both.

    Memory does not grow with the data: see `ScoreHistogram`. `error_bound()`
    says how far the bins can move the result from the exact value, which
    `metrics.calibration_auc` gives for arrays.

    Args:
        curve: `"ROC"` or `"PR"`. Defaults to `"ROC"`.
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        positive: `"incorrect"` or `"correct"`: the predictions to find.
            Defaults to `"incorrect"`.
        num_bins: number of bins, even. Defaults to 65536 (1 MB).
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `ForecastMetric`. The result is also NaN unless some
    predictions are right and some are wrong.

    Example:

    >>> metric = CalibrationAUC()
    >>> metric.update_state([1, 0, 0], [[0.1, 0.9], [0.4, 0.6], [0.3, 0.7]])
    >>> float(metric.result())  # the two wrong ones are the least confident
    1.0

    Reference:
        Krishnan and Tickoo, 2020, "Improving model calibration with accuracy
        versus uncertainty optimization".
    """

    def __init__(
        self,
        curve: str = "ROC",
        from_logits: bool = False,
        *,
        positive: str = "incorrect",
        num_bins: int = 65536,
        name: str = "calibration_auc",
        dtype: str | None = None,
    ):
        check_curve(curve)
        check_positive(positive)
        super().__init__(from_logits, num_bins=num_bins, name=name, dtype=dtype)
        self.curve = curve
        self.positive = positive

    def value(self, negative: Tensor, positive: Tensor) -> Tensor:
        area, _ = AREAS[self.curve]
        return area(*self._ordered(negative, positive))

    def bound(self, negative: Tensor, positive: Tensor) -> Tensor:
        _, error = AREAS[self.curve]
        return error(*self._ordered(negative, positive))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "curve": self.curve,
            "positive": self.positive,
        }

    def _ordered(self, right: Tensor, wrong: Tensor) -> tuple[Tensor, Tensor]:
        """Negatives and positives, the most likely positives last."""
        if self.positive == "incorrect":
            return right, wrong
        return ops.flip(wrong, axis=0), ops.flip(right, axis=0)


def check_positive(positive: str) -> None:
    """Raises if `positive` names no kind of prediction."""
    if positive not in POSITIVES:
        raise ValueError(
            '`positive` must be "incorrect" or "correct". '
            f"Received: positive={positive!r}"
        )
