"""Numbers get places and round ticks."""

import math

import numpy as np
import pytest

from keras_plex.tasks.reports.axis import Axis
from keras_plex.tasks.reports.axis import nice_ticks
from keras_plex.tasks.reports.axis import padded_range
from keras_plex.tasks.reports.axis import range_of
from keras_plex.tasks.reports.axis import ticks_at
from keras_plex.tasks.reports.axis import wants_log


def test_an_axis_is_a_straight_line_that_ends():
    axis = Axis(0.0, 2.0, 100.0, 0.0)
    assert [axis(value) for value in (0, 1, 2, 3)] == [100, 50, 0, 0]
    log = Axis(1.0, 100.0, 0.0, 10.0, scale="log")
    assert log(10.0) == pytest.approx(5.0)


@pytest.mark.parametrize("seed", range(20))
def test_ticks_are_few_round_and_within(seed):
    generator = np.random.default_rng(seed)
    low = generator.normal() * 10.0 ** generator.integers(-4, 6)
    high = low + 10.0 ** generator.uniform(-4, 6)
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 6
    assert low - 1e-6 * abs(high - low) <= ticks[0] and len(set(ticks)) > 1
    steps = np.diff(ticks)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)


@pytest.mark.parametrize("values", [[], [math.nan], [3.0], [0.0, 0.0]])
def test_there_is_always_a_range(values):
    low, high = range_of(values)
    assert low < high and math.isfinite(low + high)


def test_room_stops_at_the_ends_of_shares():
    assert padded_range([0.0, 1.0]) == (0.0, 1.0)
    assert padded_range([-1.0, 2.0]) == pytest.approx((-1.18, 2.18))


def test_ticks_at_values_do_not_overlap():
    axis = Axis(0, 100, 0, 100)
    assert ticks_at([0, 1, 2, 50, 100], axis, 30) == [0, 50, 100]


def test_a_logarithm_needs_positive_numbers_far_apart():
    assert wants_log([1, 25]) and not wants_log([0, 25])
    assert not wants_log([1, 5]) and not wants_log([])
