"""An example's numbers depend on its key, and on nothing else."""

import numpy as np
import pytest

from keras_plex.data.corruptions.randomness import check_example_seed
from keras_plex.data.corruptions.randomness import example_generators
from keras_plex.data.corruptions.randomness import normal
from keras_plex.data.corruptions.randomness import uniform

KEY = (0, "fog", 1)


def test_an_index_has_its_generator_in_any_batch():
    whole = normal(example_generators(*KEY, range(10)), (3, 4))
    part = normal(example_generators(*KEY, [7, 2]), (3, 4))
    np.testing.assert_array_equal(part, whole[[7, 2]])


@pytest.mark.parametrize(
    "other", [(1, "fog", 1, [0]), (0, "snow", 1, [0]), (0, "fog", 2, [0])]
)
def test_seed_name_and_severity_each_change_the_numbers(other):
    first = uniform(example_generators(*KEY, [0, 1]), (4,))
    second = uniform(example_generators(*other), (4,))
    assert not np.any(np.isin(second, first))


def test_uniform_numbers_lie_between_their_bounds():
    numbers = uniform(example_generators(*KEY, range(2000)), low=-45, high=45)
    assert numbers.shape == (2000,) and numbers.dtype == "float32"
    assert numbers.min() >= -45 and numbers.max() <= 45
    assert abs(numbers.mean()) < 3 * 90 / np.sqrt(12 * 2000)


def test_normal_numbers_are_standard():
    numbers = normal(example_generators(*KEY, range(10)), (50, 50))
    assert abs(numbers.mean()) < 0.02 and abs(numbers.std() - 1) < 0.02


@pytest.mark.parametrize("value", [-1, 1.0, None, True])
def test_bad_seeds_and_offsets_are_an_error(value):
    with pytest.raises(ValueError, match="`seed` must be an integer of at"):
        check_example_seed(value, 0)
    with pytest.raises(ValueError, match="`offset` must be an integer of at"):
        check_example_seed(0, value)
