"""Groups from the worst on, twenty at most."""

import re

from keras_plex.tasks.reports.groups import draw_groups
from keras_plex.tasks.reports.groups import draw_shifted
from keras_plex.tasks.reports.groups import shortened
from tests.report_cases import CURVES
from tests.report_cases import Page


def test_the_worst_is_on_top():
    [made] = draw_groups({"": CURVES["groups"]})
    page = Page(made)
    assert page.text.index("b") < page.text.rindex("a")
    [label] = [s["aria-label"] for s in page.named("svg")]
    assert label == "Accuracy by group: 2 in all. The worst is b with 0.250."
    assert len(page.classed("mark")) == 2 and len(page.classed("thin")) == 2


def test_of_many_the_worst_are_shown():
    names = [f"g{i:03d}" for i in range(130)]
    many = {
        "names": names,
        "weight": [10] * 130,
        "accuracy": [i / 130 for i in range(130)],
    }
    [made] = draw_groups({"": many})
    page = Page(made)
    assert "The 20 worst of 130 groups." in page.text
    assert sorted(set(re.findall("g[0-9]{3}", page.text))) == names[:20]


def test_models_share_a_row_and_may_lack_a_group():
    one = {"names": ["a"], "weight": [4], "accuracy": [0.5]}
    [made] = draw_groups({"x": CURVES["groups"], "y": one})
    page = Page(made)
    assert len(page.classed("mark")) == 3
    assert [tag for tag, found in page.classed("s1")] == ["path", "path"]


def test_data_sets_are_drawn_likewise():
    [made] = draw_shifted({"": CURVES["shifted"]})
    assert "Accuracy by data set" in Page(made).text
    nothing = {"names": [], "weight": [], "accuracy": []}
    assert draw_shifted({"": nothing}) == []


def test_a_long_name_is_there_whole_for_those_who_ask():
    name = "north" * 30
    curve = {"names": [name], "weight": [1], "accuracy": [1.0]}
    [made] = draw_groups({"": curve})
    texts = Page(made).texts
    assert name in texts and shortened(name) in texts
    assert len(shortened(name)) <= 47
