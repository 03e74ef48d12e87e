"""Selective metrics of groups equal the mean over the orders of the groups."""

import itertools

import numpy as np
import pytest
from keras import ops

from keras_plex.metrics.tied_selection import risk_coverage_area
from keras_plex.metrics.tied_selection import risk_coverage_area_range
from keras_plex.metrics.tied_selection import wrong_among_first

RIGHT, WRONG = np.array([2.0, 0.0, 1.0, 1.0]), np.array([1.0, 0.0, 2.0, 0.0])


def orders():
    """The errors (1) and hits (0) in every order within the groups."""
    groups = [
        set(itertools.permutations([0] * int(right) + [1] * int(wrong)))
        for right, wrong in zip(RIGHT, WRONG, strict=True)
    ]
    # Each arrangement of a group stands for as many permutations.
    for parts in itertools.product(*groups):
        yield np.concatenate([np.array(part) for part in parts])


def area(errors):
    return (np.cumsum(errors) / np.arange(1, len(errors) + 1)).sum()


def test_the_area_is_the_mean_over_all_orders():
    areas = [area(errors) for errors in orders()]
    assert risk_coverage_area(RIGHT, WRONG, np) == pytest.approx(
        np.mean(areas), rel=1e-13
    )
    lowest, highest = risk_coverage_area_range(RIGHT, WRONG, np)
    assert lowest == pytest.approx(min(areas), rel=1e-13)
    assert highest == pytest.approx(max(areas), rel=1e-13)


@pytest.mark.parametrize("amount", [0, 1, 2, 3, 4, 5, 6, 7])
def test_errors_among_the_first_are_the_mean_over_all_orders(amount):
    counts = [errors[:amount].sum() for errors in orders()]
    expected, least, most = wrong_among_first(RIGHT, WRONG, amount, np)
    assert expected == pytest.approx(np.mean(counts), rel=1e-13)
    assert (least, most) == (min(counts), max(counts))


def test_an_example_may_be_used_in_part():
    expected, least, most = wrong_among_first(RIGHT, WRONG, 1.5, np)
    assert expected == pytest.approx(0.5)
    assert (least, most) == (0.0, 1.0)


def test_float32_keeps_the_area_of_a_million_examples():
    generator = np.random.default_rng(0)
    group = generator.integers(0, 40, 50_000).astype("float64")
    wrong = generator.binomial(group.astype(int), 0.1).astype("float64")
    expected = risk_coverage_area(group - wrong, wrong, np)
    single = [
        ops.convert_to_tensor(values, "float32")
        for values in (group - wrong, wrong)
    ]
    found = float(risk_coverage_area(*single, ops))
    assert found == pytest.approx(expected, rel=1e-6)
    ranges = risk_coverage_area_range(group - wrong, wrong, np)
    for one, other in zip(
        ranges, risk_coverage_area_range(*single, ops), strict=True
    ):
        assert float(other) == pytest.approx(one, rel=1e-6)
