"""Errors under corruption as multiples of a baseline's."""

import pytest

from keras_plex.metrics import ALEXNET_ERRORS
from keras_plex.metrics import mean_corruption_error

STOCK = {"clean": 0.1, "fog": [0.2, 0.6], "snow": [0.5, 0.5]}


def test_a_model_is_as_good_as_itself():
    assert mean_corruption_error(STOCK, STOCK) == pytest.approx(1)
    assert mean_corruption_error(STOCK, STOCK, relative=True) == pytest.approx(
        1
    )
    assert mean_corruption_error(ALEXNET_ERRORS) == pytest.approx(1)


def test_errors_are_averaged_over_severities_before_they_are_divided():
    # 0.4 / 0.4, although 0.4 / 0.2 and 0.4 / 0.6.
    assert mean_corruption_error({"fog": [0.4, 0.4]}, STOCK) == pytest.approx(1)


def test_corruptions_count_alike_whatever_their_size():
    errors = {"fog": 0.2, "snow": 0.5}  # a half, and one
    assert mean_corruption_error(errors, STOCK) == pytest.approx(0.75)


def test_the_relative_error_is_that_of_what_is_lost():
    errors = {"clean": 0.2, "fog": [0.3, 0.4], "snow": [0.4, 0.4]}
    # (0.35 - 0.2) / (0.4 - 0.1), (0.4 - 0.2) / (0.5 - 0.1)
    found = mean_corruption_error(errors, STOCK, relative=True)
    assert found == pytest.approx(0.5)


def test_resnet_50_has_its_published_value():
    # Corruption errors of ResNet-50, in percent of AlexNet's (Hendrycks and
    # Dietterich, 2019, table 1), whose mean is printed as 76.7.
    percents = (80, 82, 83, 75, 89, 78, 80, 78, 75, 66, 57, 71, 85, 77, 77)
    names = [name for name in ALEXNET_ERRORS if name != "clean"]
    errors = {
        name: percent / 100 * ALEXNET_ERRORS[name]
        for name, percent in zip(names, percents, strict=True)
    }
    assert mean_corruption_error(errors) == pytest.approx(0.767, abs=0.005)


def test_a_corruption_that_the_baseline_lacks_is_an_error():
    with pytest.raises(ValueError, match="corruption in `baseline_errors`"):
        mean_corruption_error({"spatter": 0.5})
    with pytest.raises(ValueError, match="Unknown error in `errors`: 'clean'"):
        mean_corruption_error({"fog": 0.5}, relative=True)


@pytest.mark.parametrize(
    "errors, message",
    [
        ({"fog": [76.0, 80.0]}, "divide percents by 100"),
        ({"fog": [float("nan"), 0.5]}, "shares from 0 to 1"),
        ({"fog": []}, "at least one"),
        ({"fog": [0.1, 0.2, 0.3]}, "errors of the same severities"),
        ({"clean": 0.1}, "must hold a corruption"),
        ({}, "must hold a corruption"),
    ],
)
def test_bad_errors_are_an_error(errors, message):
    with pytest.raises(ValueError, match=message):
        mean_corruption_error(errors, STOCK)


def test_a_baseline_that_feels_nothing_measures_nothing():
    with pytest.raises(ValueError, match="more errors .* than none"):
        mean_corruption_error({"fog": 0.1}, {"fog": 0.0})
    feels_nothing = {"clean": 0.1, "fog": 0.1}
    with pytest.raises(ValueError, match="more errors .* than without it"):
        mean_corruption_error(feels_nothing, feels_nothing, relative=True)
