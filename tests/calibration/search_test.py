"""The least point of a function, also beside a second valley."""

import numpy as np
import pytest

from keras_plex.calibration.search import minimize_on_interval


def test_it_finds_the_least_point_of_a_parabola():
    point, least = minimize_on_interval(lambda x: (x - 1.234) ** 2, (-7, 9))
    assert point == pytest.approx(1.234, abs=1e-4)
    assert least == pytest.approx(0.0, abs=1e-7)


def test_of_two_valleys_it_takes_the_deeper():
    def loss(x):
        return min((x + 3) ** 2, (x - 4) ** 2 - 0.5)

    point, least = minimize_on_interval(loss, (-7, 9))
    assert point == pytest.approx(4.0, abs=1e-4)
    assert least == pytest.approx(-0.5, abs=1e-7)


def test_a_falling_loss_ends_at_the_bound():
    point, _ = minimize_on_interval(lambda x: -x, (-1.0, 1.0))
    assert point == pytest.approx(1.0, abs=0.1)
    assert np.isfinite(point)
