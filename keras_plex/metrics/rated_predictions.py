"""Whole arrays of labels and forecasts as uncertainty and errors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.metrics.array_checks import check_arrays


class RatedPredictions(NamedTuple):
    """Each prediction: how uncertain, how wrong; `(examples,)` in float64.

    Args:
        uncertainty: the sum of the probabilities that are not the largest.
        wrong: the share of the label that is not the predicted class.
        weights: above 0; examples without weight are left out.
    """

    uncertainty: np.ndarray
    wrong: np.ndarray
    weights: np.ndarray


class TiedGroups(NamedTuple):
    """The weight of right and wrong predictions, most confident group first.

    Args:
        right: `(groups,)`.
        wrong: `(groups,)`.
        index: `(examples,)`, the group of each example.
    """

    right: np.ndarray
    wrong: np.ndarray
    index: np.ndarray


def read_forecasts(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    sample_weight: ArrayLike | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and forecasts `(examples, classes)`, and weights, checked.

    Args:
        y_true: class indices `(examples,)`; with two classes, 0, 1 or the
            probability of class 1; or one-hot or soft labels
            `(examples, classes)`.
        probabilities: `(examples, classes)`, `(examples, ensemble, classes)`,
            or of class 1 of two `(examples,)`.
        sample_weight: `(examples,)`, not negative, or `None`.
    """
    labels, probabilities = np.asarray(y_true), np.asarray(probabilities)
    weights = np.ones(len(labels) if labels.ndim else 1)
    if sample_weight is not None:
        weights = np.asarray(sample_weight, "float64")
    check_arrays(labels, probabilities, weights)
    if probabilities.ndim == 1:
        probabilities = probabilities[:, None]
    if probabilities.ndim == 2:
        probabilities = probabilities[:, None]
    # (examples, ensemble, units) -> (examples, classes)
    forecast = probabilities.mean(axis=1, dtype="float64")
    if forecast.shape[1] == 1:
        forecast = np.concatenate([1.0 - forecast, forecast], axis=1)
    num_classes = forecast.shape[1]
    labels = labels.astype("float64")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 1 and num_classes == 2:
        labels = np.stack([1.0 - labels, labels], axis=1)
    elif labels.ndim == 1:
        labels = np.eye(num_classes)[labels.astype(int)]
    weights = weights.ravel()
    counts = weights > 0
    return labels[counts], forecast[counts], weights[counts]


def rate_predictions(
    labels: np.ndarray, forecast: np.ndarray, weights: np.ndarray
) -> RatedPredictions:
    """Uncertainty and errors of what `read_forecasts` returns."""
    others = np.ones_like(forecast)
    np.put_along_axis(others, forecast.argmax(1)[:, None], 0.0, axis=1)
    # Rounding may bring the sum of a soft label out of range.
    wrong = np.clip((labels * others).sum(axis=1), 0.0, 1.0)
    return RatedPredictions((forecast * others).sum(axis=1), wrong, weights)


def group_ties(rated: RatedPredictions) -> TiedGroups:
    """The predictions by uncertainty, equal ones together."""
    _, index = np.unique(rated.uncertainty, return_inverse=True)
    wrong = np.bincount(index, rated.weights * rated.wrong)
    right = np.bincount(index, rated.weights * (1.0 - rated.wrong))
    return TiedGroups(right, wrong, index)
