"""The calibration metrics as functions of whole arrays.

Each runs the streaming metric of the same name over the arrays, after checks
that a compiled metric cannot make.
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.brier_score import BrierScore
from keras_plex.metrics.expected_calibration_error import (
    ExpectedCalibrationError,
)
from keras_plex.metrics.forecasts import SUM_TOLERANCE
from keras_plex.metrics.negative_log_likelihood import NegativeLogLikelihood

# Rows per update: bounds memory, and keeps the sums of one update exact.
CHUNK = 8192


def expected_calibration_error(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    num_bins: int = 15,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean distance of accuracy from confidence: `ExpectedCalibrationError`.

    Args:
        y_true: class indices `(examples,)`; with two classes, 0, 1 or the
            probability of class 1; or one-hot or soft labels
            `(examples, classes)`.
        probabilities: `(examples, classes)`, `(examples, ensemble, classes)`,
            or of class 1 of two `(examples,)`.
        num_bins: number of bins of equal width on [0, 1]. Defaults to 15.
        sample_weight: `(examples,)`, not negative.

    Example:

    >>> round(expected_calibration_error([1, 0], [[0.2, 0.8], [0.3, 0.7]]), 6)
    0.45
    """
    metric = ExpectedCalibrationError(num_bins, dtype=_dtype(probabilities))
    return _result(_updated(metric, y_true, probabilities, sample_weight))


def negative_log_likelihood(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean `-ln p` of the label: `NegativeLogLikelihood`.

    Arguments as for `expected_calibration_error`.

    Example:

    >>> round(negative_log_likelihood([1], [[0.5, 0.5]]), 6)  # ln 2
    0.693147
    """
    metric = NegativeLogLikelihood(dtype=_dtype(probabilities))
    return _result(_updated(metric, y_true, probabilities, sample_weight))


def brier_score(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Squared distance of forecast and label, over classes: `BrierScore`.

    Arguments as for `expected_calibration_error`.

    Example:

    >>> brier_score([0], [[0.5, 0.5]])
    0.5
    """
    metric = BrierScore(dtype=_dtype(probabilities))
    return _result(_updated(metric, y_true, probabilities, sample_weight))


class CalibrationBins(NamedTuple):
    """What each bin of confidence holds; `(num_bins,)` arrays.

    Args:
        weight: number of examples, or their weight.
        confidence: mean confidence; NaN in an empty bin.
        accuracy: share of right predictions; NaN in an empty bin.
    """

    weight: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def calibration_bins(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    num_bins: int = 15,
    sample_weight: ArrayLike | None = None,
) -> CalibrationBins:
    """The bins that `expected_calibration_error` averages over.

    Arguments as for `expected_calibration_error`.

    Example:

    >>> bins = calibration_bins([1, 0], [[0.2, 0.8], [0.3, 0.7]], num_bins=2)
    >>> [array.round(2).tolist() for array in bins]
    [[0.0, 2.0], [nan, 0.75], [nan, 0.5]]
    """
    metric = ExpectedCalibrationError(num_bins, dtype=_dtype(probabilities))
    _updated(metric, y_true, probabilities, sample_weight)
    weight, confidence, accuracy = ops.convert_to_numpy(metric.totals()).T
    divisor = np.where(weight > 0, weight, np.nan)
    return CalibrationBins(weight, confidence / divisor, accuracy / divisor)


def _dtype(probabilities: ArrayLike) -> str:
    """The dtype to compute in: that of the data, float32 under JAX.

    A float32 forecast stays float32, so that it falls into the bin in which
    the metric of a model puts it.
    """
    dtype = np.asarray(probabilities).dtype
    is_single = dtype.kind == "f" and dtype.itemsize <= 4
    is_single = is_single or keras.backend.backend() == "jax"
    return "float32" if is_single else "float64"


def _result(metric: ForecastMetric) -> float:
    return float(ops.convert_to_numpy(metric.result()))


def _updated(
    metric: ForecastMetric,
    y_true: ArrayLike,
    probabilities: ArrayLike,
    sample_weight: ArrayLike | None,
) -> ForecastMetric:
    """The metric after it has seen the arrays, which are checked first."""
    y_true, probabilities = np.asarray(y_true), np.asarray(probabilities)
    check_probabilities(probabilities)
    num_examples = len(probabilities)
    is_single_unit = probabilities.ndim == 1 or probabilities.shape[-1] == 1
    check_labels(
        y_true,
        num_examples,
        num_classes=2 if is_single_unit else probabilities.shape[-1],
    )
    if sample_weight is None:
        sample_weight = np.ones(num_examples)
    sample_weight = np.asarray(sample_weight)
    check_weights(sample_weight, num_examples)
    for start in range(0, num_examples, CHUNK):
        rows = slice(start, start + CHUNK)
        metric.update_state(
            y_true[rows], probabilities[rows], sample_weight[rows]
        )
    return metric


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
    if not (weights >= 0).all() or not weights.sum() > 0:
        raise ValueError(
            "`sample_weight` must not be negative or NaN, nor all zero."
        )
