"""Exact ranking metrics over arrays of scores; the positive class is OOD."""

from numpy.typing import ArrayLike

from keras_plex.metrics.exact_ranking import exact_auroc
from keras_plex.metrics.exact_ranking import exact_average_precision
from keras_plex.metrics.exact_ranking import exact_fpr
from keras_plex.metrics.exact_ranking import quantised_area
from keras_plex.metrics.fpr_at_tpr import check_tpr
from keras_plex.metrics.sorted_kinds import sort_kinds


def auroc(
    scores: ArrayLike,
    is_ood: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    num_thresholds: int | None = None,
) -> float:
    """Probability that an OOD example scores higher than a known one.

    An equal score counts one half. `OODAUROC` is the streaming form.

    Args:
        scores: `(examples,)`, higher = more likely out of distribution.
            Infinite scores rank like any other.
        is_ood: `(examples,)`, 1 for OOD and 0 for in-distribution.
        sample_weight: `(examples,)`, not negative.
        num_thresholds: `None` for the exact value. A number, such as 200,
            gives what `keras.metrics.AUC` and the Plex reports give for scores
            in [0, 1]: scores between two thresholds are tied, and clustered
            ones no longer rank. Defaults to `None`.

    Example:

    >>> auroc([0.2, 0.4, 0.35, 0.1], [0, 0, 1, 1])  # 1 pair of 4 in order
    0.25
    >>> auroc([0.353238, 0.353976], [0, 1])
    1.0
    >>> auroc([0.353238, 0.353976], [0, 1], num_thresholds=200)
    0.5

    Reference:
        Hanley and McNeil, 1982, "The meaning and use of the area under a
        receiver operating characteristic (ROC) curve".
    """
    kinds = sort_kinds(scores, is_ood, sample_weight)
    if num_thresholds is not None:
        return quantised_area(kinds, num_thresholds, "ROC")
    return exact_auroc(kinds)


def average_precision(
    scores: ArrayLike,
    is_ood: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    num_thresholds: int | None = None,
) -> float:
    """Mean precision over the OOD examples, taken from the highest score down.

    The area under the precision-recall curve without interpolation. Chance is
    the share of OOD examples, so that values for different shares do not
    compare. `OODAveragePrecision` is the streaming form.

    Args:
        scores: `(examples,)`, higher = more likely out of distribution.
        is_ood: `(examples,)`, 1 for OOD and 0 for in-distribution.
        sample_weight: `(examples,)`, not negative.
        num_thresholds: `None` for the exact value. A number gives what
            `keras.metrics.AUC(curve="PR")` gives for scores in [0, 1], which
            interpolates. Defaults to `None`.

    Example:

    >>> average_precision([0.2, 0.4, 0.35, 0.1], [0, 0, 1, 1])  # (1/2 + 2/4)/2
    0.5

    Reference:
        Davis and Goadrich, 2006, "The relationship between precision-recall
        and ROC curves".
    """
    kinds = sort_kinds(scores, is_ood, sample_weight)
    if num_thresholds is not None:
        return quantised_area(kinds, num_thresholds, "PR")
    return exact_average_precision(kinds)


def fpr_at_tpr(
    scores: ArrayLike,
    is_ood: ArrayLike,
    tpr: float = 0.95,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Share of known examples flagged when `tpr` of the OOD ones are found.

    The false positive rate at the highest threshold that finds at least the
    share `tpr` of the OOD examples. No interpolation between thresholds.
    `FPRAtTPR` is the streaming form.

    Args:
        scores: `(examples,)`, higher = more likely out of distribution.
        is_ood: `(examples,)`, 1 for OOD and 0 for in-distribution.
        tpr: true positive rate to reach, in (0, 1]. Defaults to 0.95.
        sample_weight: `(examples,)`, not negative.

    Example:

    >>> fpr_at_tpr([0.1, 0.3, 0.2, 0.4], [0, 0, 1, 1])  # flags 0.3 as well
    0.5

    Reference:
        Liang, Li and Srikant, 2018, "Enhancing the reliability of
        out-of-distribution image detection in neural networks".
    """
    check_tpr(tpr)
    return exact_fpr(sort_kinds(scores, is_ood, sample_weight), tpr)
