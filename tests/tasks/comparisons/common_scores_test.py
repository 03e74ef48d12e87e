"""Scores that are compared are of the same measures."""

import math

import pytest

from keras_plex.tasks.comparisons.common_scores import lacking_by_measure
from keras_plex.tasks.comparisons.common_scores import with_common_scores
from tests.report_cases import report
from tests.report_cases import result


def make(accuracy, auc):
    return report(
        result("a", {"accuracy": accuracy}),
        result("b", {"calibration_auc": auc}, category="adaptation"),
    )


REPORTS = {"x": make(0.8, 0.6), "y": make(0.9, math.nan), "z": make(0.7, 0.9)}


def test_a_measure_that_one_lacks_counts_for_none():
    found = with_common_scores(REPORTS)
    scores = {name: one.reliability_score for name, one in found.items()}
    assert scores == pytest.approx({"x": 80.0, "y": 90.0, "z": 70.0})
    assert found["x"].category_scores["uncertainty"] == pytest.approx(80.0)
    assert math.isnan(found["x"].category_scores["adaptation"])
    assert found["x"]["b"].measures == REPORTS["x"]["b"].measures
    assert lacking_by_measure(REPORTS) == {("b", "calibration_auc"): ["y"]}


def test_a_measure_that_is_not_scored_is_lacking():
    others = {"x": make(0.8, 0.6), "y": report(*make(0.9, 0.5).results[:1])}
    others["y"] = report(
        *others["y"].results, result("b", {"auroc": 0.5, "ece": 0.1})
    )
    found = lacking_by_measure(others)
    assert found == {("b", "calibration_auc"): ["y"], ("b", "auroc"): ["x"]}


def test_where_nothing_is_lacking_reports_stay_as_they_are():
    reports = {"x": REPORTS["x"], "z": REPORTS["z"]}
    assert lacking_by_measure(reports) == {}
    assert with_common_scores(reports) == reports
