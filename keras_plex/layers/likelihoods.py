"""What the outputs of a Gaussian process are the parameters of."""

import dataclasses
import math
from collections.abc import Callable

from keras import ops

from keras_plex.ops.monte_carlo import gaussian_mixture_logits
from keras_plex.ops.probabilities import mean_field_log_rates
from keras_plex.ops.probabilities import mean_field_logits
from keras_plex.types import Tensor

SAMPLE_SEED = 0


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """How labels follow from latent functions, as a Laplace fit needs it.

    Args:
        curvature: from `(..., units)` latents to minus the second derivative
            of the log likelihood: the weight of a row in the precision,
            `(...)`, or `(..., units)` where each unit has its own precision.
            `None` is one everywhere.
        flatten: `(latents, variance, factor)` to the latents of the forecast.
        is_classwise: whether each unit has a precision of its own.
        is_univariate: whether there can be but one unit.
        typical_factor: the mean-field factor where none is fitted.
        link: from latents to what is averaged over draws.
        exact_factor: with which the mean field stands for the whole variance.
    """

    curvature: Callable[[Tensor], Tensor] | None
    flatten: Callable[[Tensor, Tensor, Tensor], Tensor]
    is_classwise: bool = False
    is_univariate: bool = False
    typical_factor: float = math.pi / 8
    link: str = "softmax"
    exact_factor: float = math.pi / 8


def softmax_curvature(logits: Tensor) -> Tensor:
    """`p (1 - p)` of each class: `(..., classes)`."""
    probabilities = ops.softmax(logits, axis=-1)
    return probabilities * (1.0 - probabilities)


def logistic_curvature(logits: Tensor) -> Tensor:
    """`p (1 - p)` of one unit: `(..., 1)` to `(...)`."""
    probability = ops.sigmoid(ops.squeeze(logits, axis=-1))
    return probability * (1.0 - probability)


def poisson_curvature(log_rates: Tensor) -> Tensor:
    """The rate of one unit: `(..., 1)` to `(...)`."""
    return ops.exp(ops.squeeze(log_rates, axis=-1))


# For the gaussian likelihood 5.0 is measured, see docs/defaults.md; pi / 8 is
# the probit value, and with 1.0 the mean rate is exact.
LIKELIHOODS = {
    "gaussian": Likelihood(None, mean_field_logits, typical_factor=5.0),
    "binary_logistic": Likelihood(
        logistic_curvature,
        mean_field_logits,
        is_univariate=True,
        link="sigmoid",
    ),
    "poisson": Likelihood(
        poisson_curvature,
        mean_field_log_rates,
        is_univariate=True,
        typical_factor=1.0,
        link="exp",
        exact_factor=1.0,
    ),
    "softmax": Likelihood(
        softmax_curvature, mean_field_logits, is_classwise=True
    ),
}


def sample_forecast(
    likelihood: str,
    latents: Tensor,
    variance: Tensor,
    factor: Tensor,
    num_samples: int,
) -> Tensor:
    """Latents of the mean forecast over Gaussian draws, the same each time.

    Args:
        likelihood: a name in `LIKELIHOODS`.
        latents: `(batch, ..., units)`, the posterior mean.
        variance: `(batch, ...)`, or `(batch, ..., units)`.
        factor: scalar, as strong as the same mean-field factor: pi / 8 draws
            logits with their variance, 1 log rates with theirs.
        num_samples: positive int.
    """
    variance = variance * factor / LIKELIHOODS[likelihood].exact_factor
    if len(variance.shape) < len(latents.shape):
        variance = ops.expand_dims(variance, axis=-1)
    link = LIKELIHOODS[likelihood].link
    if link == "softmax" and latents.shape[-1] == 1:
        link = "sigmoid"
    return gaussian_mixture_logits(
        latents, ops.sqrt(variance), num_samples, link, SAMPLE_SEED
    )
