"""Constants meet the published ones where these are, and lie between."""

import numpy as np
import pytest

from keras_plex.data.corruptions.digital import JPEG_COMPRESSION
from keras_plex.data.corruptions.noise import GAUSSIAN_NOISE
from keras_plex.data.corruptions.noise import IMPULSE_NOISE
from keras_plex.data.corruptions.noise import SHOT_NOISE
from keras_plex.data.corruptions.severities import Severities
from keras_plex.data.corruptions.severities import check_severity

SCHEDULE = Severities(
    small=((1, 0, 2),) * 5, large=((49, 7, 14),) * 5, lengths=(2,)
)


def constants(height, width):
    return SCHEDULE.at(3, np.empty((0, height, width, 3)))


def test_published_sizes_have_the_published_constants():
    assert constants(32, 32) == [1, 0, 2]
    assert constants(224, 224) == [49, 7, 14]


def test_half_way_by_ratio_is_the_geometric_mean_or_half_from_zero():
    # 32 * sqrt(7) = 84.7: half way from 32 to 224 in the logarithm.
    np.testing.assert_allclose(constants(85, 85), [7, 3.5, 5.3], rtol=0.02)


def test_beyond_the_published_sizes_only_lengths_grow():
    assert constants(448, 448) == [49, 7, 28]
    assert constants(28, 28) == [1, 0, 1.75]


def test_the_shorter_side_counts():
    assert constants(32, 200) == constants(100, 32) == constants(32, 32)


@pytest.mark.parametrize(
    "schedule, published",
    [
        (GAUSSIAN_NOISE, [0.04, 0.08, 0.12, 0.15, 0.18]),
        (SHOT_NOISE, [250, 100, 50, 30, 15]),
        (IMPULSE_NOISE, [0.01, 0.02, 0.05, 0.08, 0.14]),
        (JPEG_COMPRESSION, [65, 58, 50, 40, 25]),
    ],
)
def test_constants_at_64_are_near_those_of_tiny_imagenet_c(schedule, published):
    images = np.empty((0, 64, 64, 3))
    found = [schedule.at(severity, images)[0] for severity in range(1, 6)]
    ratio = np.array(found) / published
    assert np.all((ratio > 0.6) & (ratio < 1.6))


@pytest.mark.parametrize("severity", [0, 6, 2.5, True, "3", None])
def test_other_severities_are_an_error(severity):
    with pytest.raises(ValueError, match="from 1, mild, to 5, strong"):
        check_severity(severity)


@pytest.mark.parametrize("severity", [1.0, True, np.float32(2), "1"])
def test_a_severity_is_an_integer(severity):
    with pytest.raises(ValueError, match="must be an integer"):
        check_severity(severity)
    check_severity(np.int64(5))
