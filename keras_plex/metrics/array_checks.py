"""Errors for arrays that are no forecasts, labels or weights.

A compiled metric turns such a row into NaN; a function of arrays can say what
is wrong.
"""

import numpy as np

from keras_plex.checks import check_numbers
from keras_plex.metrics.forecasts import SUM_TOLERANCE


def check_arrays(
    labels: np.ndarray,
    probabilities: np.ndarray,
    weights: np.ndarray | None = None,
) -> None:
    """Raises unless the arrays hold examples that fit together."""
    check_probabilities(probabilities)
    is_single_unit = probabilities.ndim == 1 or probabilities.shape[-1] == 1
    num_classes = 2 if is_single_unit else probabilities.shape[-1]
    check_labels(labels, len(probabilities), num_classes)
    if weights is not None:
        check_weights(weights, len(probabilities))


def check_probabilities(probabilities: np.ndarray) -> None:
    """Raises unless the array holds forecasts, at least one."""
    if probabilities.ndim not in (1, 2, 3):
        raise ValueError(
            "`probabilities` must be (examples, classes), (examples, ensemble, "
            "classes), or of class 1 of two (examples,). "
            f"Received: shape={probabilities.shape}"
        )
    if not probabilities.size:
        raise ValueError(
            "`probabilities` is empty: there is nothing to average. "
            f"Received: shape={probabilities.shape}"
        )
    num_nan = int(np.isnan(probabilities).sum())
    if num_nan:
        raise ValueError(
            "`probabilities` must not hold NaN. "
            f"Received: {num_nan} of {probabilities.size} values"
        )
    is_single_unit = probabilities.ndim == 1 or probabilities.shape[-1] == 1
    totals = probabilities.sum(axis=-1, dtype="float64")
    is_distribution = is_single_unit or np.allclose(
        totals, 1.0, rtol=0, atol=SUM_TOLERANCE
    )
    lowest, highest = probabilities.min(), probabilities.max()
    if not is_distribution or lowest < 0 or highest > 1 + SUM_TOLERANCE:
        raise ValueError(
            "`probabilities` must lie in [0, 1] and sum to one over the "
            "classes. If they are logits, apply a softmax first. "
            f"Received: values from {lowest:.4g} to {highest:.4g}"
        )


def check_labels(
    labels: np.ndarray, num_examples: int, num_classes: int
) -> None:
    """Raises unless the array holds a label for each of the examples."""
    shape = labels.shape
    check_numbers(labels, "y_true")
    is_sparse = labels.ndim == 1 or (labels.ndim == 2 and shape[1] == 1)
    if not is_sparse and (labels.ndim != 2 or shape[1] != num_classes):
        raise ValueError(
            "`y_true` must be class indices (examples,), or one-hot or soft "
            f"labels (examples, {num_classes}). Received: shape={shape}"
        )
    if len(labels) != num_examples:
        raise ValueError(
            "`y_true` must have one row per forecast. "
            f"Received: {len(labels)} rows for {num_examples} forecasts"
        )
    if not is_sparse:
        totals = labels.sum(axis=-1, dtype="float64")
        is_close = np.allclose(totals, 1.0, rtol=0, atol=SUM_TOLERANCE)
        if not is_close or labels.min() < 0:
            raise ValueError(
                "One-hot or soft `y_true` must not be negative and must sum "
                "to one over the classes. "
                f"Received: sums from {totals.min():.4g} to {totals.max():.4g}"
            )
        return
    is_label = (labels >= 0) & (labels < num_classes)
    # Of two classes, a fraction is a soft label.
    is_label &= (num_classes == 2) & (labels <= 1) | (labels % 1 == 0)
    if not is_label.all():
        raise ValueError(
            f"`y_true` must hold class indices 0 to {num_classes - 1}. "
            f"Received: {labels[~is_label].flat[0]}"
        )


def check_weights(weights: np.ndarray, num_examples: int) -> None:
    """Raises unless the array holds a weight for each of the examples."""
    if weights.shape not in ((num_examples,), (num_examples, 1)):
        raise ValueError(
            "`sample_weight` must be one number per example. "
            f"Received: shape={weights.shape} for {num_examples} examples"
        )
    if not ((weights >= 0) & np.isfinite(weights)).all() or not weights.any():
        raise ValueError(
            "`sample_weight` must not be negative or NaN, nor all zero or "
            "infinite."
        )
