"""Blurs average: they keep what is uniform, and spread a single point."""

import itertools

import numpy as np
import pytest

from keras_plex.data.corruptions.blur import DEFOCUS_BLUR
from keras_plex.data.corruptions.blur import MOTION_BLUR
from keras_plex.data.corruptions.blur import defocus_blur
from keras_plex.data.corruptions.blur import defocus_kernel
from keras_plex.data.corruptions.blur import disk
from keras_plex.data.corruptions.blur import glass_blur
from keras_plex.data.corruptions.blur import kernel_of_spread
from keras_plex.data.corruptions.blur import motion_blur
from keras_plex.data.corruptions.blur import spread_of
from keras_plex.data.corruptions.blur import streak
from keras_plex.data.corruptions.blur import streaked
from keras_plex.data.corruptions.blur import zoom_blur
from keras_plex.data.corruptions.randomness import example_generators

BLURS = (defocus_blur, glass_blur, motion_blur, zoom_blur)


def blurred(corruption, severity, images):
    generators = example_generators(0, "blur", severity, range(len(images)))
    return corruption(images, severity, generators)


def point(side, count=1):
    images = np.zeros((count, side, side, 1), "float32")
    images[:, side // 2, side // 2] = 1
    return images


@pytest.mark.parametrize("side", [32, 224])
@pytest.mark.parametrize("severity", range(1, 6))
def test_weights_sum_to_one(severity, side):
    images = np.empty((0, side, side, 3))
    kernel = disk(*DEFOCUS_BLUR.at(severity, images))
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-7)
    np.testing.assert_allclose(kernel, kernel[::-1], atol=1e-7)
    line = streak(*MOTION_BLUR.at(severity, images))
    assert line.sum() == pytest.approx(1, abs=1e-5)
    assert np.all(np.diff(line) < 0)


def test_a_wide_disk_is_flat_with_the_area_of_a_circle():
    kernel = disk(8, 0.01)
    weights = kernel[kernel > 0]
    np.testing.assert_allclose(weights, weights[0])
    assert len(weights) == pytest.approx(np.pi * 8**2, rel=0.03)


@pytest.mark.parametrize("corruption", BLURS)
@pytest.mark.parametrize("shape", [(32, 32, 3), (224, 224, 1), (28, 45, 1)])
def test_uniform_images_stay(corruption, shape):
    images = np.full((2, *shape), 0.3, "float32")
    found = blurred(corruption, 5, images)
    np.testing.assert_allclose(found, images, atol=1e-5)


def test_defocus_shows_the_kernel_of_a_point():
    found = blurred(defocus_blur, 5, point(32))[0, ..., 0]
    # Radius 1.5: the pixel and its eight neighbours.
    np.testing.assert_allclose(found[15:18, 15:18], 1 / 9, atol=1e-4)
    assert found.sum() == pytest.approx(1, abs=1e-5)


def test_a_streak_follows_its_angle():
    images = point(33, count=3)
    angles = np.array([0.0, 90.0, 45.0])
    found = streaked(images, 3, 2, angles)[..., 0]
    weights = streak(3, 2)  # seven taps
    np.testing.assert_allclose(found[0, 16, 10:17], weights[::-1], atol=1e-6)
    np.testing.assert_allclose(found[1, 10:17, 16], weights[::-1], atol=1e-6)
    assert found[2, 15, 15] > 0 and found[2, 15, 16] == 0


def test_motion_goes_another_way_in_each_image():
    found = blurred(motion_blur, 5, point(32, count=6))
    assert len(np.unique(found.reshape(6, -1), axis=0)) > 1
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), 1, atol=1e-5)


def test_glass_takes_colours_from_close_by():
    places = np.stack(np.indices((32, 32)), axis=-1)[None].astype("float32")
    found = blurred(glass_blur, 1, places)  # one round of at most one pixel
    moved = (found - places)[0]
    assert set(np.unique(moved[1:, 1:])) == {-1, 0}
    twice = (blurred(glass_blur, 4, places) - places)[0]
    assert -2.5 < twice[4:-4, 4:-4].min() < -1.5


def test_zoom_blur_keeps_the_centre_and_smears_the_rim():
    stripes = np.zeros((1, 64, 64, 1), "float32")
    stripes[:, :, ::4] = stripes[:, :, 1::4] = 1
    change = np.abs(blurred(zoom_blur, 3, stripes) - stripes)[0, ..., 0]
    assert change[:, 30:34].mean() < 0.5 * change[:, :8].mean()


@pytest.mark.parametrize("side", [28, 30, 31, 32, 33, 48, 64, 96, 224, 256])
def test_defocus_spreads_more_with_severity_at_every_size(side):
    images = np.empty((0, side, side, 1))
    kernels = [defocus_kernel(severity, images) for severity in range(1, 6)]
    spreads = [spread_of(kernel) for kernel in kernels]
    assert all(low < high for low, high in itertools.pairwise(spreads))
    assert spreads[0] > 0.3 * side / 32
    for kernel in kernels:
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(kernel, kernel.T, atol=1e-7)


def test_defocus_has_the_published_kernels():
    for side, rows in ((32, DEFOCUS_BLUR.small), (224, DEFOCUS_BLUR.large)):
        images = np.empty((0, side, side, 1))
        for severity, row in enumerate(rows, 1):
            np.testing.assert_allclose(
                defocus_kernel(severity, images), disk(*row)
            )


@pytest.mark.parametrize("spread", [0.01, 0.5, 1.0, 2.5, 7.3])
def test_a_kernel_has_the_spread_that_is_asked_for(spread):
    assert spread_of(kernel_of_spread(spread)) == pytest.approx(spread)
