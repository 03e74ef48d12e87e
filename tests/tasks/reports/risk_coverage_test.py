"""All models in one chart from no coverage to all."""

from keras_plex.tasks.reports.risk_coverage import draw_risk_coverage
from tests.report_cases import CURVES
from tests.report_cases import Page


def test_models_share_a_chart():
    curve = CURVES["risk_coverage"]
    [made] = draw_risk_coverage({"a": curve, "b": curve})
    page = Page(made)
    assert len(page.classed("line")) == 2
    assert {"0", "1"} <= set(page.texts)
    [label] = [one["aria-label"] for one in page.named("svg")]
    assert "; a 0.1 at 0.5 to 0.2 at 1; b 0.1 at 0.5" in label


def test_no_points_no_chart():
    assert draw_risk_coverage({"": {"coverage": [], "risk": []}}) == []
