"""Wilson's interval, against SciPy and by hand."""

import numpy as np
import pytest

from keras_plex.plots.intervals import wilson_interval


def test_wilson_interval_of_ten_successes_in_ten():
    # Wilson: n / (n + z^2) = 10 / 13.8415
    low, high = wilson_interval(np.array([1.0]), np.array([10.0]))
    assert low == pytest.approx(0.72246, abs=1e-5)
    assert high == 1.0


def test_wilson_interval_covers_its_share():
    share = np.linspace(0, 1, 11)
    low, high = wilson_interval(share, np.full(11, 7.0))
    assert (low <= share).all() and (share <= high).all()
    np.testing.assert_allclose(low, 1 - high[::-1], atol=1e-12)


def test_wilson_interval_equals_scipy():
    from scipy.stats import binomtest

    expected = binomtest(3, 20).proportion_ci(0.95, method="wilson")
    low, high = wilson_interval(np.array([0.15]), np.array([20.0]))
    np.testing.assert_allclose([low[0], high[0]], expected, atol=1e-6)
