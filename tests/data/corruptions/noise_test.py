"""Noise has the moments of its constants."""

import numpy as np
import pytest

from keras_plex.data.corruptions.noise import gaussian_noise
from keras_plex.data.corruptions.noise import impulse_noise
from keras_plex.data.corruptions.noise import shot_noise
from keras_plex.data.corruptions.randomness import example_generators

GREY = np.full((40, 32, 32, 3), 0.5, "float32")  # 122,880 values


def noisy(corruption, severity, images=GREY):
    generators = example_generators(0, "noise", severity, range(len(images)))
    return corruption(images, severity, generators)


@pytest.mark.parametrize("severity, deviation", [(1, 0.04), (5, 0.10)])
def test_gaussian_noise_has_the_deviation_of_cifar_10_c(severity, deviation):
    noise = noisy(gaussian_noise, severity) - GREY
    assert noise.mean() == pytest.approx(0, abs=5 * deviation / 350)
    assert noise.std() == pytest.approx(deviation, rel=0.01)


def test_shot_noise_counts_photons():
    found = noisy(shot_noise, 5)  # 50 photons for white, 25 for grey
    np.testing.assert_allclose(found * 50, np.rint(found * 50), atol=1e-4)
    assert found.mean() == pytest.approx(0.5, rel=0.005)
    # A Poisson number's variance is its mean.
    assert np.var(found * 50) == pytest.approx(25, rel=0.02)


def test_shot_noise_leaves_the_dark_dark():
    assert np.all(noisy(shot_noise, 5, np.zeros_like(GREY)) == 0)


def test_impulse_noise_makes_as_many_values_black_as_white():
    found = noisy(impulse_noise, 5)  # 7 of 100
    assert set(np.unique(found)) == {0.0, 0.5, 1.0}
    assert np.mean(found == 0) == pytest.approx(0.035, rel=0.05)
    assert np.mean(found == 1) == pytest.approx(0.035, rel=0.05)


def test_impulses_hit_single_channels():
    is_hit = noisy(impulse_noise, 5) != GREY
    alone = np.mean(is_hit.any(-1) & ~is_hit.all(-1))
    assert alone == pytest.approx(1 - 0.93**3, rel=0.05)
