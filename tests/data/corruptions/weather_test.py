"""Weather: what it adds, and what it leaves."""

import colorsys

import numpy as np
import pytest

from keras_plex.data.corruptions.randomness import example_generators
from keras_plex.data.corruptions.weather import brightness
from keras_plex.data.corruptions.weather import fog
from keras_plex.data.corruptions.weather import frost
from keras_plex.data.corruptions.weather import snow

COLOURS = np.random.default_rng(0).random((2, 32, 32, 3)).astype("float32")


def weathered(corruption, severity, images=COLOURS):
    generators = example_generators(0, "any", severity, range(len(images)))
    return corruption(images, severity, generators)


def test_brightness_is_the_value_of_hue_saturation_value():
    images = COLOURS.copy()
    images[0, 0] = 0  # black has no hue
    found = weathered(brightness, 5, images)  # 0.3 more at 32
    for before, after in zip(
        images.reshape(-1, 3), found.reshape(-1, 3), strict=True
    ):
        hue, saturation, value = colorsys.rgb_to_hsv(*before.tolist())
        expected = colorsys.hsv_to_rgb(hue, saturation, min(value + 0.3, 1))
        np.testing.assert_allclose(after, expected, atol=1e-5)


def test_brightness_of_grey_is_added():
    grey = COLOURS[..., :1]
    expected = np.minimum(grey + 0.05, 1)
    np.testing.assert_allclose(weathered(brightness, 1, grey), expected, 1e-5)


def test_fog_mixes_in_clouds_as_bright_as_the_image():
    found = weathered(fog, 4, COLOURS * 0.5)  # weight 1 at 32
    top = (COLOURS * 0.5).max(axis=(1, 2, 3), keepdims=True)
    clouds = found * (top + 1) / top - COLOURS * 0.5
    # The same cloud for all three channels.
    np.testing.assert_allclose(clouds[..., 0], clouds[..., 2], atol=1e-5)
    assert -1e-5 <= clouds.min() and clouds.max() <= 1 + 1e-5


def test_frost_adds_ice_that_is_blue_and_another_for_each_image():
    ice = weathered(frost, 1, np.zeros_like(COLOURS)) / 0.2
    assert np.all(ice[..., 2] > ice[..., 0])
    assert 0.3 < ice.mean() < 0.7 and ice.std() > 0.1
    assert np.any(ice[0] != ice[1])
    both = weathered(frost, 1, COLOURS)
    np.testing.assert_allclose(both, COLOURS + 0.2 * ice, atol=1e-5)


def test_snow_never_darkens_and_falls_on_both_diagonals():
    dark = np.zeros((2, 32, 32, 3), "float32")
    found = weathered(snow, 1, dark)
    # On black, 5 % of 0.5 and the flakes, which are the same turned around.
    assert found.min() == pytest.approx(0.025)
    np.testing.assert_allclose(found, found[:, ::-1, ::-1], atol=1e-6)
    assert np.all(weathered(snow, 3) >= COLOURS - 1e-6)


def test_grey_snow_is_that_of_a_grey_colour_image():
    grey = COLOURS[..., :1]
    alike = np.concatenate([grey] * 3, axis=-1)
    np.testing.assert_allclose(
        weathered(snow, 5, grey), weathered(snow, 5, alike)[..., :1], atol=1e-5
    )
