"""Each argument of a covariance that cannot be is named."""

import pytest

from keras_plex.layers.covariance_arguments import check_covariance_arguments
from keras_plex.layers.covariance_arguments import check_state_size


@pytest.mark.parametrize("value", [0, -1.0, "1", None, True])
def test_a_ridge_must_be_positive(value):
    with pytest.raises(
        ValueError, match=f"`ridge_penalty` must be.*={value!r}"
    ):
        check_covariance_arguments(value, None)


@pytest.mark.parametrize("value", [0, 1, 1.5, -0.1, "0.9", True])
def test_a_momentum_lies_between_0_and_1(value):
    with pytest.raises(ValueError, match=f"`momentum` must be.*={value!r}"):
        check_covariance_arguments(1.0, value)


@pytest.mark.parametrize("value", [0, -2, 1.0, True, "3"])
def test_classes_are_counted_by_a_positive_integer(value):
    with pytest.raises(ValueError, match=f"`num_classes` must.*={value!r}"):
        check_covariance_arguments(1.0, None, value)


def test_a_state_that_no_machine_holds_is_refused_with_its_size():
    # 8 bytes * 21843 * 1024^2 = 170.6 GiB
    with pytest.raises(ValueError, match="21843 classes.* 171 GiB.*gaussian"):
        check_state_size(21_843, 1024)
    check_state_size(21_843, 64)
