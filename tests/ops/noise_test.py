"""Each kind of noise is its formula, and its gradients belong to it."""

import numpy as np
import pytest
from keras import ops

from keras_plex.ops.noise import FactorNoise
from keras_plex.ops.noise import IndependentNoise
from keras_plex.ops.noise import ScaledFactorNoise

LEADING = (2, 3)
SAMPLES, CLASSES, WIDTH = 4, 5, 2

# Noise, the shapes of its tensors, and one sample of one example in NumPy.
CASES = {
    "independent": (
        IndependentNoise(CLASSES),
        [(*LEADING, CLASSES)],
        lambda e, stddev: stddev * e,
    ),
    "one for all": (
        IndependentNoise(1),
        [(*LEADING, CLASSES)],
        lambda e, stddev: stddev * e[0],
    ),
    "factors": (
        FactorNoise(WIDTH),
        [(*LEADING, WIDTH, CLASSES)],
        lambda e, factors: factors.T @ e,
    ),
    "scaled factors": (
        ScaledFactorNoise(WIDTH),
        [(*LEADING, CLASSES), (WIDTH, CLASSES)],
        lambda e, scale, loadings: scale * (loadings.T @ e),
    ),
}


def make(name):
    noise, shapes, formula = CASES[name]
    generator = np.random.default_rng(0)
    draws = generator.normal(size=(SAMPLES, noise.width))
    tensors = [generator.normal(size=shape) for shape in shapes]
    return noise, formula, draws, tensors


def to_tensors(*arrays):
    return [ops.convert_to_tensor(array, "float32") for array in arrays]


def loop(formula, draws, tensors):
    values = np.zeros((*LEADING, SAMPLES, CLASSES))
    for index in np.ndindex(LEADING):
        for s in range(SAMPLES):
            # What all examples share has no leading axes.
            own = [t[index] if t.ndim > 2 else t for t in tensors]
            values[(*index, s)] = formula(draws[s], *own)
    return values


@pytest.mark.parametrize("name", CASES)
def test_the_values_are_a_loop_over_examples_and_samples(name):
    noise, formula, draws, tensors = make(name)
    found = ops.convert_to_numpy(noise.values(*to_tensors(draws, *tensors)))
    expected = loop(formula, draws, tensors)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_the_gradients_are_those_of_the_loop(name):
    noise, formula, draws, tensors = make(name)
    generator = np.random.default_rng(1)
    upstream = generator.normal(size=(*LEADING, SAMPLES, CLASSES))
    found = noise.gradients(*to_tensors(draws, upstream, *tensors))
    assert len(found) == len(tensors)
    for position, tensor in enumerate(tensors):
        gradient = ops.convert_to_numpy(found[position])
        assert gradient.shape == tensor.shape
        for index in np.ndindex(tensor.shape):
            # Linear: a step of 1 has no error.
            moved = [t.copy() for t in tensors]
            moved[position][index] += 1.0
            change = loop(formula, draws, moved) - loop(formula, draws, tensors)
            np.testing.assert_allclose(
                gradient[index], (change * upstream).sum(), atol=1e-5
            )
