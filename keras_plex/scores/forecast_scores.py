"""Scores that need nothing but the forecast: no data to fit."""

from keras import ops

from keras_plex.scores.fields import Fields
from keras_plex.scores.fields import class_logits
from keras_plex.scores.fields import same_kind
from keras_plex.types import Tensor


def msp(predictions: Fields) -> Tensor:
    """One minus the largest probability ("maximum softmax probability").

    The usual baseline. Computed as the sum of the other probabilities, which
    still ranks forecasts whose largest probability rounds to 1.

    Reference:
        Hendrycks and Gimpel, 2017, "A baseline for detecting misclassified and
        out-of-distribution examples in neural networks".
    """
    others = _without_largest(predictions.probabilities)
    return same_kind(ops.sum(others, axis=-1), predictions.probabilities)


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
    are logits. One logit z, of a sigmoid, counts as the two logits -z/2 and
    z/2; the score is -|z|/2.

    Reference:
        Hendrycks et al., 2022, "Scaling out-of-distribution detection for
        real-world settings".
    """
    logits = class_logits(predictions, "max_logit")
    # (batch, ensemble, classes) -> (batch,)
    largest = ops.max(ops.mean(logits, axis=1), axis=-1)
    return same_kind(-largest, predictions.member_logits)


def energy(predictions: Fields) -> Tensor:
    """Free energy at temperature 1: `-logsumexp(logits)`.

    A soft form of `max_logit`, of the mean of the members' logits. Needs a
    model whose outputs are logits. One logit z counts as the two logits -z/2
    and z/2, so that the score falls with |z|.

    Reference:
        Liu et al., 2020, "Energy-based out-of-distribution detection".
    """
    logits = class_logits(predictions, "energy")
    # (batch, ensemble, classes) -> (batch,)
    values = -ops.logsumexp(ops.mean(logits, axis=1), axis=-1)
    return same_kind(values, predictions.member_logits)


def margin(predictions: Fields) -> Tensor:
    """One minus the gap between the two largest probabilities.

    Computed as the sum of all probabilities but the largest, plus the second
    largest, which still ranks forecasts whose gap rounds to 1.

    Reference:
        Scheffer, Decomain and Wrobel, 2001, "Active hidden Markov models for
        information extraction".
    """
    others = _without_largest(predictions.probabilities)
    values = ops.sum(others, axis=-1) + ops.max(others, axis=-1)
    return same_kind(values, predictions.probabilities)


# Both numbers are the paper's.
GENERALIZED_ENTROPY_POWER = 0.1
GENERALIZED_ENTROPY_CLASSES = 100


def generalized_entropy(predictions: Fields) -> Tensor:
    """Generalized entropy (GEN): `sum(p**0.1 * (1 - p)**0.1)`.

    The sum runs over the 100 largest probabilities. The small power weighs
    the small probabilities, which the entropy hardly sees. Computed from the
    logarithms of the probabilities where the model gives logits, which keeps
    apart forecasts whose probabilities round to 0 and 1.

    Reference:
        Liu, Lochman and Zach, 2023, "GEN: Pushing the limits of softmax-based
        out-of-distribution detection".
    """
    log_p = _log_probabilities(predictions)
    count = min(GENERALIZED_ENTROPY_CLASSES, log_p.shape[-1])
    largest, _ = ops.top_k(log_p, k=count)
    # The largest p may round to 1: 1 - p is the sum of the others.
    is_first = _is_largest(log_p)
    rest = ops.logsumexp(ops.where(is_first, LOG_ZERO, log_p), axis=-1)
    log_rest = ops.concatenate(
        [
            ops.expand_dims(rest, axis=-1),
            ops.log1p(-ops.minimum(ops.exp(largest[:, 1:]), 0.5)),
        ],
        axis=-1,
    )
    terms = ops.exp(GENERALIZED_ENTROPY_POWER * (largest + log_rest))
    return same_kind(ops.sum(terms, axis=-1), predictions.probabilities)


def mutual_information(predictions: Fields) -> Tensor:
    """How much the members differ, in nats: uncertainty about the model.

    The entropy of the forecast minus the mean entropy of the members. It is 0
    for every example of a model with one member.

    Reference:
        Depeweg et al., 2018, "Decomposition of uncertainty in Bayesian deep
        learning for efficient and risk-sensitive learning".
    """
    return predictions.mutual_information


def disagreement(predictions: Fields) -> Tensor:
    """The share of pairs of members that name different labels.

    It is 0 for every example of a model with one member, and takes few values:
    with three members 0, 2/3 and 1.

    Reference:
        Kuncheva and Whitaker, 2003, "Measures of diversity in classifier
        ensembles and their relationship with the ensemble accuracy".
    """
    return predictions.disagreement


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


# The logarithm of a probability of 0; its power 0.1 rounds to 0.
LOG_ZERO = -1e4


def _is_largest(values: Tensor) -> Tensor:
    """True at the first of the largest along the last axis."""
    classes = values.shape[-1]
    return ops.one_hot(ops.argmax(values, axis=-1), classes, dtype="bool")


def _without_largest(probabilities: Tensor) -> Tensor:
    """The probabilities, the largest replaced by 0."""
    probabilities = ops.convert_to_tensor(probabilities)
    is_largest = ops.cast(_is_largest(probabilities), probabilities.dtype)
    # A product: a forecast that is not a number has no score.
    return probabilities * (1.0 - is_largest)


def _log_probabilities(predictions: Fields) -> Tensor:
    """Log probabilities of the forecast, `(batch, classes)`."""
    log_p = predictions.log_probabilities
    if log_p is None:
        probabilities = ops.convert_to_tensor(predictions.probabilities)
        # NaN is not 0, and stays.
        is_zero = probabilities <= 0
        log_p = ops.log(ops.where(is_zero, 1.0, probabilities))
        return ops.where(is_zero, LOG_ZERO, log_p)
    return ops.maximum(ops.convert_to_tensor(log_p), LOG_ZERO)
