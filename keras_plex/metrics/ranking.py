"""Exact ranking metrics over arrays of scores; the positive class is OOD."""

import numpy as np
from numpy.typing import ArrayLike


def auroc(scores: ArrayLike, is_ood: ArrayLike) -> float:
    """Probability that an OOD example scores higher than a known one.

    Args:
        scores: `(examples,)`, higher = more likely out of distribution.
        is_ood: `(examples,)`, 1 for OOD and 0 for in-distribution.

    Example:

    >>> auroc([0.2, 0.4, 0.35, 0.1], [0, 0, 1, 1])  # 1 pair of 4 in order
    0.25

    Reference:
        Hanley and McNeil, 1982, "The meaning and use of the area under a
        receiver operating characteristic (ROC) curve".
    """
    from sklearn import metrics

    scores, is_ood = _checked(scores, is_ood)
    return float(metrics.roc_auc_score(is_ood, scores))


def average_precision(scores: ArrayLike, is_ood: ArrayLike) -> float:
    """Mean precision over the OOD examples, taken from the highest score down.

    The area under the precision-recall curve without interpolation. Chance is
    the share of OOD examples, so that values for different shares do not
    compare.

    Args:
        scores: `(examples,)`, higher = more likely out of distribution.
        is_ood: `(examples,)`, 1 for OOD and 0 for in-distribution.

    Example:

    >>> average_precision([0.2, 0.4, 0.35, 0.1], [0, 0, 1, 1])  # (1/2 + 2/4)/2
    0.5
    """
    from sklearn import metrics

    scores, is_ood = _checked(scores, is_ood)
    return float(metrics.average_precision_score(is_ood, scores))


def fpr_at_tpr(
    scores: ArrayLike, is_ood: ArrayLike, tpr: float = 0.95
) -> float:
    """Share of known examples flagged when `tpr` of the OOD ones are found.

    The false positive rate at the highest threshold that finds at least the
    share `tpr` of the OOD examples. No interpolation between thresholds.

    Args:
        scores: `(examples,)`, higher = more likely out of distribution.
        is_ood: `(examples,)`, 1 for OOD and 0 for in-distribution.
        tpr: true positive rate to reach, in (0, 1]. Defaults to 0.95.

    Example:

    >>> fpr_at_tpr([0.1, 0.3, 0.2, 0.4], [0, 0, 1, 1])  # flags 0.3 as well
    0.5

    Reference:
        Liang, Li and Srikant, 2018, "Enhancing the reliability of
        out-of-distribution image detection in neural networks".
    """
    from sklearn import metrics

    if not 0 < tpr <= 1:
        raise ValueError(f"`tpr` must lie in (0, 1]. Received: tpr={tpr}")
    scores, is_ood = _checked(scores, is_ood)
    false_rates, true_rates, _ = metrics.roc_curve(
        is_ood, scores, drop_intermediate=False
    )
    return float(false_rates[np.argmax(true_rates >= tpr)])


def _checked(
    scores: ArrayLike, is_ood: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """The two as vectors, or a `ValueError` that says what is wrong."""
    scores, is_ood = np.asarray(scores), np.asarray(is_ood)
    if scores.ndim != 1 or scores.shape != is_ood.shape:
        raise ValueError(
            "`scores` and `is_ood` must be vectors of one length. "
            f"Received: shapes {scores.shape} and {is_ood.shape}"
        )
    if not scores.size:
        raise ValueError("`scores` is empty: there is nothing to rank.")
    num_nan = int(np.isnan(scores).sum())
    if num_nan:
        raise ValueError(
            f"`scores` must not hold NaN. Received: {num_nan} of {scores.size}"
        )
    kinds = np.unique(is_ood)
    if not np.isin(kinds, (0, 1)).all():
        raise ValueError(
            "`is_ood` must hold 1 for OOD and 0 for in-distribution. "
            f"Received: values {kinds.tolist()[:5]}"
        )
    if kinds.size == 1:
        missing = "in-distribution (0)" if kinds[0] else "OOD (1)"
        raise ValueError(
            "A ranking needs examples of both kinds. "
            f"`is_ood` holds no {missing} example."
        )
    # Infinite scores rank like any other, but scikit-learn refuses them.
    _, ranks = np.unique(scores, return_inverse=True)
    return ranks, is_ood.astype(int)
