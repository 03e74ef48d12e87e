"""The page of a comparison shows each model and each difference."""

import pytest

from keras_plex.tasks import Comparison
from keras_plex.tasks import Cost
from keras_plex.tasks.reports.components import number_text
from tests.report_cases import CURVES
from tests.report_cases import NASTY
from tests.report_cases import read_page
from tests.report_cases import report
from tests.report_cases import result
from tests.report_cases import value

COST = Cost(100.0, "counter", 0.1, 0.4, 8, 3, "cpu:0")


def make(accuracy, seed=0, **changes):
    measures = {
        "accuracy": value(accuracy, spread=0.01, seed=seed),
        "ece": value(0.1, higher=False, seed=seed),
    }
    if accuracy > 0.8:
        measures["auroc"] = value(0.5)
    return report(result("a", measures, curves=CURVES), cost=COST, **changes)


def test_models_and_differences_are_there():
    comparison = Comparison.from_reports(
        {"base": make(0.7), "plex": make(0.9, 1), "same": make(0.7)}
    )
    page = read_page(comparison.to_html())
    for name in ("base", "plex", "same"):
        assert name in page.texts
    found = comparison["plex"]["a"]["accuracy"]
    for number in (found.difference, found.low, found.high):
        assert number_text(number, signed=True) in page.text
    for text in ("better ✓", "within noise", "not in baseline", "1.00 times"):
        assert text in page.text
    # One strip for each difference of the headline.
    assert len(page.classed("strip")) == 2
    assert len(page.classed("better")) > 0


def test_names_are_text():
    reports = {f"{NASTY}{i}": make(0.7, i, model=NASTY) for i in range(3)}
    page = read_page(Comparison.from_reports(reports).to_html())
    assert page.text.count(NASTY) > 10


@pytest.mark.parametrize("cost", [None, Cost(None, "why", 1, 1, 8, 3, "x")])
def test_what_is_not_known_is_called_so(cost):
    reports = {
        name: report(result("a", {"ece": value(0.1, resamples=0)}), cost=cost)
        for name in ("a", "b")
    }
    page = read_page(Comparison.from_reports(reports).to_html())
    assert "unknown" in page.text


def test_nothing_measured_is_a_page_too():
    reports = {"a": report(), "b": report()}
    page = read_page(Comparison.from_reports(reports).to_html())
    assert "undefined" in page.text
