"""The areas that `keras.metrics.AUC` gives for counts at thresholds."""

import types

import numpy as np

from keras_plex.types import Tensor

CURVES = ("ROC", "PR")


def check_curve(curve: str) -> None:
    """Raises if there is no curve of that name."""
    if curve not in CURVES:
        raise ValueError(
            f'`curve` must be "ROC" or "PR". Received: curve={curve!r}'
        )


def spaced_thresholds(num_thresholds: int) -> np.ndarray:
    """Thresholds from just below 0 to just above 1, as Keras places them."""
    inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
    return np.concatenate([[-1e-7], inner, [1.0 + 1e-7]])


def roc_area(
    true: Tensor,
    false: Tensor,
    positives: Tensor,
    negatives: Tensor,
    xp: types.ModuleType,
) -> Tensor:
    """The area under the ROC curve by trapezoids.

    Args:
        true: weight of positives above each threshold, `(thresholds,)`.
        false: weight of negatives above each threshold, `(thresholds,)`.
        positives: weight of all positives.
        negatives: weight of all negatives.
        xp: `keras.ops` for tensors, `numpy` for arrays.
    """
    height = (true[:-1] + true[1:]) / 2
    area = xp.sum((false[:-1] - false[1:]) * height)
    return area / (positives * negatives)


def pr_area(
    true: Tensor,
    false: Tensor,
    positives: Tensor,
    negatives: Tensor,
    xp: types.ModuleType,
) -> Tensor:
    """The area under the precision-recall curve, arguments as `roc_area`.

    Between two thresholds the true positives grow linearly with the positive
    predictions, so that the precision follows a hyperbola.

    Reference:
        Davis and Goadrich, 2006, "The relationship between precision-recall
        and ROC curves".
    """
    predicted = true + false
    step = predicted[:-1] - predicted[1:]
    rises = true[:-1] - true[1:]
    slope = xp.where(step > 0, rises / xp.where(step > 0, step, 1.0), 0.0)
    intercept = true[1:] - slope * predicted[1:]
    both = (predicted[:-1] > 0) & (predicted[1:] > 0)
    quotient = xp.where(both, predicted[:-1], 1.0) / xp.where(
        both, predicted[1:], 1.0
    )
    area = xp.sum(slope * (rises + intercept * xp.log(quotient)))
    return area / positives


AREAS = {"ROC": roc_area, "PR": pr_area}
