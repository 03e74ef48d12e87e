"""Where the noise of an output layer starts, in its own units."""

import math

import numpy as np
import pytest
from keras import ops

from keras_plex.layers import HeteroscedasticDense
from keras_plex.layers.heteroscedastic_noise import initial_raw_temperature


def temperature_at(raw, low, high):
    return low + (high - low) / (1 + math.exp(-raw))


@pytest.mark.parametrize("low, high", [(0.3, 3.0), (0.05, 5.0), (0.9, 1.01)])
def test_a_range_around_1_starts_at_1(low, high):
    raw = initial_raw_temperature(low, high)
    assert math.isclose(temperature_at(raw, low, high), 1.0)


@pytest.mark.parametrize("low, high", [(1.0, 3.0), (0.5, 1.0), (2.0, 3.0)])
def test_any_other_range_starts_in_its_middle(low, high):
    raw = initial_raw_temperature(low, high)
    assert math.isclose(temperature_at(raw, low, high), (low + high) / 2)


def test_the_standard_deviation_never_falls_to_zero():
    layer = HeteroscedasticDense(3)
    layer.build((None, 2))
    x = np.ones((1, 2), "float32")
    start = ops.convert_to_numpy(layer.stddev(x))
    np.testing.assert_allclose(start, 0.3, rtol=1e-5)
    layer.stddev_bias.assign([-1e4, 0.0, 1e4])
    # softplus, plus 0.001
    found = ops.convert_to_numpy(layer.stddev(x))[0]
    expected = [1e-3, math.log(2) + 1e-3, 1e4]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
