"""One test per message of what a heteroscedastic layer cannot be."""

import math

import pytest

from keras_plex.layers import HeteroscedasticDense
from keras_plex.layers.heteroscedastic_arguments import check_temperature


def test_what_makes_sense_is_taken():
    HeteroscedasticDense(2)  # two classes are enough
    HeteroscedasticDense(1, link="sigmoid")
    HeteroscedasticDense(3, num_factors=3, parameter_efficient=True)
    HeteroscedasticDense(3, activation="softmax", temperature=[0.5, 2.0])
    HeteroscedasticDense(3, activation="linear", num_samples=1, seed=0)


def test_an_unknown_link_lists_what_exists():
    with pytest.raises(ValueError) as error:
        HeteroscedasticDense(3, link="probit")
    expected = "Unknown link: 'probit'. Available: 'softmax', 'sigmoid'."
    assert str(error.value) == expected


def test_the_softmax_of_one_unit_raises():
    with pytest.raises(ValueError, match="softmax of one unit is always 1"):
        HeteroscedasticDense(1)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_an_activation_that_is_not_the_link_raises(activation):
    with pytest.raises(ValueError) as error:
        HeteroscedasticDense(3, activation=activation)
    assert "`activation` must be `None` or 'softmax'" in str(error.value)
    assert f"activation={activation!r}" in str(error.value)


@pytest.mark.parametrize("factors", [-1, 4, 1.0, None, True])
def test_factors_that_are_not_from_0_to_units_raise(factors):
    with pytest.raises(ValueError) as error:
        HeteroscedasticDense(3, num_factors=factors)
    assert "`num_factors` must be an integer from 0" in str(error.value)
    assert f"num_factors={factors!r}, units=3" in str(error.value)


@pytest.mark.parametrize("name", ["parameter_efficient", "shared_noise"])
def test_a_switch_that_is_no_bool_raises(name):
    with pytest.raises(ValueError, match=f"`{name}` must be a bool"):
        HeteroscedasticDense(3, num_factors=1, **{name: 1})


def test_parameter_efficient_without_factors_raises():
    with pytest.raises(ValueError, match="there are none. Give `num_factors`"):
        HeteroscedasticDense(3, parameter_efficient=True)


@pytest.mark.parametrize(
    "temperature",
    [0.0, -1.0, math.inf, math.nan, "1", None, True, (1.0,), (2.0, 1.0)]
    + [(1.0, 1.0), (0.0, 1.0), (0.5, math.inf), (1, 2, 3), ()],
)
def test_a_temperature_that_is_neither_positive_nor_a_range_raises(temperature):
    with pytest.raises(ValueError) as error:
        check_temperature(temperature)
    assert "`temperature` must be a positive number, or" in str(error.value)
    assert f"temperature={temperature!r}" in str(error.value)


@pytest.mark.parametrize("name", ["num_samples", "num_training_samples"])
@pytest.mark.parametrize("value", [0, -5, 2.0, None, True])
def test_samples_that_are_not_positive_raise(name, value):
    with pytest.raises(ValueError) as error:
        HeteroscedasticDense(3, **{name: value})
    assert f"`{name}` must be a positive integer" in str(error.value)
    assert f"{name}={value!r}" in str(error.value)


@pytest.mark.parametrize("seed", [-1, 1.5, True])
def test_a_seed_that_is_no_count_raises(seed):
    with pytest.raises(ValueError, match="`seed` must be `None` or a non-neg"):
        HeteroscedasticDense(3, seed=seed)
