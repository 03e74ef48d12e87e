"""Known curves have their drawing, others are lines."""

import pytest

from keras_plex.tasks.reports.figures import BY_MODEL
from keras_plex.tasks.reports.figures import DRAWERS
from keras_plex.tasks.reports.figures import draw_curves
from keras_plex.tasks.reports.figures import shares_figures
from tests.report_cases import CURVES
from tests.report_cases import Page


def titles(curves):
    return [Page(one).texts[0] for one in draw_curves(curves)]


@pytest.mark.parametrize("name", DRAWERS)
def test_each_known_curve_is_drawn(name):
    assert draw_curves({"": {name: CURVES[name]}})
    assert draw_curves({"a": {name: CURVES[name]}, "b": {}})


def test_lists_are_lines_against_the_first():
    curves = {"shots": [1, 5], "accuracy": [0.1, 0.2], "ece": [0.3, 0.1]}
    assert titles({"": curves}) == [
        "Accuracy against shots",
        "ECE against shots",
    ]
    nested = {"of_my_own": curves}
    assert titles({"": nested}) == titles({"": curves})


def test_models_and_series_share_a_chart():
    curves = {"labels": [1, 2], "accuracy": {"margin": [0, 1], "all": [1, 1]}}
    [made] = draw_curves({"a": curves, "b": curves})
    names = ["a, margin", "a, all", "b, margin", "b, all"]
    assert Page(made).texts[-4:] == names


@pytest.mark.parametrize(
    "curves",
    [{}, {"shots": []}, {"shots": [1]}, {"x": "text"}, {"x": [[1], [2]]}],
)
def test_what_is_no_curve_is_left_out(curves):
    assert draw_curves({"": curves}) == []


def test_lists_of_another_length_are_left_out():
    assert draw_curves({"": {"shots": [1, 2], "seeds": [1, 2, 3]}}) == []


def test_models_that_share_figures_need_a_legend():
    apart = {"confidence": CURVES["confidence"]}
    assert not shares_figures({"a": apart, "b": apart})
    assert shares_figures({"a": apart, "b": {"groups": CURVES["groups"]}})
    assert BY_MODEL <= set(DRAWERS)
