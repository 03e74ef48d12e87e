"""What a mean forecast is the mean of, in logarithms and with gradients."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

from keras import ops

from keras_plex.types import Tensor


class Link(NamedTuple):
    """A forecast from sums over samples, known by the logs of their terms.

    Args:
        log_terms: from utilities to the log of what each sample adds, for each
            sum.
        combine: from the logs of the means to the forecast.
        pull_back: the gradient of the utilities from that of the forecast,
            the log terms, and the share of each term in its sum.
    """

    log_terms: Callable[[Tensor], Sequence[Tensor]]
    combine: Callable[..., Tensor]
    pull_back: Callable[[Tensor, Sequence[Tensor], Sequence[Tensor]], Tensor]


def _log_softmax_terms(utilities: Tensor) -> Sequence[Tensor]:
    return (ops.log_softmax(utilities, axis=-1),)


def _softmax_gradient(
    upstream: Tensor, log_terms: Sequence[Tensor], shares: Sequence[Tensor]
) -> Tensor:
    weighted = upstream * shares[0]
    total = ops.sum(weighted, axis=-1, keepdims=True)
    return weighted - ops.exp(log_terms[0]) * total


def _log_sigmoid_terms(utilities: Tensor) -> Sequence[Tensor]:
    return ops.log_sigmoid(utilities), ops.log_sigmoid(-utilities)


def _sigmoid_gradient(
    upstream: Tensor, log_terms: Sequence[Tensor], shares: Sequence[Tensor]
) -> Tensor:
    positive, negative = (ops.exp(term) for term in log_terms)
    return upstream * (shares[0] * negative + shares[1] * positive)


def _exp_gradient(
    upstream: Tensor, log_terms: Sequence[Tensor], shares: Sequence[Tensor]
) -> Tensor:
    return upstream * shares[0]


# "softmax" and "exp" forecast the log of the mean, "sigmoid" its logit.
LINKS = {
    "softmax": Link(_log_softmax_terms, lambda mean: mean, _softmax_gradient),
    "sigmoid": Link(_log_sigmoid_terms, ops.subtract, _sigmoid_gradient),
    "exp": Link(
        lambda utilities: (utilities,), lambda mean: mean, _exp_gradient
    ),
}
