"""Scores: one number per example that says how uncertain a forecast is."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from keras_plex.tables import lookup
from keras_plex.types import Tensor

# `Predictions`, or any object with its fields, as arrays or as tensors.
Fields = Any


def score(name: str) -> Callable[[Fields], Tensor]:
    """The function of that name in `SCORES`.

    A score takes `Predictions`, or any object with its fields, and returns
    `(batch,)`: higher = more uncertain, or more likely out of distribution.
    Fields that are NumPy arrays give a NumPy array, tensors a tensor, so that
    a score also runs inside a compiled or exported graph.

    Args:
        name: a key of `SCORES`. Extend the table to add one:
            `SCORES["least_likely"] = my_function`.

    Example:

    >>> from keras_plex.predictions import Predictions
    >>> predictions = Predictions.from_outputs(
    ...     np.array([[0.5, 0.5], [0.75, 0.25]]), "probabilities"
    ... )
    >>> score("msp")(predictions).tolist()
    [0.5, 0.25]
    """
    return lookup(SCORES, name, "score")


def msp(predictions: Fields) -> Tensor:
    """One minus the largest probability ("maximum softmax probability").

    The usual baseline. Computed as the sum of the other probabilities, which
    still ranks forecasts whose largest probability rounds to 1.

    Reference:
        Hendrycks and Gimpel, 2017, "A baseline for detecting misclassified and
        out-of-distribution examples in neural networks".
    """
    probabilities = ops.convert_to_tensor(predictions.probabilities)
    largest = ops.one_hot(
        ops.argmax(probabilities, axis=-1),
        probabilities.shape[-1],
        dtype=probabilities.dtype,
    )
    others = ops.sum(probabilities * (1.0 - largest), axis=-1)
    return _same_kind(others, predictions.probabilities)


def entropy(predictions: Fields) -> Tensor:
    """Entropy of the forecast in nats: total uncertainty.

    Reference:
        Shannon, 1948, "A mathematical theory of communication".
    """
    return predictions.entropy


def max_logit(predictions: Fields) -> Tensor:
    """Minus the largest logit, after the mean over the members.

    Keeps the scale of the logits, which the softmax removes: a small logit
    everywhere means that no class is recognised. Needs a model whose outputs
    are logits.

    Reference:
        Hendrycks et al., 2022, "Scaling out-of-distribution detection for
        real-world settings".
    """
    logits = predictions.member_logits
    if logits is None:
        raise ValueError(
            'Score "max_logit" needs `member_logits`, which a model that '
            "outputs probabilities does not have. Give the model's last layer "
            'no activation, or use score "msp".'
        )
    # (batch, ensemble, classes) -> (batch,)
    largest = ops.max(ops.mean(logits, axis=1), axis=-1)
    return _same_kind(-largest, logits)


def mutual_information(predictions: Fields) -> Tensor:
    """How much the members differ, in nats: uncertainty about the model.

    The entropy of the forecast minus the mean entropy of the members. It is 0
    for every example of a model with one member.

    Reference:
        Depeweg et al., 2018, "Decomposition of uncertainty in Bayesian deep
        learning for efficient and risk-sensitive learning".
    """
    return predictions.mutual_information


def variance(predictions: Fields) -> Tensor:
    """Variance of the logits under a Gaussian-process or Laplace head.

    Grows with the distance of the features from the training data.

    Reference:
        Liu et al., 2020, "Simple and principled uncertainty estimation with
        deterministic deep learning via distance awareness".
    """
    if predictions.variance is None:
        raise ValueError(
            'Score "variance" needs a head with a covariance, and this model '
            'has none. Convert it with `plexify(model, head="gp")`, or keep '
            'its weights with `plexify(model, head="laplace")` followed by '
            "`fit_covariance(dataset)`."
        )
    return predictions.variance


# Name -> score. Add one here, or from outside: it is an ordinary dict.
SCORES: dict[str, Callable[[Fields], Tensor]] = {
    "msp": msp,
    "entropy": entropy,
    "max_logit": max_logit,
    "mutual_information": mutual_information,
    "variance": variance,
}


def _same_kind(values: Tensor, field: Tensor) -> Tensor:
    """NumPy for a NumPy field, else the tensor as it is."""
    if isinstance(field, np.ndarray):
        return ops.convert_to_numpy(values)
    return values
