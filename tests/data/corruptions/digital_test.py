"""Contrast, elastic transform, pixelate and JPEG against simple oracles."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from keras_plex.data.corruptions.digital import contrast
from keras_plex.data.corruptions.digital import elastic_transform
from keras_plex.data.corruptions.digital import jpeg_compression
from keras_plex.data.corruptions.digital import pixelate
from keras_plex.data.corruptions.randomness import example_generators

IMAGES = np.random.default_rng(0).random((2, 32, 40, 3)).astype("float32")


def digitized(corruption, severity, images=IMAGES):
    generators = example_generators(0, "any", severity, range(len(images)))
    return corruption(images, severity, generators)


def test_contrast_shrinks_deviations_and_keeps_means():
    found = digitized(contrast, 5)  # 0.15 at 32
    means = IMAGES.mean(axis=(1, 2))
    np.testing.assert_allclose(found.mean(axis=(1, 2)), means, atol=1e-5)
    np.testing.assert_allclose(
        found.std(axis=(1, 2)), 0.15 * IMAGES.std(axis=(1, 2)), rtol=1e-4
    )


@pytest.mark.parametrize("severity, share", [(1, 0.95), (4, 0.75), (5, 0.65)])
def test_pixelate_is_pillows_box_filter_there_and_back(severity, share):
    found = digitized(pixelate, severity) * 255
    small = (int(40 * share), int(32 * share))
    for image, ours in zip(IMAGES, found, strict=True):
        for channel in range(3):
            shown = Image.fromarray(image[..., channel] * 255)
            shown = shown.resize(small, Image.Resampling.BOX)
            shown = shown.resize((40, 32), Image.Resampling.BOX)
            np.testing.assert_allclose(
                ours[..., channel], np.asarray(shown), atol=1e-3
            )


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_the_file_of_pillow(channels):
    images = np.rint(IMAGES[..., :channels] * 255) / np.float32(255)
    found = digitized(jpeg_compression, 5, images)
    for image, ours in zip(images, found, strict=True):
        pixels = np.rint(image * 255).astype("uint8")
        file = io.BytesIO()
        mode = pixels[..., 0] if channels == 1 else pixels
        Image.fromarray(mode).save(file, "JPEG", quality=40)
        expected = np.asarray(Image.open(file)).reshape(pixels.shape)
        np.testing.assert_array_equal(np.rint(ours * 255), expected)


def test_jpeg_without_pillow_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pillow"):
        digitized(jpeg_compression, 1)


def test_elastic_keeps_what_is_uniform():
    images = np.full((3, 28, 50, 1), 0.4, "float32")
    for severity in range(1, 6):
        found = digitized(elastic_transform, severity, images)
        np.testing.assert_allclose(found, images, atol=1e-6)


def places(severity, side=32, count=20):
    """How far each pixel was moved, rows and columns."""
    still = np.stack(np.indices((side, side)), axis=-1).astype("float32")
    moved = digitized(elastic_transform, severity, np.stack([still] * count))
    return (moved - still)[:, 8:-8, 8:-8]


def test_first_elastic_severity_at_32_is_affine():
    second_differences = np.diff(places(1), 2, axis=1)
    np.testing.assert_allclose(second_differences, 0, atol=1e-4)


def test_elastic_moves_the_centre_within_its_corners_and_shifts():
    moved = places(1)[:, 8, 8]
    assert 0.5 < np.abs(moved).mean() < 2 * 32 * 0.08


def test_elastic_grows_more_local_with_severity():
    roughness = [
        np.abs(np.diff(places(severity), 2, axis=1)).mean()
        for severity in range(1, 6)
    ]
    assert np.all(np.diff(roughness) > 0)
