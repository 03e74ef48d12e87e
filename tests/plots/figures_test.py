"""Lines are told apart without hue, and every name fits."""

import sys

import numpy as np
import pytest

from keras_plex.plots.figures import DARK
from keras_plex.plots.figures import LIGHT
from keras_plex.plots.figures import LINE_COLORS
from keras_plex.plots.figures import by_name
from keras_plex.plots.figures import legend_below
from keras_plex.plots.figures import line_style
from keras_plex.plots.figures import new_figure
from keras_plex.plots.figures import probabilities_of
from keras_plex.plots.figures import required_labels
from keras_plex.plots.figures import short_counts
from keras_plex.plots.figures import shown
from keras_plex.plots.figures import thinned
from keras_plex.plots.figures import tidy
from keras_plex.plots.figures import titled
from keras_plex.predictions import Predictions
from tests.plots.looks import assert_legible
from tests.plots.looks import assert_told_apart
from tests.plots.looks import lightness


def test_colors_of_lines_differ_in_grey_and_without_green_cones():
    assert_told_apart(LINE_COLORS)


def test_fills_differ_by_forty_in_grey():
    assert_told_apart([LIGHT, DARK])
    assert lightness(LIGHT) - lightness(DARK) >= 40


def test_lines_stand_out_from_the_paper():
    assert max(map(lightness, LINE_COLORS)) <= 80


def test_red_and_green_of_one_lightness_are_found():
    with pytest.raises(AssertionError):
        assert_told_apart(["#c00000", "#007800"])


def test_texts_on_each_other_outside_or_tiny_are_found():
    for place, size in (((0.5, 0.5), 10), ((0.98, 0.9), 10), ((0.1, 0.1), 5)):
        figure = new_figure(3, 2)
        figure.text(0.52, 0.52, "first")
        figure.text(*place, "second", fontsize=size)
        with pytest.raises(AssertionError, match="second"):
            assert_legible(figure)


def test_dashes_and_markers_differ_where_colors_repeat():
    styles = [line_style(index) for index in range(28)]
    for name in ("linestyle", "marker", "color"):
        assert len({str(style[name]) for style in styles[:4]}) == 4
    looks = {
        (style["color"], str(style["linestyle"]), style["marker"])
        for style in styles
    }
    assert len(looks) == 28


@pytest.mark.parametrize("num_points", [1, 2, 1999, 2000, 2001, 10**6])
def test_thinned_points_keep_both_ends_and_their_order(num_points):
    kept = thinned(num_points)
    assert kept[0] == 0 and kept[-1] == num_points - 1
    assert len(kept) == min(num_points, 2000)
    assert (np.diff(kept) > 0).all()


def test_one_item_has_no_name_and_several_keep_theirs():
    assert by_name(1) == {"": 1}
    assert by_name({"a": 1, "b": 2}) == {"a": 1, "b": 2}


def test_names_are_texts_that_differ():
    assert by_name({1: "a", (2, 3): "b"}) == {"1": "a", "(2, 3)": "b"}
    with pytest.raises(ValueError, match=r"must differ.*Received: \[1, '1'\]"):
        by_name({1: "a", "1": "b"})


def test_no_items_are_an_error():
    with pytest.raises(ValueError, match="`unknown` is empty"):
        by_name({}, "unknown")


def test_an_item_that_is_none_is_an_error():
    with pytest.raises(ValueError, match=r"`predictions` must be .*None"):
        by_name(None)
    with pytest.raises(ValueError, match=r"`predictions\['a'\]` must be"):
        by_name({"a": None})


def test_missing_labels_are_an_error():
    with pytest.raises(ValueError, match="A test diagram needs the true lab"):
        required_labels(None, "test diagram")
    assert required_labels([0, 1], "test diagram").tolist() == [0, 1]


def test_forecast_of_predictions_and_of_arrays():
    array = np.array([[0.25, 0.75]])
    predictions = Predictions.from_outputs(array, "probabilities")
    np.testing.assert_array_equal(probabilities_of(predictions), array)
    np.testing.assert_array_equal(probabilities_of(array.tolist()), array)


def test_long_names_keep_their_ends_on_short_lines():
    name = shown("begin " + "x" * 500 + " end")
    assert name.startswith("begin") and name.endswith("end")
    assert len(name) <= 55 and max(map(len, name.split("\n"))) <= 28


def test_short_names_stay_on_the_line_of_the_number():
    assert titled("plex", "ECE 0.1") == "plex: ECE 0.1"
    assert titled("", "ECE 0.1") == "ECE 0.1"
    assert titled("n" * 25, "ECE 0.1") == "n" * 25 + ":\nECE 0.1"


@pytest.mark.parametrize("name", ["$\\frac$", "_hidden", "a$b", "ü" * 80])
def test_any_name_can_be_drawn(name):
    figure = new_figure(4, 3)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], label=titled(name, "AURC"))
    axes.set_title(shown(name))
    legend_below(figure, axes, num_columns=1)
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 1
    assert_legible(figure)


def test_large_counts_are_short():
    figure = new_figure(4, 3)
    axes = figure.subplots()
    axes.bar([0, 1], [20_000, 2_000_000])
    short_counts(axes.yaxis)
    tidy(axes)
    figure.draw_without_rendering()
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert "600k" in labels and "1.2M" in labels
    assert axes.yaxis.get_offset_text().get_text() == ""


def test_without_matplotlib_the_error_gives_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "keras_plex\[plots\]"'):
        new_figure(1, 1)
