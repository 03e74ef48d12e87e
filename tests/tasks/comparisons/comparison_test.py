"""Reports side by side, with differences, costs and files."""

import dataclasses
import json
import math
import os

import numpy as np
import pytest

from keras_plex.tasks import Comparison
from keras_plex.tasks import Cost
from keras_plex.tasks import Report
from keras_plex.tasks.reports.result import Value
from tests.report_cases import read_page
from tests.report_cases import report
from tests.report_cases import result
from tests.report_cases import value

COST = Cost(100.0, "counter", 0.1, 0.4, 8, 3, "cpu:0")


def make(accuracy, seed=0, cost=COST, **changes):
    measures = {
        "accuracy": value(accuracy, spread=0.01, seed=seed),
        "nll": value(1.0, higher=False, seed=seed),
    }
    return report(result("a", measures), cost=cost, **changes)


@pytest.fixture
def comparison():
    return Comparison.from_reports(
        {"base": make(0.7), "plex": make(0.9, 1), "same": make(0.7)}
    )


def test_each_model_has_its_distance_from_the_baseline(comparison):
    found = comparison["plex"]["a"]["accuracy"]
    assert found.difference == pytest.approx(0.2)
    assert found.verdict == "better" and found.confirmed
    assert comparison["plex"]["a"]["nll"].confirmed is None
    assert comparison["same"]["a"]["accuracy"].verdict == "within noise"
    assert comparison.score_differences["plex"].confirmed
    with pytest.raises(ValueError, match="Unknown compared model: 'base'"):
        comparison["base"]


def test_another_baseline_turns_the_sign():
    reports = {"base": make(0.7), "plex": make(0.9, 1)}
    found = Comparison.from_reports(reports, "plex")
    assert found["base"]["a"]["accuracy"].difference == pytest.approx(-0.2)
    assert found["base"]["a"]["accuracy"].verdict == "worse"


def test_measures_of_one_model_alone_have_no_difference():
    other = report(result("a", {"accuracy": 0.5, "auroc": 0.5}))
    found = Comparison.from_reports({"x": make(0.7), "y": other})
    assert set(found["y"]["a"]) == {"accuracy"}


def test_costs_are_multiples_of_the_baseline():
    twice = dataclasses.replace(COST, flops=200.0, seconds_one=0.3)
    reports = {"x": make(0.7), "y": make(0.7, cost=twice, parameters=2468)}
    found = Comparison.from_reports(reports).cost_ratios()["y"]
    assert found == pytest.approx(
        {
            "parameters": 2.0,
            "flops": 2.0,
            "seconds_one": 3.0,
            "seconds_batch": 1.0,
        }
    )


@pytest.mark.parametrize(
    "changes, unknown",
    [
        ({"cost": None}, {"flops", "seconds_one", "seconds_batch"}),
        (
            {"cost": dataclasses.replace(COST, batch_size=4)},
            {"seconds_one", "seconds_batch"},
        ),
        ({"cost": dataclasses.replace(COST, flops=None)}, {"flops"}),
        (
            {"cost": dataclasses.replace(COST, device="gpu:0")},
            {"seconds_one", "seconds_batch"},
        ),
        (
            {"environment": {"backend": "jax", "platform": "linux"}},
            {"flops", "seconds_one", "seconds_batch"},
        ),
        (
            {"environment": {"backend": "tensorflow", "platform": "mac"}},
            {"seconds_one", "seconds_batch"},
        ),
    ],
)
def test_costs_of_other_machines_are_no_multiples(changes, unknown):
    reports = {"x": make(0.7), "y": make(0.7, **changes)}
    found = Comparison.from_reports(reports).cost_ratios()["y"]
    assert {name for name, one in found.items() if math.isnan(one)} == unknown


def test_json_names_its_schema_and_its_differences(comparison):
    found = json.loads(comparison.to_json())
    assert found["schema"] == "keras_plex.comparison/3"
    assert set(found) == {
        "schema",
        "baseline",
        "models",
        "scores",
        "left_out",
        "score_differences",
        "differences",
        "cost_ratios",
    }
    assert found["baseline"] == "base"
    assert found["models"]["plex"]["schema"] == "keras_plex.report/4"
    assert set(found["differences"]["plex"]["a"]["accuracy"]) == {
        "value",
        "baseline_value",
        "difference",
        "low",
        "high",
        "higher_is_better",
        "confirmed",
        "verdict",
    }
    assert found["differences"]["same"]["a"]["nll"]["verdict"] == "within noise"


def test_saved_reports_give_the_same_comparison(tmp_path, comparison):
    loaded = {
        name: Report.load(one.save(tmp_path / name))
        for name, one in comparison.reports.items()
    }
    found = Comparison.from_reports(loaded, "base")
    assert found.to_json() == comparison.to_json()


def test_saved_reports_with_an_infinite_nll_do_too(tmp_path):
    nothing = Value(math.inf, math.nan, math.nan, False, np.full(50, np.inf))
    reports = {
        name: report(
            result("a", {"accuracy": value(0.7, spread=0.01)}),
            result("b", {"nll": nll}),
        )
        for name, nll in (
            ("base", nothing),
            ("same", nothing),
            ("plex", value(0.5, spread=0.01, higher=False)),
        )
    }
    live = Comparison.from_reports(reports)
    loaded = Comparison.from_reports(
        {
            name: Report.load(one.save(tmp_path / name))
            for name, one in reports.items()
        }
    )
    assert live.score_differences["plex"].verdict == "better"
    assert loaded.score_differences == live.score_differences
    assert loaded.to_json() == live.to_json()
    assert loaded.to_html() == live.to_html()
    assert loaded.to_markdown() == live.to_markdown()
    nll = json.loads(live.to_json())["differences"]["plex"]["b"]["nll"]
    assert (nll["baseline_value"], nll["difference"]) == (
        "Infinity",
        "-Infinity",
    )
    assert "| -∞ unknown |" in live.to_markdown()
    assert "−∞" in read_page(live.to_html()).text


def test_what_is_no_report_is_refused():
    reports = {"a": make(0.7), "b": "runs/b"}
    message = r"`reports\['b'\]`.*`Report.load\(path\)`.*Received: 'runs/b'"
    with pytest.raises(ValueError, match=message):
        Comparison.from_reports(reports)


def test_it_is_saved_whole(tmp_path, comparison):
    directory = comparison.save(tmp_path / "all")
    comparison.save(directory)
    assert sorted(os.listdir(directory)) == [
        "comparison.html",
        "comparison.json",
        "comparison.md",
    ]
    with pytest.raises(ValueError, match="holds other files"):
        comparison.reports["base"].save(directory)


def test_scores_and_their_differences_are_of_the_same_measures():
    def make(accuracy, auc):
        return report(
            result("a", {"accuracy": value(accuracy, spread=0.01)}),
            result("b", {"calibration_auc": value(auc, spread=0.01)}),
        )

    # The second makes no error, so that none can be found.
    reports = {"base": make(0.8, 0.9), "best": make(0.828, math.nan)}
    comparison = Comparison.from_reports(reports)
    found = comparison.to_dict()
    scores = {k: one["reliability_score"] for k, one in found["scores"].items()}
    assert scores == pytest.approx({"base": 80.0, "best": 82.8})
    assert found["scores"]["base"]["category_scores"] == pytest.approx(
        {"uncertainty": 80.0}
    )
    assert found["left_out"] == [
        {"task": "b", "measure": "calibration_auc", "models": ["best"]}
    ]
    difference = comparison.score_differences["best"]
    assert difference.difference == pytest.approx(2.8)
    assert (difference.value, difference.baseline_value) == pytest.approx(
        (82.8, 80.0)
    )
    text = comparison.to_markdown()
    assert "| base | 80.0 | baseline |" in text
    assert "| best | 82.8 | +2.8 [" in text
    note = "Left out: calibration_auc of b, undefined for best."
    assert note in text
    page = read_page(comparison.to_html()).text
    assert "80.0" in page and "82.8" in page and "85.0" not in page
    assert "Left out:" in page and "undefined for best" in page
    whole = Comparison.from_reports({"x": make(0.8, 0.9), "y": make(0.8, 0.9)})
    assert whole.to_dict()["left_out"] == []
    assert "Left out" not in whole.to_markdown() + whole.to_html()
