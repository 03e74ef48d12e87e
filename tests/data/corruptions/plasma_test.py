"""Clouds fill 0 to 1, and are smoother the faster their parts shrink."""

import numpy as np
import pytest

from keras_plex.data.corruptions.plasma import plasma
from keras_plex.data.corruptions.randomness import example_generators


def clouds(height, width, decay, count=8):
    generators = example_generators(0, "fog", 1, range(count))
    return plasma(generators, height, width, decay)


def test_a_map_of_two_to_a_power_reaches_from_0_to_1():
    heights = clouds(64, 64, 2.0)
    np.testing.assert_array_equal(heights.min(axis=(1, 2)), 0)
    np.testing.assert_array_equal(heights.max(axis=(1, 2)), 1)


@pytest.mark.parametrize("shape", [(28, 28), (33, 65), (224, 30)])
def test_other_maps_are_cut_from_it(shape):
    heights = clouds(*shape, 2.0)
    assert heights.shape == (8, *shape)
    assert heights.min() >= 0 and heights.max() <= 1


def test_roughness_falls_with_the_decay():
    def roughness(decay):
        return np.abs(np.diff(clouds(64, 64, decay), axis=1)).mean()

    assert roughness(1.4) > roughness(2) > roughness(3)


def test_opposite_edges_of_a_whole_map_are_neighbours():
    heights = clouds(64, 64, 3.0, count=32)
    inside = np.abs(np.diff(heights, axis=1)).mean()
    across = np.abs(heights[:, 0] - heights[:, -1]).mean()
    assert across < 2 * inside
