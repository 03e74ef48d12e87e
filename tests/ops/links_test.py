"""Links average probabilities, and their gradients are those of the average."""

import numpy as np
import pytest
from keras import ops

from keras_plex.ops.links import LINKS


def softmax(u):
    e = np.exp(u - u.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


# Link -> the forecast from utilities (samples, classes), in plain NumPy.
FORECASTS = {
    "softmax": lambda u: np.log(softmax(u).mean(0)),
    "sigmoid": lambda u: (
        np.log(sigmoid(u).mean(0)) - np.log(1 - sigmoid(u).mean(0))
    ),
    "exp": lambda u: np.log(np.exp(u).mean(0)),
}


def log_sum(x):
    return np.log(np.exp(x).sum(axis=0))


def terms_of(link, utilities):
    utilities = ops.convert_to_tensor(utilities, "float32")
    return [ops.convert_to_numpy(t) for t in LINKS[link].log_terms(utilities)]


@pytest.mark.parametrize("link", LINKS)
def test_the_forecast_is_the_link_of_the_mean(link):
    utilities = np.random.default_rng(0).normal(size=(6, 4))
    means = [log_sum(term) - np.log(6) for term in terms_of(link, utilities)]
    means = [ops.convert_to_tensor(mean) for mean in means]
    found = ops.convert_to_numpy(LINKS[link].combine(*means))
    np.testing.assert_allclose(found, FORECASTS[link](utilities), atol=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_the_gradient_is_a_finite_difference(link):
    generator = np.random.default_rng(0)
    utilities, upstream = generator.normal(size=(2, 6, 4))
    upstream = upstream[0]
    terms = terms_of(link, utilities)
    shares = [np.exp(term - log_sum(term)) for term in terms]
    upstream, *tensors = (
        ops.convert_to_tensor(x, "float32") for x in (upstream, *terms, *shares)
    )
    half = len(terms)
    found = LINKS[link].pull_back(upstream, tensors[:half], tensors[half:])
    found, upstream = map(ops.convert_to_numpy, (found, upstream))
    step = 1e-6
    for index in np.ndindex(utilities.shape):
        sides = []
        for sign in (1, -1):
            moved = utilities.copy()
            moved[index] += sign * step
            sides.append((FORECASTS[link](moved) * upstream).sum())
        slope = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(found[index], slope, atol=1e-6)


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_utilities_far_apart_leave_nothing_infinite(link):
    utilities = np.array([[300.0, 0.0, -300.0]] * 2)
    for term in terms_of(link, utilities):
        assert np.isfinite(term).all()
