"""The table of what tasks measure: what it means, and which way is better."""

import math
from typing import NamedTuple

import numpy as np

from keras_plex.tables import lookup


class Measure(NamedTuple):
    """What a number means.

    Args:
        meaning: in words, for reports.
        higher_is_better: its direction.
        lowest: possible value.
        highest: possible value; infinite for a logarithm, whose scale is then
            that of the uniform forecast, `ln(classes)`.
    """

    meaning: str
    higher_is_better: bool
    lowest: float = 0.0
    highest: float = 1.0

    def normalize(self, value: float, num_classes: int) -> float:
        """The value as a share from 0, bad, to 1, perfect; NaN stays NaN."""
        if self.higher_is_better:
            return float(np.clip(value, 0.0, 1.0))
        scale = self.highest
        if math.isinf(scale):
            scale = math.log(num_classes)
        return float(np.clip(1.0 - value / scale, 0.0, 1.0))


# The last part of a measure's name -> what it means. "mnist/msp/auroc" is an
# "auroc". Add a row for each new kind of number.
MEASURES: dict[str, Measure] = {
    "accuracy": Measure(
        "share of right predictions, or of annotators who agree", True
    ),
    "nll": Measure(
        "minus the log probability of the label", False, 0, math.inf
    ),
    "brier": Measure("squared distance of forecast and label", False, 0, 2),
    "ece": Measure("mean gap of confidence and accuracy", False),
    "mce": Measure("largest gap of a bin", False),
    "calibration_auc": Measure("how well confidence finds the errors", True),
    "aurc": Measure("mean error rate over all coverages", False),
    "excess_aurc": Measure("of that, what a better order would save", False),
    "accuracy_at_80": Measure("accuracy of the surest 80 %", True),
    "accuracy_with_oracle": Measure(
        "accuracy if someone corrects the least sure 1 %", True
    ),
    "auroc": Measure("chance that an unknown example scores higher", True),
    "aupr": Measure("mean precision over the unknown examples", True),
    "fpr95": Measure("share of known flagged with 95 % of unknown", False),
    "kl": Measure(
        "divergence of the forecast from the annotators", False, 0, math.inf
    ),
    "entropy_correlation": Measure(
        "rank correlation of the forecast's entropy with the annotators'",
        True,
        -1,
    ),
    "accuracy_drop": Measure("accuracy that the shift costs", False, -1),
    "accuracy_worst": Measure("accuracy of the worst group", True),
    "accuracy_p25": Measure("25th percentile of the groups' accuracies", True),
    "accuracy_median": Measure("median of the groups' accuracies", True),
    "accuracy_mean": Measure("mean of the groups' accuracies", True),
    "accuracy_gap": Measure("accuracy of all less that of the worst", False),
    "mean_corruption_error": Measure(
        "errors as multiples of AlexNet's on ImageNet-C", False, 0, math.inf
    ),
    "aubc": Measure("mean accuracy over the budget of labels", True),
}


def find_measure(name: str) -> Measure:
    """The row of `MEASURES` for a name such as `"mnist/msp/auroc"`.

    Example:

    >>> find_measure("fog/3/ece").higher_is_better
    False
    """
    return lookup(MEASURES, name.rpartition("/")[2], "measure")
