"""Each argument of a Gaussian-process layer that cannot be is named."""

import types

import pytest

from keras_plex.checks import is_number
from keras_plex.layers.gp_arguments import check_context_fits
from keras_plex.layers.gp_arguments import check_gp_arguments

GOOD = {
    "units": 3,
    "num_features": 1024,
    "kernel": "rbf",
    "length_scale": 1.0,
    "ridge_penalty": 1.0,
    "momentum": None,
    "likelihood": "gaussian",
    "mean_function": "zero",
    "mean_field_factor": None,
    "seed": None,
    "orthogonal": True,
    "num_samples": 0,
    "context_dim": 0,
}


def check(**changes):
    check_gp_arguments(types.SimpleNamespace(**{**GOOD, **changes}))


@pytest.mark.parametrize(
    "changes",
    [{}, {"mean_field_factor": 0}, {"momentum": 0.9}, {"length_scale": 2}],
)
def test_arguments_that_can_be_pass(changes):
    check(**changes)


@pytest.mark.parametrize("name", ["kernel", "likelihood", "mean_function"])
@pytest.mark.parametrize("value", ["no_such", None, 3, ["rbf"]])
def test_an_unknown_name_lists_what_exists(name, value):
    kind = name.replace("_", " ")
    with pytest.raises(ValueError, match=f"Unknown {kind}: .* Available: "):
        check(**{name: value})


@pytest.mark.parametrize("name", ["units", "num_features", "length_scale"])
@pytest.mark.parametrize("value", [0, -1, "3", None, True, float("nan")])
def test_a_size_that_is_not_positive_raises(name, value):
    with pytest.raises(ValueError) as error:
        check(**{name: value})
    kind = "positive" if name == "length_scale" else "a positive integer"
    assert f"`{name}` must be {kind}" in str(error.value)
    assert f"{name}={value!r}" in str(error.value)


@pytest.mark.parametrize("value", [-1.0, "5", True, float("nan")])
def test_a_mean_field_factor_below_0_raises(value):
    with pytest.raises(ValueError) as error:
        check(mean_field_factor=value)
    assert "`mean_field_factor` must be" in str(error.value)
    assert f"mean_field_factor={value!r}" in str(error.value)


def test_a_number_is_an_int_or_a_float_and_no_bool():
    assert is_number(1) and is_number(0.5)
    assert not any(is_number(value) for value in (True, "1", None, [1]))


@pytest.mark.parametrize("value", [-1, 2.0, "3", None, True])
def test_a_context_that_is_no_size_raises(value):
    with pytest.raises(ValueError) as error:
        check(context_dim=value)
    assert "`context_dim` must be a non-negative integer" in str(error.value)
    assert f"context_dim={value!r}" in str(error.value)


def test_a_context_leaves_something_of_an_input():
    check_context_fits(0, (None, 1))
    check_context_fits(3, (None, 4))
    with pytest.raises(ValueError, match=r"context_dim=4, .*\(None, 4\)"):
        check_context_fits(4, (None, 4))
