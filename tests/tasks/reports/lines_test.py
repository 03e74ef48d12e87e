"""Lines are drawn, numbered where they are many, and told in words."""

import math

from keras_plex.tasks.reports.lines import Line
from keras_plex.tasks.reports.lines import Plane
from keras_plex.tasks.reports.lines import line_figures
from keras_plex.tasks.reports.lines import numbers
from keras_plex.tasks.reports.lines import series_figures
from tests.report_cases import Page


def draw(lines, **options):
    return line_figures("T", lines, Plane("X", "Y"), **options)


def test_thirteen_lines_are_three_figures_with_equal_axes():
    lines = {f"n{i}": Line([0, 1], [i, i + 1]) for i in range(13)}
    pages = [Page(one) for one in draw(lines)]
    assert [len(page.classed("line")) // 2 for page in pages] == [6, 6, 1]
    ticks = [
        [data for data in page.texts if data.replace(".", "").isdigit()]
        for page in pages
    ]
    assert ticks[0] == ticks[1] == ticks[2]


def test_each_number_has_a_marker_and_a_tick():
    [made] = draw({"": Line([1, 5, 25], [0.1, 0.2, 0.3])})
    page = Page(made)
    assert len(page.classed("mark")) == 3 and not page.classed("legend")
    assert {"1", "5", "25"} <= set(page.texts)


def test_what_cannot_be_drawn_is_left_out():
    assert draw({"a": Line([], []), "b": Line([1], [math.nan])}) == []
    assert len(draw({"a": Line([1], [2])})) == 1


def test_the_ends_are_told_in_words():
    [made] = draw({"fog": Line([0, 5], [0.9, 0.5])})
    chart, _ = Page(made).named("svg")
    assert chart["aria-label"] == "T: Y against X; fog 0.9 at 0 to 0.5 at 5."


def test_none_is_not_a_number():
    found = numbers([1, None])
    assert found[0] == 1.0 and math.isnan(found[1])


def test_series_of_one_model_share_a_figure():
    lines = {"a": Line([0, 1], [0, 1]), "b": Line([0, 1], [1, 2])}
    [made] = series_figures("T", {"": lines}, Plane("X", "Y"))
    assert Page(made).texts[-2:] == ["a", "b"]


def test_series_of_several_models_have_figures_with_equal_axes():
    low = {"a": Line([0, 1], [0.1, 0.2]), "b": Line([0, 1], [0.5, 0.9])}
    made = series_figures(
        "T", {"x": low, "y": {"a": low["a"]}}, Plane("X", "Y")
    )
    pages = [Page(one) for one in made]
    assert [page.texts[0] for page in pages] == ["T: a", "T: b"]
    assert pages[0].texts[1:] == pages[1].texts[1:]
    assert not pages[0].classed("legend")
    assert len(pages[0].classed("line")) == 2


def test_many_models_are_named_in_each_figure():
    models = {f"m{i}": {"": Line([0, 1], [0, i])} for i in range(7)}
    made = series_figures("T", models, Plane("X", "Y"))
    assert [len(Page(one).classed("legend")) for one in made] == [1, 1]
