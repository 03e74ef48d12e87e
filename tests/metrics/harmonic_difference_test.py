"""Sums of 1 / k, however long and wherever they begin."""

import math

import numpy as np
import pytest
from keras import ops
from scipy import integrate

from keras_plex.metrics.harmonic_difference import harmonic_difference

RUNS = [(0, 1), (0, 3), (1, 1), (7, 20), (100, 1), (10**6, 3), (12345, 67890)]


@pytest.mark.parametrize("start, count", RUNS)
def test_equals_the_sum_of_the_terms(start, count):
    expected = math.fsum(1 / k for k in range(start + 1, start + count + 1))
    exact = harmonic_difference(np.array(float(start)), float(count), np)
    assert float(exact) == pytest.approx(expected, rel=1e-14)
    single = [ops.cast(value, "float32") for value in (start, count)]
    single = harmonic_difference(*single, ops)
    assert float(single) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("start", [0.0, 0.5, 3.25, 1e5])
@pytest.mark.parametrize("count", [1e-6, 0.3, 2.5])
def test_between_whole_numbers_it_is_the_harmonic_function(start, count):
    # H(x) is the integral of (1 - t^x) / (1 - t) over [0, 1].
    def integrand(t):
        return t**start * (1 - t**count) / (1 - t)

    if start > 1e3:  # the integral is all at one end: use one step up
        expected = count / (start + (count + 1) / 2)
    else:
        expected, _ = integrate.quad(integrand, 0, 1, epsabs=1e-15)
    found = harmonic_difference(np.array(start), np.array(count), np)
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_no_examples_add_nothing():
    assert harmonic_difference(np.array(5.0), np.array(0.0), np) == 0
