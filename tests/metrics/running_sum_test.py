"""Running sums equal NumPy's, and stay exact in float32."""

import numpy as np
import pytest
from keras import ops

from keras_plex.metrics.running_sum import running_sum
from keras_plex.metrics.running_sum import sum_before


@pytest.mark.parametrize("size", [1, 2, 3, 10, 100, 1001])
def test_equals_a_plain_running_sum(size):
    values = np.random.default_rng(0).uniform(size=size)
    expected = np.cumsum(values)
    np.testing.assert_allclose(running_sum(values, np), expected, rtol=1e-14)
    np.testing.assert_allclose(
        sum_before(values, np), expected - values, atol=1e-12
    )


def test_float32_errors_do_not_pile_up():
    values = np.random.default_rng(0).uniform(size=65536).astype("float32")
    sums = ops.convert_to_numpy(running_sum(ops.convert_to_tensor(values), ops))
    exact = np.cumsum(values, dtype="float64")
    # Not 65536 roundings of 6e-8, but some 500, most of which cancel.
    assert np.abs(sums / exact - 1).max() < 1e-6
