"""How strongly a Gaussian process's variance flattens its forecasts."""

import numpy as np
from scipy import special

from keras_plex.calibration.search import minimize_on_interval

# exp(-7) is nearly no effect, exp(9) flattens all but the surest forecasts.
LOG_FACTOR_BOUNDS = (-7.0, 9.0)


def fit_mean_field_factor(
    logits: np.ndarray,
    variance: np.ndarray,
    labels: np.ndarray,
    output_kind: str,
    *,
    typical_factor: float | None = None,
) -> float:
    """The factor with the smallest negative log likelihood on held-out data.

    The forecast is the mean over members of
    `softmax(logits / sqrt(1 + factor * variance))`.

    With a `typical_factor` the logarithm of the factor has the prior
    `N(log typical_factor, 1)`. It decides where a few hundred examples with
    hardly an error cannot: there the likelihood alone often says 0
    (docs/defaults.md). The result is never less likely than the typical one.

    Args:
        logits: `(examples, ensemble, classes)`, before the mean field.
        variance: `(examples, ensemble)`, or with a class axis.
        labels: `(examples,)` or `(examples, 1)` class indices, or
            `(examples, classes)` probabilities; for `"sigmoid_logits"` as
            many columns as logits.
        output_kind: `"softmax_logits"` or `"sigmoid_logits"`.
        typical_factor: positive float, or `None` for the likelihood alone.

    Returns:
        A float of at least 0.
    """
    variance = np.asarray(variance, "float64")
    if variance.ndim == 2:
        variance = variance[..., None]
    logits, variance, targets = held_out(logits, variance, labels, output_kind)

    def loss(factor: float) -> float:
        scaled = logits / np.sqrt(1.0 + factor * variance)
        nll = negative_log_likelihood(scaled, targets, output_kind)
        if typical_factor is None:
            return nll
        if factor == 0.0:
            return np.inf
        distance = np.log(factor / typical_factor)
        return nll + 0.5 * distance**2 / len(targets)

    log_factor, least = minimize_on_interval(
        lambda point: loss(np.exp(point)), LOG_FACTOR_BOUNDS
    )
    return 0.0 if loss(0.0) <= least else float(np.exp(log_factor))


def held_out(
    logits: np.ndarray, other: np.ndarray, labels: np.ndarray, output_kind: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, what belongs to them and targets, of examples that are finite.

    Args:
        logits: `(examples, ensemble, classes)`.
        other: `(examples, ensemble, any)`.
        labels: as in `fit_mean_field_factor`.
        output_kind: `"softmax_logits"` or `"sigmoid_logits"`.
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
    return logits[is_finite], other[is_finite], targets[is_finite]


def as_targets(
    labels: np.ndarray, num_classes: int, output_kind: str
) -> np.ndarray:
    """Labels as `(examples, classes)` target probabilities."""
    labels = np.asarray(labels)
    if output_kind == "sigmoid_logits":
        return labels.reshape(len(labels), -1).astype("float64")
    if labels.ndim == 2 and labels.shape[1] == num_classes:
        return labels.astype("float64")
    return np.eye(num_classes)[labels.reshape(-1).astype("int64")]


def negative_log_likelihood(
    logits: np.ndarray, targets: np.ndarray, output_kind: str
) -> float:
    """Mean over examples, of the members' mixture, in nats."""
    members = np.log(logits.shape[1])
    if output_kind == "softmax_logits":
        log_members = special.log_softmax(logits, axis=-1)
        log_mixture = special.logsumexp(log_members, axis=1) - members
        return float(-np.mean(np.sum(targets * log_mixture, axis=-1)))
    positive = special.logsumexp(special.log_expit(logits), axis=1) - members
    negative = special.logsumexp(special.log_expit(-logits), axis=1) - members
    log_mixture = targets * positive + (1.0 - targets) * negative
    return float(-np.mean(np.sum(log_mixture, axis=-1)))
