"""Bins stand where their confidence is."""

import pytest

from keras_plex.tasks.reports.chart import Chart
from keras_plex.tasks.reports.reliability import draw_reliability
from tests.report_cases import CURVES
from tests.report_cases import Page

CURVE = CURVES["reliability"]


def test_bars_stand_in_their_bins():
    [made] = draw_reliability({"": CURVE})
    bars = [found for _, found in Page(made).classed("bar")][:-1]
    axis = Chart("", x=(0, 1), y=(0, 1)).x
    found = [float(bar["x"]) for bar in bars]
    assert found == pytest.approx([axis(0.4), axis(0.6)], abs=0.1)


def test_the_mean_gap_is_weighted_by_examples():
    [made] = draw_reliability({"": CURVE})
    # (10 * 0.1 + 20 * -0.1) / 30
    assert "0.033 below accuracy" in Page(made).text


def test_models_have_one_each_and_counts_on_one_scale():
    other = {**CURVE, "weight": [0.0, 0.0, 60.0, 0.0, 0.0]}
    made = draw_reliability({"a": CURVE, "b": other})
    _, *each = made
    assert len(each) == 2 and all("60" in Page(one).texts for one in each)


def test_models_are_laid_over_each_other_where_they_have_examples():
    other = {**CURVE, "weight": [0.0, 0.0, 9.0, 60.0, 0.0]}
    overlaid, *_ = draw_reliability({"a": CURVE, "b": other})
    page = Page(overlaid)
    assert "all models" in page.text and "less than 10" in page.text
    assert len(page.classed("mark")) == 2 + 1


def test_no_examples_no_diagram():
    empty = {name: [] for name in CURVE}
    assert draw_reliability({"": empty}) == []
    assert draw_reliability({"": {n: [0.0] for n in CURVE}}) == []
