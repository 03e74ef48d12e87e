"""Numbers, tables and the frame of a page."""

import math

import pytest

from keras_plex.tasks.reports.components import count_text
from keras_plex.tasks.reports.components import folded
from keras_plex.tasks.reports.components import grouped_table
from keras_plex.tasks.reports.components import meter
from keras_plex.tasks.reports.components import number_text
from keras_plex.tasks.reports.components import page
from keras_plex.tasks.reports.components import seconds_text
from keras_plex.tasks.reports.components import table
from keras_plex.tasks.reports.components import with_range
from keras_plex.tasks.reports.markup import Markup
from tests.report_cases import NASTY
from tests.report_cases import Page
from tests.report_cases import read_page


def test_a_page_is_whole_and_escaped():
    found = read_page(page(NASTY, NASTY))
    assert found.text.count(NASTY) == 2
    names = [meta.get("name") for meta in found.named("meta")]
    assert {"viewport", "color-scheme"} <= set(names)


def test_a_table_has_headings_for_columns_and_rows():
    found = Page(table({"A": None, "B": "num"}, [["x", 1]], "what"))
    assert [th["scope"] for th in found.named("th")] == ["col", "col", "row"]
    assert found.texts == ["what", "A", "B", "x", "1"]
    groups = [(NASTY, [["x", 1], ["y", 2]])]
    found = Page(grouped_table({"A": None, "B": "num"}, groups, "what"))
    scopes = [th["scope"] for th in found.named("th")]
    assert scopes == ["col", "col", "rowgroup", "row", "row"]


def test_long_tables_are_folded():
    assert folded(Markup("x"), 12, 12) == "x"
    assert "All 13 measures" in folded(Markup("x"), 13, 13)


@pytest.mark.parametrize(
    "number, text",
    [
        (0.12345, "0.1235"),
        (-1.0, "−1.0000"),
        (math.nan, "undefined"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (0.00003, "3e-05"),
        (-0.00003, "−3e-05"),
        (-1e-17, "0.0000"),
    ],
)
def test_numbers_are_written_for_readers(number, text):
    assert number_text(number) == text


def test_signs_of_numbers_are_written_where_they_matter():
    assert number_text(math.inf, signed=True) == "+∞"
    assert number_text(1.0, 1, signed=True) == "+1.0"


def test_a_number_without_interval_stands_alone():
    assert with_range(0.5, math.nan, math.nan) == "0.5000"
    found = Page(with_range(0.5, 0.4, 0.6, signed=True, digits=1))
    assert found.text == "+0.5+0.4 to\u00a0+0.6"


def test_a_meter_stays_in_its_frame():
    assert meter(math.nan) is None
    assert "width:100.0%" in meter(3.0) and "width:0.0%" in meter(-1.0)


def test_a_meter_shows_the_interval_either_way_round():
    for ends in ((0.2, 0.5), (0.5, 0.2)):
        assert "left:20.0%;width:30.0%" in meter(0.4, ends)
    assert "left" not in meter(0.4)


def test_times_and_counts_are_short():
    assert [seconds_text(s) for s in (0.0005, 12.0)] == ["0.5 ms", "12 s"]
    assert [count_text(c) for c in (1.5e12, 1234)] == ["1.5 T", "1.23 k"]
