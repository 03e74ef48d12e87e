"""Histograms show shares, and far values do not squeeze the rest."""

import numpy as np
import pytest

from keras_plex.plots.figures import new_figure
from keras_plex.plots.histograms import bin_edges
from keras_plex.plots.histograms import draw_histograms
from keras_plex.plots.histograms import shares
from tests.plots.looks import assert_legible
from tests.plots.looks import assert_told_apart

RNG = np.random.default_rng(0)


def test_shares_are_those_of_numpy_and_sum_to_one():
    values = RNG.uniform(2, 5, 1000)
    edges = bin_edges(values)
    assert edges[0] == values.min() and edges[-1] == values.max()
    expected = np.histogram(values, edges)[0] / 1000
    np.testing.assert_allclose(shares(values, edges), expected)
    assert shares(values, edges).sum() == pytest.approx(1.0)


def test_far_and_infinite_values_are_in_the_end_bins():
    values = np.concatenate([RNG.uniform(1, 2, 1000), [1e9, -np.inf, np.inf]])
    edges = bin_edges(values)
    assert edges[-1] < 10
    found = shares(values, edges)
    assert found.sum() == pytest.approx(1.0)
    assert found[0] >= 1 / 1003 and found[-1] == pytest.approx(2 / 1003)


@pytest.mark.parametrize(
    "values",
    [[0.0] * 5, [7.0] * 5, [1e30] * 5, [], [np.inf, np.inf], [1.0, 1 + 1e-9]],
)
def test_equal_values_are_in_one_bin(values):
    values = np.array(values)
    edges = bin_edges(values)
    assert (np.diff(edges) > 0).all()
    found = shares(values, edges)
    assert np.count_nonzero(found) == min(len(values), 1)


def test_scores_from_about_zero_begin_at_zero():
    assert bin_edges(np.linspace(1e-9, 1, 50))[0] == 0.0


def test_kinds_differ_by_lightness_and_hatching():
    figure = new_figure(4, 3)
    axes = figure.subplots()
    draw_histograms(axes, {"a": RNG.uniform(size=50), "b": np.zeros(0)})
    first, second = axes.patches
    assert second.get_hatch() and not first.get_hatch()
    assert_told_apart([first.get_facecolor(), second.get_edgecolor()])
    assert second.get_data().values.sum() == 0
    assert_legible(figure)


def test_one_kind_is_enough():
    axes = new_figure(4, 3).subplots()
    draw_histograms(axes, {"all": RNG.uniform(size=50)})
    assert len(axes.patches) == 1
