"""How strongly a Laplace approximation trusts its prior."""

from typing import NamedTuple

import numpy as np

from keras_plex.calibration.mean_field import LOG_FACTOR_BOUNDS
from keras_plex.calibration.mean_field import LOG_SCALE_BOUNDS
from keras_plex.calibration.mean_field import SCALE_STDDEV
from keras_plex.calibration.mean_field import held_out
from keras_plex.calibration.mean_field import negative_log_likelihood
from keras_plex.calibration.search import minimize_from_axes
from keras_plex.calibration.search import minimize_on_interval

# Of the logarithms of prior precision, mean-field factor and scale.
BOUNDS = ((-14.0, 14.0), LOG_FACTOR_BOUNDS, LOG_SCALE_BOUNDS)
STDDEVS = (1.0, 1.0, SCALE_STDDEV)


class LaplaceFit(NamedTuple):
    """What decides a forecast of a Laplace approximation.

    Args:
        prior: the precision of the weights' prior.
        factor: of the variance.
        scale: of all logits: the inverse of a temperature.
    """

    prior: float
    factor: float
    scale: float


def evidence_prior_precision(
    precision: np.ndarray, squared_norm: float, num_outputs: int
) -> float:
    """The prior precision with the largest marginal likelihood.

    Up to a constant the logarithm of the evidence is
    `outputs / 2 * sum_j (log prior - log(prior + eigenvalue_j))
    - prior / 2 * squared_norm`.

    Args:
        precision: `(features, features)`, of the data, without the prior.
        squared_norm: of all the weights.
        num_outputs: the outputs that share the precision.

    Reference:
        MacKay, 1992, "The evidence framework applied to classification
        networks".
    """
    eigenvalues = np.linalg.eigvalsh(np.asarray(precision, "float64"))
    eigenvalues = np.maximum(eigenvalues, 0.0)

    def loss(log_prior: float) -> float:
        prior = np.exp(log_prior)
        shrinkage = np.log(prior) - np.log(prior + eigenvalues)
        return 0.5 * prior * squared_norm - 0.5 * num_outputs * shrinkage.sum()

    return float(np.exp(minimize_on_interval(loss, BOUNDS[0])[0]))


def fit_laplace(
    held_out_data: tuple[np.ndarray, np.ndarray, np.ndarray],
    precision: np.ndarray,
    *,
    typical: tuple[float, float],
    is_free: tuple[bool, bool] = (True, True),
    output_kind: str = "softmax_logits",
    sample_weight: np.ndarray | None = None,
) -> LaplaceFit:
    """Prior precision, mean-field factor and scale that suit held-out data.

    They minimize the negative log likelihood of the labels, with priors of
    their own: the logarithms of the first two are normal around those of the
    typical values, with variance 1, that of the scale around 0 with standard
    deviation 0.5. They decide where a few hundred examples cannot.

    Args:
        held_out_data: logits `(examples, ensemble, classes)` before the mean
            field, features `(examples, ensemble, features)`, and labels as in
            `fit_mean_field`.
        precision: `(features, features)`, of the data, without the prior.
        typical: prior precision, such as that of the evidence, and factor.
        is_free: which of the two to fit; the other keeps its typical value.
            The scale is fitted with the factor.
        output_kind: `"softmax_logits"` or `"sigmoid_logits"`.
        sample_weight: `(examples,)`, positive; `None` weighs all alike.
    """
    logits, features, labels = held_out_data
    features = np.asarray(features, "float64")
    logits, features, targets, weights = held_out(
        logits, features, labels, output_kind, sample_weight
    )
    eigenvalues, vectors = np.linalg.eigh(np.asarray(precision, "float64"))
    eigenvalues = np.maximum(eigenvalues, 0.0)
    squares = (features @ vectors) ** 2
    center = np.log([*typical, 1.0])

    def loss(point: np.ndarray) -> float:
        prior, factor, scale = np.exp(point)
        variance = squares @ (1.0 / (prior + eigenvalues))
        scaled = scale * logits / np.sqrt(1.0 + factor * variance)[..., None]
        nll = negative_log_likelihood(scaled, targets, output_kind, weights)
        distances = (point - center) / STDDEVS
        return nll + 0.5 * np.sum(distances**2) / len(targets)

    are_free = (*is_free, is_free[1])
    found = minimize_from_axes(loss, center, BOUNDS, are_free)
    return LaplaceFit(*map(float, np.exp(found)))
