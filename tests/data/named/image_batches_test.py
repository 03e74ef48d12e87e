"""Channels and ranges by arithmetic."""

import numpy as np
import pytest

from keras_plex.data.named.image_batches import to_model_images
from keras_plex.data.named.model_inputs import ImageInputs

COLOURS = np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]], "uint8")
GREY = np.array([[[[0], [51], [255]]]], "uint8")


def convert(images, channels, value_range=(0.0, 1.0)):
    return to_model_images(images, ImageInputs(None, channels, value_range))


def test_colours_become_grey_by_their_luma():
    found = convert(COLOURS, 1)
    assert found.shape == (1, 1, 3, 1)
    np.testing.assert_allclose(
        found.reshape(-1), [0.299, 0.587, 0.114], atol=1e-6
    )


def test_grey_becomes_three_equal_channels():
    found = convert(GREY, 3, (0.0, 255.0))
    assert found[0, 0].tolist() == [[0] * 3, [51] * 3, [255] * 3]


@pytest.mark.parametrize("channels", [1, None])
def test_right_channels_stay(channels):
    assert convert(GREY, channels).shape == GREY.shape


def test_range_is_that_of_the_model():
    found = convert(GREY, 1, (-1.0, 1.0))
    np.testing.assert_allclose(found.reshape(-1), [-1, -0.6, 1], atol=1e-6)
    assert found.dtype == "float32"


def test_what_resizing_made_of_black_and_white_stays_in_the_range():
    beyond = np.array([[[[-9.0], [51.0], [264.0]]]], "float32")
    found = convert(beyond, 3, (0.0, 255.0))
    assert found[0, 0].tolist() == [[0] * 3, [51] * 3, [255] * 3]
