"""Every measure has a direction and a scale."""

import math

import pytest

from keras_plex.tasks import MEASURES
from keras_plex.tasks.measures import find_measure


@pytest.mark.parametrize("name", MEASURES)
def test_perfect_is_one_and_worst_is_zero(name):
    measure = MEASURES[name]
    ends = [measure.lowest, measure.highest]
    if not measure.higher_is_better:
        ends.reverse()
    worst, best = (measure.normalize(end, num_classes=10) for end in ends)
    assert worst == 0
    # What a shift costs may also be less than nothing.
    assert best == 1


def test_a_forecast_that_knows_nothing_counts_as_zero():
    nll = MEASURES["nll"]
    assert nll.normalize(math.log(10), 10) == 0
    assert nll.normalize(math.log(10) / 4, 10) == pytest.approx(0.75)


def test_half_the_largest_brier_score_counts_as_a_half():
    assert MEASURES["brier"].normalize(1.0, 10) == 0.5


def test_nan_stays_nan():
    for name in ("accuracy", "nll"):
        assert math.isnan(MEASURES[name].normalize(math.nan, 10))


def test_the_last_part_of_a_name_counts():
    assert find_measure("mnist/msp/auroc") is MEASURES["auroc"]
    with pytest.raises(ValueError, match="Unknown measure: 'speed'"):
        find_measure("mnist/speed")
