"""A point for each example."""

from keras_plex.tasks.reports.scatter import draw_entropies
from tests.report_cases import CURVES
from tests.report_cases import Page


def test_each_example_is_a_point():
    [made] = draw_entropies({"": CURVES["entropies"]})
    page = Page(made)
    assert len(page.classed("speck")) == 2
    assert "2 examples, in nats." in page.text


def test_models_have_equal_axes_and_nothing_draws_nothing():
    both = {"a": CURVES["entropies"], "b": CURVES["entropies"]}
    assert len(draw_entropies(both)) == 2
    assert draw_entropies({"": {"annotators": [], "forecast": []}}) == []
