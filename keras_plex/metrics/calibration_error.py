"""The family of binned calibration errors, exact, over whole arrays."""

import math

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.metrics.array_checks import check_arrays
from keras_plex.metrics.class_bins import check_threshold
from keras_plex.metrics.confidence_bins import check_num_bins
from keras_plex.tables import lookup

DEFAULT_NUM_BINS = 15


def calibration_error(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    norm: float = 1,
    bins: str = "even",
    num_bins: int | None = None,
    top_label: bool = True,
    classwise: bool = False,
    threshold: float = 0.0,
    score: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Distance of probability from frequency, over bins of probability.

    `(sum over bins b of (weight_b / weight) |frequency_b - probability_b|^norm
    )^(1 / norm)`, and the largest distance for an infinite norm. The defaults
    are `ExpectedCalibrationError`; `norm=math.inf` is
    `MaximumCalibrationError`; `top_label=False, classwise=True` is
    `ClasswiseCalibrationError`, and with `bins="adaptive"`
    `AdaptiveCalibrationError`. In float64, with all values in memory.

    Args:
        y_true: class indices `(examples,)`; with two classes, 0, 1 or the
            probability of class 1; or one-hot or soft labels
            `(examples, classes)`.
        probabilities: `(examples, classes)`, `(examples, ensemble, classes)`,
            or of class 1 of two `(examples,)`.
        norm: 1, 2 or another number of at least 1, `math.inf` included.
        bins: `"even"`, of equal width on [0, 1]; `"adaptive"`, of equal
            weight, where equal probabilities that a bin ends among count in
            parts; or `"monotonic"`, as many adaptive ones as there can be
            while frequencies do not fall.
        num_bins: number of bins. Defaults to 15; not with `"monotonic"`.
        top_label: whether only the most probable class of each example
            counts, else all.
        classwise: whether each class has bins of its own, and the error is
            the mean (for `norm`: of its power) over the classes.
        threshold: probabilities below it do not count.
        score: `(examples,)` in [0, 1], what the examples are binned by in
            place of their confidence; with `top_label` alone.
        sample_weight: `(examples,)`, not negative.

    Example:

    >>> probabilities = [[0.2, 0.8], [0.3, 0.7]]
    >>> round(calibration_error([1, 0], probabilities, norm=2), 6)
    0.514782

    Reference:
        Kumar, Liang and Ma, 2019, "Verified uncertainty calibration"; Nixon et
        al., 2019, "Measuring calibration in deep learning"; for monotonic
        bins: Roelofs et al., 2022, "Mitigating bias in calibration error
        estimation".
    """
    make_bins = lookup(BINS, bins, "kind of bins")
    if bins == "monotonic" and num_bins is not None:
        raise ValueError(
            "Monotonic bins find their number. "
            f"Leave `num_bins` out. Received: num_bins={num_bins!r}"
        )
    num_bins = DEFAULT_NUM_BINS if num_bins is None else num_bins
    check_num_bins(num_bins)
    check_threshold(threshold)
    _check_norm(norm)
    y_true, probabilities = np.asarray(y_true), np.asarray(probabilities)
    if sample_weight is None:
        sample_weight = np.ones(len(probabilities))
    weights = np.asarray(sample_weight, "float64")
    check_arrays(y_true, probabilities, weights)
    values, labels = as_distributions(y_true, probabilities)
    groups = _groups(values, labels, weights.reshape(-1), top_label, classwise)
    if score is not None:
        score = _checked_score(score, len(values), top_label and not classwise)
    errors = []
    for columns in groups:
        counts = (columns[0] >= threshold) & (columns[2] > 0)
        if counts.any():
            keys = columns[0] if score is None else score
            columns = [x[counts] for x in (keys, *columns)]
            weight, gaps = make_bins(*columns, num_bins)
            errors.append(_power_mean(gaps, weight, norm))
    return _power_mean(np.array(errors), np.ones(len(errors)), norm)


def as_distributions(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Checked forecasts and labels of any form as `(examples, classes)`.

    A float type of the probabilities is kept, and the labels get it.
    """
    if probabilities.dtype.kind != "f" or probabilities.dtype.itemsize < 4:
        probabilities = probabilities.astype("float32")
    if probabilities.ndim == 3:
        probabilities = probabilities.mean(axis=1)
    if probabilities.ndim == 1 or probabilities.shape[1] == 1:
        probabilities = probabilities.reshape(-1, 1)
        probabilities = np.hstack([1 - probabilities, probabilities])
    dtype, num_classes = probabilities.dtype, probabilities.shape[1]
    if labels.ndim == 2 and labels.shape[1] > 1:
        return probabilities, labels.astype(dtype)
    labels = labels.reshape(-1)
    if num_classes == 2:
        positive = labels.astype(dtype)
        return probabilities, np.stack([1 - positive, positive], axis=1)
    classes = np.arange(num_classes)
    return probabilities, (labels[:, None] == classes).astype(dtype)


def _groups(
    values: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    top_label: bool,
    classwise: bool,
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Probabilities, labels and weights of what is binned together."""
    rows, classes = np.arange(len(values)), np.arange(values.shape[1])
    if top_label:
        predicted = values.argmax(axis=1)
        columns = values[rows, predicted], labels[rows, predicted], weights
        if not classwise:
            return [columns]
        masks = [predicted == k for k in classes]
        confidence, right, _ = columns
        return [(confidence[m], right[m], weights[m]) for m in masks]
    if classwise:
        return [(values[:, k], labels[:, k], weights) for k in classes]
    everywhere = np.broadcast_to(weights[:, None], values.shape)
    return [(values.ravel(), labels.ravel(), everywhere.ravel())]


def even_bins(
    keys: np.ndarray,
    values: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    num_bins: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Weight and gap of the bins of equal width that hold weight."""
    edges = (np.arange(1, num_bins) / num_bins).astype(keys.dtype)
    index = np.searchsorted(edges, keys, side="right")
    weight = np.bincount(index, weights)
    gaps = np.bincount(index, weights * (labels.astype("float64") - values))
    is_used = weight > 0
    return weight[is_used], np.abs(gaps[is_used] / weight[is_used])


def adaptive_bins(
    keys: np.ndarray,
    values: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    num_bins: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Weight and gap of the bins of equal weight."""
    up_to = _cumulative(keys, values, labels, weights)
    weight, frequency, probability = _cut(up_to, num_bins)
    return weight, np.abs(frequency - probability) / weight


def monotonic_bins(
    keys: np.ndarray,
    values: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    num_bins: int,
) -> tuple[np.ndarray, np.ndarray]:
    """`adaptive_bins`, the most of them whose frequencies do not fall."""
    up_to = _cumulative(keys, values, labels, weights)
    found = _cut(up_to, 1)
    for number in range(2, len(up_to[0])):
        bins = _cut(up_to, number)
        heights = bins[1] / bins[0]
        # The tolerance is that of rounding.
        if (np.diff(heights) < -1e-12).any():
            break
        found = bins
    weight, frequency, probability = found
    return weight, np.abs(frequency - probability) / weight


# Name -> function from what is binned by, values, labels and weights to the
# bins' weight and gap.
BINS = {
    "even": even_bins,
    "adaptive": adaptive_bins,
    "monotonic": monotonic_bins,
}


def _cumulative(
    keys: np.ndarray,
    values: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Sums of weight, label and probability below each distinct key."""
    _, index = np.unique(keys, return_inverse=True)
    weight = np.bincount(index, weights)
    frequency = np.bincount(index, weights * labels)
    probability = np.bincount(index, weights * values)
    rows = np.stack([weight, frequency, probability])
    return np.hstack([np.zeros((3, 1)), np.cumsum(rows, axis=1)])


def _cut(up_to: np.ndarray, num_bins: int) -> np.ndarray:
    """The sums of each of `num_bins` bins of equal weight."""
    ends = up_to[0, -1] * np.arange(num_bins + 1) / num_bins
    return np.diff([np.interp(ends, up_to[0], row) for row in up_to], axis=1)


def _power_mean(gaps: np.ndarray, weight: np.ndarray, norm: float) -> float:
    """The mean in that norm, NaN of nothing."""
    if not len(gaps):
        return math.nan
    if math.isinf(norm):
        return float(gaps.max())
    return float(np.average(gaps**norm, weights=weight) ** (1 / norm))


def _checked_score(
    score: ArrayLike, num_examples: int, is_top_label: bool
) -> np.ndarray:
    score = np.asarray(score)
    if not is_top_label:
        raise ValueError(
            "`score` bins examples by one number each: with "
            "`top_label=True, classwise=False` alone."
        )
    if (
        score.shape != (num_examples,)
        or not ((score >= 0) & (score <= 1)).all()
    ):
        raise ValueError(
            "`score` must be one number in [0, 1] per example. "
            f"Received: shape={score.shape} for {num_examples} examples"
        )
    # The edges of the bins take its dtype.
    return score if score.dtype.kind == "f" else score.astype("float64")


def _check_norm(norm: float) -> None:
    is_number = isinstance(norm, float | int) and not isinstance(norm, bool)
    if not is_number or not norm >= 1:
        raise ValueError(
            "`norm` must be a number of at least 1: 1 is the mean distance, "
            f"2 the root mean square, `math.inf` the largest. "
            f"Received: norm={norm!r}"
        )
