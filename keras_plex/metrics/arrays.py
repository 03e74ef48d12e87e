"""The calibration metrics as functions of whole arrays.

Nearly all run the streaming metric of the same name over the arrays, after
checks that a compiled metric cannot make.
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_plex.metrics.array_checks import check_arrays
from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.brier_score import BrierScore
from keras_plex.metrics.calibration_error import calibration_error
from keras_plex.metrics.classwise_calibration_error import (
    ClasswiseCalibrationError,
)
from keras_plex.metrics.expected_calibration_error import (
    ExpectedCalibrationError,
)
from keras_plex.metrics.maximum_calibration_error import MaximumCalibrationError
from keras_plex.metrics.negative_log_likelihood import NegativeLogLikelihood
from keras_plex.metrics.soft_label_kl_divergence import SoftLabelKLDivergence

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
    metric = ExpectedCalibrationError(
        num_bins, dtype=array_dtype(probabilities)
    )
    return _result(_updated(metric, y_true, probabilities, sample_weight))


def maximum_calibration_error(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    num_bins: int = 15,
    sample_weight: ArrayLike | None = None,
) -> float:
    """The largest such distance of a bin: `MaximumCalibrationError`.

    Arguments as for `expected_calibration_error`.

    Example:

    >>> round(maximum_calibration_error([1, 0], [[0.2, 0.8], [0.3, 0.7]]), 6)
    0.7
    """
    metric = MaximumCalibrationError(num_bins, dtype=array_dtype(probabilities))
    return _result(_updated(metric, y_true, probabilities, sample_weight))


def classwise_calibration_error(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    num_bins: int = 15,
    threshold: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean over classes of such distances: `ClasswiseCalibrationError`.

    Arguments as for `expected_calibration_error`; probabilities below
    `threshold` do not count.

    Example:

    >>> round(classwise_calibration_error([1, 0], [[0.2, 0.8], [0.3, 0.7]]), 6)
    0.45
    """
    metric = ClasswiseCalibrationError(
        num_bins, threshold=threshold, dtype=array_dtype(probabilities)
    )
    return _result(_updated(metric, y_true, probabilities, sample_weight))


def adaptive_calibration_error(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    num_bins: int = 15,
    threshold: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> float:
    """The exact value of `AdaptiveCalibrationError`.

    Arguments as for `expected_calibration_error`; probabilities below
    `threshold` do not count.

    Example:

    >>> y_true, probabilities = [1, 0], [[0.2, 0.8], [0.3, 0.7]]
    >>> error = adaptive_calibration_error(y_true, probabilities, num_bins=2)
    >>> round(error, 6)
    0.45
    """
    return calibration_error(
        y_true,
        probabilities,
        bins="adaptive",
        num_bins=num_bins,
        top_label=False,
        classwise=True,
        threshold=threshold,
        sample_weight=sample_weight,
    )


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
    metric = NegativeLogLikelihood(dtype=array_dtype(probabilities))
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
    metric = BrierScore(dtype=array_dtype(probabilities))
    return _result(_updated(metric, y_true, probabilities, sample_weight))


def soft_label_kl_divergence(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean divergence of forecasts from labels: `SoftLabelKLDivergence`.

    Arguments as for `expected_calibration_error`.

    Example:

    >>> round(soft_label_kl_divergence([[0.5, 0.5]], [[0.75, 0.25]]), 6)
    0.143841
    """
    metric = SoftLabelKLDivergence(dtype=array_dtype(probabilities))
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
    metric = ExpectedCalibrationError(
        num_bins, dtype=array_dtype(probabilities)
    )
    _updated(metric, y_true, probabilities, sample_weight)
    weight, confidence, accuracy = ops.convert_to_numpy(metric.totals()).T
    divisor = np.where(weight > 0, weight, np.nan)
    return CalibrationBins(weight, confidence / divisor, accuracy / divisor)


def array_dtype(probabilities: ArrayLike) -> str:
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
    if sample_weight is None:
        sample_weight = np.ones(len(probabilities))
    sample_weight = np.asarray(sample_weight)
    check_arrays(y_true, probabilities, sample_weight)
    for start in range(0, len(probabilities), CHUNK):
        rows = slice(start, start + CHUNK)
        metric.update_state(
            y_true[rows], probabilities[rows], sample_weight[rows]
        )
    return metric
