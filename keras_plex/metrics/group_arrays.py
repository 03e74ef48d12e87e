"""The metrics of members and of groups as functions of whole arrays."""

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_plex.metrics.array_checks import check_arrays
from keras_plex.metrics.array_checks import check_probabilities
from keras_plex.metrics.array_checks import check_weights
from keras_plex.metrics.arrays import CHUNK
from keras_plex.metrics.arrays import array_dtype
from keras_plex.metrics.base import StreamingMetric
from keras_plex.metrics.member_disagreement import MemberDisagreement
from keras_plex.metrics.member_kl_divergence import MemberKLDivergence
from keras_plex.metrics.subpopulation_accuracy import SubpopulationAccuracy


def member_disagreement(
    probabilities: ArrayLike,
    *,
    y_true: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Share of pairs of members that differ: `MemberDisagreement`.

    Args:
        probabilities: `(examples, ensemble, classes)`.
        y_true: labels, as for `expected_calibration_error`. With them the
            share is divided by the error rate of the forecast.
        sample_weight: `(examples,)`, not negative.

    Example:

    >>> member_disagreement([[[0.9, 0.1], [0.2, 0.8]]])
    1.0
    """
    metric = MemberDisagreement(
        normalize=y_true is not None, dtype=array_dtype(probabilities)
    )
    return _members_result(metric, probabilities, y_true, sample_weight)


def member_kl_divergence(
    probabilities: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Mean divergence between members: `MemberKLDivergence`.

    Arguments as for `member_disagreement`.

    Example:

    >>> round(member_kl_divergence([[[0.5, 0.5], [0.75, 0.25]]]), 6)  # ln(3)/8
    0.137327
    """
    metric = MemberKLDivergence(dtype=array_dtype(probabilities))
    return _members_result(metric, probabilities, None, sample_weight)


def subpopulation_accuracy(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    groups: ArrayLike,
    *,
    statistic: str = "worst",
    sample_weight: ArrayLike | None = None,
) -> float:
    """A statistic of the accuracy of each group: `SubpopulationAccuracy`.

    Args:
        y_true: labels, as for `expected_calibration_error`.
        probabilities: as for `expected_calibration_error`.
        groups: `(examples,)`, integers from 0.
        statistic: see `SubpopulationAccuracy`. Defaults to `"worst"`.
        sample_weight: `(examples,)`, not negative.

    Example:

    >>> subpopulation_accuracy([0, 1], [[0.9, 0.1], [0.9, 0.1]], [0, 1])
    0.0
    """
    y_true, probabilities = np.asarray(y_true), np.asarray(probabilities)
    weights = _weights(sample_weight, len(probabilities))
    check_arrays(y_true, probabilities, weights)
    groups = np.asarray(groups)
    is_vector = groups.shape == (len(probabilities),)
    if not is_vector or not np.all((groups >= 0) & (groups % 1 == 0)):
        raise ValueError(
            "`groups` must hold an integer from 0 for each example. "
            f"Received: shape={groups.shape}, dtype={groups.dtype}"
        )
    metric = SubpopulationAccuracy(
        int(groups.max()) + 1, statistic, dtype=array_dtype(probabilities)
    )
    for start in range(0, len(probabilities), CHUNK):
        rows = slice(start, start + CHUNK)
        metric.update_state(
            y_true[rows], probabilities[rows], weights[rows], groups[rows]
        )
    return float(ops.convert_to_numpy(metric.result()))


def _members_result(
    metric: StreamingMetric,
    probabilities: ArrayLike,
    y_true: ArrayLike | None,
    sample_weight: ArrayLike | None,
) -> float:
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 3:
        raise ValueError(
            "`probabilities` must be those of members, (examples, ensemble, "
            f"classes). Received: shape={probabilities.shape}"
        )
    weights = _weights(sample_weight, len(probabilities))
    check_probabilities(probabilities)
    check_weights(weights, len(probabilities))
    if y_true is None:
        y_true = np.zeros(len(probabilities))
    else:
        y_true = np.asarray(y_true)
        check_arrays(y_true, probabilities)
    for start in range(0, len(probabilities), CHUNK):
        rows = slice(start, start + CHUNK)
        metric.update_state(y_true[rows], probabilities[rows], weights[rows])
    return float(ops.convert_to_numpy(metric.result()))


def _weights(sample_weight: ArrayLike | None, size: int) -> np.ndarray:
    if sample_weight is None:
        return np.ones(size)
    return np.asarray(sample_weight)
