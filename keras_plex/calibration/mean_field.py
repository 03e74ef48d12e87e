"""How strongly a Gaussian process's variance flattens its forecasts."""

from typing import NamedTuple

import numpy as np
from scipy import special

from keras_plex.calibration.labelled import class_targets
from keras_plex.calibration.search import minimize_from_axes

# exp(-7) is nearly no effect, exp(9) flattens all but the surest forecasts.
LOG_FACTOR_BOUNDS = (-7.0, 9.0)
# With few errors to learn from, forecasts would become surer than they were.
LOG_SCALE_BOUNDS = (-4.0, 0.0)

# Standard deviations of the priors of the logarithms; docs/defaults.md.
FACTOR_STDDEV = 2.0
SCALE_STDDEV = 0.5


class MeanField(NamedTuple):
    """The forecast is `softmax(scale * logits / sqrt(1 + factor * variance))`.

    Args:
        scale: of all logits: the inverse of a temperature.
        factor: of the variance.
    """

    scale: float
    factor: float


def fit_mean_field(
    logits: np.ndarray,
    variance: np.ndarray,
    labels: np.ndarray,
    output_kind: str,
    sample_weight: np.ndarray | None = None,
) -> MeanField:
    """Scale and factor with the smallest negative log likelihood.

    The factor alone would have to serve as a temperature where all forecasts
    are too sure: it then grows until the variance alone decides which of them
    is surest (docs/defaults.md). Weak priors decide where a few hundred
    examples with hardly an error cannot: a scale of 1, which is also the
    largest, and a factor that divides the logits of an example of median
    variance by the square root of 2.

    Args:
        logits: `(examples, ensemble, classes)`, before the mean field.
        variance: `(examples, ensemble)`, or with a class axis.
        labels: `(examples,)` or `(examples, 1)` class indices, or
            `(examples, classes)` probabilities; for `"sigmoid_logits"` as
            many columns as logits.
        output_kind: `"softmax_logits"` or `"sigmoid_logits"`.
        sample_weight: `(examples,)`, positive; `None` weighs all alike.

    Reference:
        Guo et al., 2017, "On calibration of modern neural networks"; Lu et
        al., 2020, "Mean-field approximation to Gaussian-softmax integral with
        application to uncertainty estimation".
    """
    variance = np.asarray(variance, "float64")
    if variance.ndim == 2:
        variance = variance[..., None]
    logits, variance, targets, weights = held_out(
        logits, variance, labels, output_kind, sample_weight
    )
    center = np.array([0.0, np.log(factor_at_median(variance))])

    def loss(point: np.ndarray) -> float:
        scale, factor = np.exp(point)
        scaled = scale * logits / np.sqrt(1.0 + factor * variance)
        nll = negative_log_likelihood(scaled, targets, output_kind, weights)
        distances = (point - center) / (SCALE_STDDEV, FACTOR_STDDEV)
        return nll + 0.5 * np.sum(distances**2) / len(targets)

    found = minimize_from_axes(
        loss, center, (LOG_SCALE_BOUNDS, LOG_FACTOR_BOUNDS), (True, True)
    )
    return MeanField(*map(float, np.exp(found)))


def factor_at_median(variance: np.ndarray) -> float:
    """With which the median variance flattens by the square root of 2."""
    median = np.median(variance)
    low, high = np.exp(LOG_FACTOR_BOUNDS)
    return float(np.clip(1.0 / median, low, high)) if median > 0 else 1.0


def held_out(
    logits: np.ndarray,
    other: np.ndarray,
    labels: np.ndarray,
    output_kind: str,
    sample_weight: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Logits, what belongs to them, targets, weights, of finite examples.

    Args:
        logits: `(examples, ensemble, classes)`.
        other: `(examples, ensemble, any)`.
        labels: as in `fit_mean_field`.
        output_kind: `"softmax_logits"` or `"sigmoid_logits"`.
        sample_weight: `(examples,)`, or `None`.
    """
    logits = np.asarray(logits, "float64")
    targets = as_targets(labels, logits.shape[-1], output_kind)
    if targets.shape != (len(logits), logits.shape[-1]):
        raise ValueError(
            "There must be one label per example. Received: labels of shape "
            f"{np.shape(labels)} for {len(logits)} examples."
        )
    is_finite = np.isfinite(logits).all(axis=(1, 2))
    is_finite &= np.isfinite(other).all(axis=(1, 2))
    if not is_finite.any():
        raise ValueError("No forecast for the held-out data is finite.")
    weights = None if sample_weight is None else sample_weight[is_finite]
    return logits[is_finite], other[is_finite], targets[is_finite], weights


def as_targets(
    labels: np.ndarray, num_classes: int, output_kind: str
) -> np.ndarray:
    """Labels as `(examples, classes)` target probabilities."""
    labels = np.asarray(labels)
    if output_kind == "sigmoid_logits":
        return labels.reshape(len(labels), -1).astype("float64")
    return class_targets(labels, len(labels), num_classes)


def negative_log_likelihood(
    logits: np.ndarray,
    targets: np.ndarray,
    output_kind: str,
    weights: np.ndarray | None = None,
) -> float:
    """Mean over examples, of the members' mixture, in nats."""
    members = np.log(logits.shape[1])
    if output_kind == "softmax_logits":
        log_members = special.log_softmax(logits, axis=-1)
        log_mixture = special.logsumexp(log_members, axis=1) - members
        log_likelihood = np.sum(targets * log_mixture, axis=-1)
        return float(-np.average(log_likelihood, weights=weights))
    positive = special.logsumexp(special.log_expit(logits), axis=1) - members
    negative = special.logsumexp(special.log_expit(-logits), axis=1) - members
    log_mixture = targets * positive + (1.0 - targets) * negative
    log_likelihood = np.sum(log_mixture, axis=-1)
    return float(-np.average(log_likelihood, weights=weights))
