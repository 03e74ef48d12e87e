"""A chart is one SVG with a text for those who do not see it."""

import math

from keras_plex.tasks.reports.chart import Chart
from keras_plex.tasks.reports.chart import figure
from keras_plex.tasks.reports.chart import legend
from keras_plex.tasks.reports.chart import swatches
from tests.report_cases import NASTY
from tests.report_cases import Page


def make_chart():
    return Chart(NASTY, x=(0, 1), y=(0, 2))


def test_it_says_what_it_shows():
    [found] = Page(make_chart().render()).named("svg")
    assert found["aria-label"] == NASTY and found["role"] == "img"
    assert "width" not in found, "it fits where it stands"


def test_a_line_breaks_where_a_number_is_missing():
    chart = make_chart()
    chart.line((0, 0.5, 0.7, 1), (0, 1, math.nan, 2), kind="line s0")
    [(_, found)] = Page(chart.render()).classed("line")
    assert found["d"].count("M") == 2 and found["d"].count("L") == 1
    chart = make_chart()
    chart.line((0, 1), (math.nan, math.nan))
    assert not Page(chart.render()).classed("line")


def test_a_bar_covers_its_range():
    chart = make_chart()
    chart.bar((0.0, 0.5), (2.0, 0.0), "bar")
    [found] = Page(chart.render()).named("rect")
    width = chart.x(0.5) - chart.x(0.0)
    assert float(found["width"]) == width
    assert float(found["y"]) == chart.y(2.0)


def test_steps_end_where_they_began():
    chart = make_chart()
    chart.steps((0, 0.5, 1), (1, 2), "area a0")
    [found] = Page(chart.render()).named("path")
    assert found["d"].endswith("Z") and found["d"].count("H") == 2


def test_names_stand_below_and_above():
    page = Page(figure("t<", legend(["a<b", "c"]), note="n&"))
    assert page.text == "t<n&a<bc"
    assert legend([""]) is None
    assert Page(swatches({"bar": "x&y"})).text == "x&y"
