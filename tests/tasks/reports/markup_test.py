"""What is not markup is escaped, wherever it stands."""

from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.markup import breakable
from keras_plex.tasks.reports.markup import element
from keras_plex.tasks.reports.markup import join
from tests.report_cases import NASTY
from tests.report_cases import Page


def test_names_are_escaped_as_text_and_as_attributes():
    page = Page(element("p", NASTY, title=NASTY))
    assert page.tags == [("p", {"title": NASTY})]
    assert page.text == NASTY
    assert not page.named("script")


def test_markup_stays_and_nothing_is_left_out():
    inner = element("b", "x")
    assert element("p", [inner, None, ["&", 1]]) == "<p><b>x</b>&amp;1</p>"
    assert isinstance(join([inner]), Markup)


def test_attributes_are_written_as_html_has_them():
    made = element("meta", class_="a", aria_label="b", title=None, x=1.25)
    assert made == '<meta class="a" aria-label="b" x="1.2">'


def test_names_break_without_another_text():
    assert breakable("a_b/c") == "a_<wbr>b/<wbr>c"
    assert Page(breakable(f"{NASTY}_/_")).text == f"{NASTY}_/_"
