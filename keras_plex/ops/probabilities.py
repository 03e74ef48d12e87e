"""Mixtures of members, and how uncertain they are, on tensors.

All of it is `keras.ops`, so that training, `predict`, the monitor and an
exported graph compute the same numbers.
"""

import math

import keras
from keras import ops

from keras_plex.tables import lookup
from keras_plex.types import Tensor


def mean_field_logits(
    logits: Tensor, variance: Tensor, mean_field_factor: Tensor
) -> Tensor:
    """Logits whose softmax approximates the mean softmax of Gaussian logits.

    `logits / sqrt(1 + mean_field_factor * variance)`.

    Args:
        logits: `(batch, ..., classes)`.
        variance: `(batch, ...)`, or with a class axis.
        mean_field_factor: scalar; `pi / 8` is the probit value, 0 changes
            nothing.

    Reference:
        Lu, Ie and Sha, 2020, "Mean-field approximation to Gaussian-softmax
        integral with application to uncertainty estimation".
    """
    if len(variance.shape) < len(logits.shape):
        variance = ops.expand_dims(variance, axis=-1)
    return logits * ops.rsqrt(1.0 + mean_field_factor * variance)


def mean_field_log_rates(
    log_rates: Tensor, variance: Tensor, mean_field_factor: Tensor
) -> Tensor:
    """The logarithm of the mean rate of Gaussian log rates.

    `log_rates + mean_field_factor * variance / 2`, exact for factor 1.

    Args:
        log_rates: `(batch, ..., units)`.
        variance: `(batch, ...)`, or with a unit axis.
        mean_field_factor: scalar; 0 changes nothing.
    """
    if len(variance.shape) < len(log_rates.shape):
        variance = ops.expand_dims(variance, axis=-1)
    return log_rates + 0.5 * mean_field_factor * variance


def softmax_mixture(logits: Tensor, axis: int) -> Tensor:
    """Logits whose softmax is the mean of the members' softmaxes."""
    members = logits.shape[axis]
    log_probabilities = ops.log_softmax(logits, axis=-1)
    return ops.logsumexp(log_probabilities, axis=axis) - math.log(members)


def sigmoid_mixture(logits: Tensor, axis: int) -> Tensor:
    """Logits whose sigmoid is the mean of the members' sigmoids."""
    log_positive = ops.logsumexp(ops.log_sigmoid(logits), axis=axis)
    log_negative = ops.logsumexp(ops.log_sigmoid(-logits), axis=axis)
    return log_positive - log_negative


def log_rate_mixture(log_rates: Tensor, axis: int) -> Tensor:
    """The logarithm of the mean of the members' rates."""
    members = log_rates.shape[axis]
    return ops.logsumexp(log_rates, axis=axis) - math.log(members)


# What a model's output is -> how its members become one forecast.
MIXTURES = {
    "softmax_logits": softmax_mixture,
    "sigmoid_logits": sigmoid_mixture,
    "probabilities": ops.mean,
    "regression": ops.mean,
    "log_rates": log_rate_mixture,
}

# Kinds of outputs that are no classes.
NUMBERS = ("regression", "log_rates")

OUTPUT_KINDS = tuple(MIXTURES)


def mix_members(outputs: Tensor, output_kind: str, axis: int) -> Tensor:
    """One forecast from the members' outputs, in float32 or wider."""
    mixture = lookup(MIXTURES, output_kind, "output kind")
    dtype = keras.backend.standardize_dtype(outputs.dtype)
    if dtype != "float64":
        outputs = ops.cast(outputs, "float32")
    return ops.cast(mixture(outputs, axis=axis), dtype)


# Half of the step below 1 in float32: a sigmoid that says 1 leaves the other
# class less than that, and not nothing.
ROUNDED_TO_ONE = 2.0**-25


def member_probabilities(outputs: Tensor, output_kind: str) -> Tensor:
    """Class probabilities `(..., classes)` of outputs; one unit becomes two.

    Where one unit's probability rounds to 1, the other class keeps 2^-25.
    """
    lookup(MIXTURES, output_kind, "output kind")
    if output_kind in NUMBERS:
        raise ValueError(
            "A regression model has no class probabilities. Use "
            "`predict_members`, whose spread is the uncertainty."
        )
    outputs = ops.cast(outputs, "float32")
    is_one_unit = outputs.shape[-1] == 1
    if output_kind == "softmax_logits":
        return ops.softmax(outputs, axis=-1)
    if output_kind == "sigmoid_logits":
        return ops.sigmoid(two_logits(outputs) if is_one_unit else outputs)
    if not is_one_unit:
        return outputs
    others = ops.maximum(1.0 - outputs, ROUNDED_TO_ONE)
    return ops.concatenate([others, outputs], axis=-1)


def two_logits(logits: Tensor) -> Tensor:
    """The logits of both classes `(..., 2)` of a sigmoid's `(..., 1)`.

    `1 - sigmoid(z)` loses what is left of it in float32; `sigmoid(-z)` is
    exact.
    """
    return ops.concatenate([-logits, logits], axis=-1)


def log_probabilities(logits: Tensor) -> Tensor:
    """Log class probabilities of the mixture, exact for large logits.

    Args:
        logits: `(batch, ensemble, classes)`; one unit becomes two classes.

    Returns:
        `(batch, classes)`.
    """
    if logits.shape[-1] > 1:
        return softmax_mixture(logits, axis=1)
    return ops.log_sigmoid(two_logits(sigmoid_mixture(logits, axis=1)))


def entropy(probabilities: Tensor) -> Tensor:
    """Entropy in nats over the last axis; `0 log 0` is 0."""
    positive = probabilities > 0
    safe = ops.where(positive, probabilities, ops.ones_like(probabilities))
    # Adding 0 turns the -0.0 of a certain forecast into 0.0.
    return -ops.sum(probabilities * ops.log(safe), axis=-1) + 0.0


def summarize_members(probabilities: Tensor) -> dict[str, Tensor]:
    """What the members say together, as named tensors.

    Args:
        probabilities: `(batch, ensemble, classes)`, each row sums to one.

    Returns:
        `probabilities` `(batch, classes)`, `member_probabilities`, and per
        example `(batch,)`: `labels` (int32, the most probable class),
        `confidence` (its probability), `entropy` (nats, of the mean),
        `expected_entropy` (nats, mean of the members'), `mutual_information`
        (their difference, never below 0) and `disagreement` (the share of
        ordered pairs of different members whose labels differ; 0 for one
        member).
    """
    members = probabilities.shape[1]
    mean = ops.mean(probabilities, axis=1)
    total = entropy(mean)
    expected = ops.mean(entropy(probabilities), axis=1)
    classes = probabilities.shape[-1]
    votes = ops.sum(
        ops.one_hot(ops.argmax(probabilities, axis=-1), classes), axis=1
    )
    labels = ops.argmax(mean, axis=-1)
    # A maximum over a batch of no example is an error in Keras.
    is_label = ops.one_hot(labels, classes, dtype=mean.dtype)
    equal_pairs = ops.sum(votes * (votes - 1.0), axis=-1)
    disagreement = 1.0 - equal_pairs / max(members * (members - 1), 1)
    # The index of the largest hides a NaN.
    is_nan = ops.isnan(total)
    if members == 1:
        disagreement = ops.zeros_like(total)
    return {
        "probabilities": mean,
        "member_probabilities": probabilities,
        "labels": ops.cast(labels, "int32"),
        "confidence": ops.sum(mean * is_label, axis=-1),
        "entropy": total,
        "expected_entropy": expected,
        "mutual_information": ops.maximum(total - expected, 0.0),
        "disagreement": ops.where(is_nan, total, disagreement),
    }
