"""A bool is no number, here; nor is it a seed."""

import pytest

from keras_plex.checks import check_seed
from keras_plex.checks import is_integer
from keras_plex.checks import is_number
from keras_plex.checks import is_positive_integer


@pytest.mark.parametrize(
    "value, expected",
    # number, integer, positive integer
    [
        (2, (True, True, True)),
        (0, (True, True, False)),
        (-1, (True, True, False)),
        (0.5, (True, False, False)),
        (float("nan"), (True, False, False)),
        (True, (False, False, False)),
        ("2", (False, False, False)),
        (None, (False, False, False)),
    ],
)
def test_each_value_is_what_it_is(value, expected):
    checks = (is_number, is_integer, is_positive_integer)
    assert tuple(check(value) for check in checks) == expected


@pytest.mark.parametrize("seed", [-1, 0.5, True, "1"])
def test_a_seed_that_is_none_raises(seed):
    with pytest.raises(ValueError, match="`seed` must be `None` or a non-neg"):
        check_seed(seed)


def test_no_seed_and_the_seed_0_pass():
    check_seed(None)
    check_seed(0)
