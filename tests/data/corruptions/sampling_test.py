"""Images read between their pixels."""

import numpy as np
from scipy import ndimage

from keras_plex.data.corruptions.sampling import sampled
from keras_plex.data.corruptions.sampling import zoomed

IMAGES = np.random.default_rng(0).random((3, 9, 7, 2)).astype("float32")


def test_sampled_is_scipys_linear_interpolation_mirrored_at_the_edge():
    rows, columns = np.random.default_rng(1).uniform(-8, 16, (2, 3, 9, 7))
    found = sampled(IMAGES, rows, columns)
    for example in range(3):
        for channel in range(2):
            expected = ndimage.map_coordinates(
                IMAGES[example, ..., channel],
                [rows[example], columns[example]],
                order=1,
                mode="mirror",
            )
            np.testing.assert_allclose(
                found[example, ..., channel], expected, atol=1e-5
            )


def test_pixels_read_at_their_own_places_are_themselves():
    rows, columns = np.indices((9, 7))[:, None].repeat(3, axis=1)
    np.testing.assert_allclose(sampled(IMAGES, rows, columns), IMAGES, 1e-5)
    np.testing.assert_allclose(zoomed(IMAGES, 1.0), IMAGES, 1e-5)


def test_zoom_of_two_shows_the_middle_half():
    ramp = np.arange(8.0)[None, :, None, None] * np.ones((1, 8, 8, 1))
    found = zoomed(ramp, 2.0)[0, :, 0, 0]
    # From 3.5 - 3.5 / 2 to 3.5 + 3.5 / 2, in steps of a half.
    np.testing.assert_allclose(found, np.arange(1.75, 5.5, 0.5))
