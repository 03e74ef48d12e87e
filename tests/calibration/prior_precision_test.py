"""The prior precision is where the evidence or the validation loss is best."""

import numpy as np
import pytest
from scipy import special

from keras_plex.calibration.prior_precision import evidence_prior_precision
from keras_plex.calibration.prior_precision import fit_laplace


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def log_evidence(prior, precision, squared_norm, outputs):
    """log N(weights; 0, I / prior) - log N(weights; weights, posterior)."""
    size = len(precision)
    _, log_det = np.linalg.slogdet(precision + prior * np.eye(size))
    log_prior = (
        0.5 * outputs * size * np.log(prior) - 0.5 * prior * squared_norm
    )
    return log_prior - 0.5 * outputs * log_det


def test_no_other_prior_has_a_larger_evidence():
    features = normal(200, 5)
    precision, squared_norm = features.T @ features, 3.0
    found = evidence_prior_precision(precision, squared_norm, 4)
    best = log_evidence(found, precision, squared_norm, 4)
    for factor in (0.5, 0.9, 1.1, 2.0):
        other = log_evidence(factor * found, precision, squared_norm, 4)
        assert other < best


def test_weights_that_the_data_fix_give_their_own_precision():
    # log evidence is then outputs * features / 2 * log prior - prior / 2 * norm
    precision = 1e9 * np.eye(5)
    found = evidence_prior_precision(precision, squared_norm=2.0, num_outputs=4)
    assert found == pytest.approx(4 * 5 / 2.0, rel=1e-3)


def test_a_singular_precision_is_no_obstacle():
    found = evidence_prior_precision(np.zeros((3, 3)), 1.0, 2)
    assert np.isfinite(found)


def validation_problem():
    logits = 6 * normal(300, 2, 3)
    features = normal(300, 2, 4, seed=1)
    labels = np.random.default_rng(2).integers(0, 3, size=300)
    x = normal(50, 4, seed=3)
    return logits, features, labels, x.T @ x


def loss_of(problem, typical):
    """The penalized validation loss, as a formula of prior and factor."""
    logits, features, labels, precision = problem

    def loss(prior, factor, scale):
        covariance = np.linalg.inv(precision + prior * np.eye(4))
        variance = np.einsum("nkd,de,nke->nk", features, covariance, features)
        scaled = scale * logits / np.sqrt(1 + factor * variance)[..., None]
        mean = special.softmax(scaled, axis=-1).mean(axis=1)
        nll = -np.log(mean[np.arange(len(labels)), labels]).mean()
        distance = np.log([prior, factor]) - np.log(typical)
        distance = [*distance, np.log(scale) / 0.5]
        return nll + 0.5 * np.sum(np.square(distance)) / len(labels)

    return loss


@pytest.mark.parametrize("typical", [(1.0, 0.39), (30.0, 5.0)])
def test_no_other_triple_of_a_grid_has_a_smaller_loss(typical):
    *data, precision = problem = validation_problem()
    loss = loss_of(problem, typical)
    found = fit_laplace(data, precision, typical=typical)
    grid = np.exp(np.linspace(-6, 6, 25))
    best = min(
        loss(p * typical[0], f * typical[1], scale)
        for p in grid
        for f in grid
        for scale in np.exp(np.linspace(-4, 0, 21))
    )
    assert loss(*found) < best + 1e-3
    assert found.scale <= 1.0


@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_fixed_keeps_its_value(axis):
    *data, precision = problem = validation_problem()
    typical, is_free = (2.0, 0.7), (axis == 1, axis == 0)
    found = fit_laplace(data, precision, typical=typical, is_free=is_free)
    assert found[axis] == pytest.approx(typical[axis])
    loss, other = loss_of(problem, typical), 1 - axis
    for change in (0.95, 1.05):
        point = list(found)
        point[other] *= change
        assert loss(*found) < loss(*point)
    is_factor_free = axis == 0
    assert (found.scale < 1.0) == is_factor_free


def test_labels_of_another_length_are_an_error():
    *data, precision = validation_problem()
    data[2] = data[2][:5]
    with pytest.raises(ValueError, match="one label per example"):
        fit_laplace(data, precision, typical=(1.0, 1.0))
