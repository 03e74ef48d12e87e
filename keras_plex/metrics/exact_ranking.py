"""Ranking metrics of two sorted kinds, in float64 and without bins."""

import numpy as np

from keras_plex.checks import is_integer
from keras_plex.metrics.sorted_kinds import SortedKinds
from keras_plex.metrics.threshold_curve import AREAS
from keras_plex.metrics.threshold_curve import spaced_thresholds

# What the sums of weights may be off by.
ROUNDING = 1e-12


def exact_auroc(kinds: SortedKinds) -> float:
    """The probability that a positive scores higher; half for a tie."""
    negative, positive = kinds
    scores = positive.scores
    twice = negative.below(scores) + negative.up_to(scores)
    return float(positive.mean(twice) / (2 * negative.total))


def exact_average_precision(kinds: SortedKinds) -> float:
    """The mean, over the positives, of the precision at their score."""
    negative, positive = kinds
    true = positive.total - positive.below(positive.scores)
    false = negative.total - negative.below(positive.scores)
    return positive.mean(true / (true + false))


def exact_fpr(kinds: SortedKinds, tpr: float) -> float:
    """The share of negatives at or above the threshold that reaches `tpr`."""
    negative, positive = kinds
    true = positive.total - positive.below(positive.scores)
    # The lowest score reaches 1, and the highest that reaches `tpr` is last.
    reaches = true / positive.total >= tpr * (1.0 - ROUNDING)
    last = np.count_nonzero(reaches) - 1
    threshold = positive.scores[last]
    false = negative.total - negative.below(threshold)
    return float(false / negative.total)


def quantised_area(
    kinds: SortedKinds, num_thresholds: int, curve: str
) -> float:
    """What `keras.metrics.AUC` gives: scores between two thresholds are tied.

    A score counts as positive above a threshold. The thresholds are
    `i / (num_thresholds - 1)`, the first and the last just outside [0, 1].
    """
    if not is_integer(num_thresholds) or num_thresholds < 2:
        raise ValueError(
            "`num_thresholds` must be an integer of at least 2, or None for "
            f"the exact value. Received: num_thresholds={num_thresholds!r}"
        )
    lowest = min(kind.scores[0] for kind in kinds)
    highest = max(kind.scores[-1] for kind in kinds)
    if lowest < 0 or highest > 1:
        raise ValueError(
            "`num_thresholds` is for scores in [0, 1]; the exact value needs "
            f"none. Received: scores from {lowest:.4g} to {highest:.4g}"
        )
    thresholds = spaced_thresholds(num_thresholds)
    negative, positive = kinds
    true = positive.total - positive.up_to(thresholds)
    false = negative.total - negative.up_to(thresholds)
    area = AREAS[curve](true, false, positive.total, negative.total, np)
    return float(area)
