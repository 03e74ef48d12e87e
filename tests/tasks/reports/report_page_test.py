"""The page of a report holds all of it, whatever it is called."""

import math

import pytest

from keras_plex.tasks import TASKS
from keras_plex.tasks import Cost
from keras_plex.tasks.reports.components import number_text
from tests.report_cases import CURVES
from tests.report_cases import NASTY
from tests.report_cases import read_page
from tests.report_cases import report
from tests.report_cases import result
from tests.report_cases import value

COST = Cost(2e9, "counter", 0.001, 0.016, 32, 5, "cpu:0")


def test_every_number_is_there():
    measures = {f"{i}/ece": value(0.01 * i, higher=False) for i in range(20)}
    made = report(result("calibration", measures), cost=COST)
    page = read_page(made.to_html())
    for one in measures.values():
        for number in (one.value, one.low, one.high):
            assert number_text(number) in page.text
    assert "All 20 measures" in page.text
    assert "1,234 parameters" in page.text
    assert f"{made.reliability_score:.1f} of 100" in page.text
    assert "mean gap of confidence and accuracy" in page.text
    assert "80 % should be right" in page.text
    for text in ("2 G (counter)", "1 ms", "16 ms, 0.5 ms each", "cpu:0"):
        assert text in page.text


def test_all_curves_of_ten_tasks_are_drawn():
    kinds = [*TASKS, "few_shot", "active_learning", "x"][:10]
    results = [result(kind, {"ece": 0.1}, curves=CURVES) for kind in kinds]
    page = read_page(report(*results).to_html())
    assert len(page.classed("task")) == 10
    assert len(page.named("figure")) >= 10 * len(CURVES)


def test_names_are_text():
    curves = {
        "groups": {"names": [NASTY], "weight": [3], "accuracy": [0.5]},
        "score_histograms": {
            f"{NASTY}/msp": CURVES["score_histograms"]["a/b/msp"]
        },
        "severities": {NASTY: CURVES["severities"]["fog"]},
        NASTY: {NASTY: [1, 2], "y": {NASTY: [1, 2]}},
    }
    made = report(
        result(
            NASTY,
            {f"{NASTY}/ece": 0.1},
            category=NASTY,
            kind=NASTY,
            curves=curves,
            num_examples={NASTY: 3},
        ),
        model=NASTY,
        settings={NASTY: NASTY},
        environment={"date": NASTY},
    )
    page = read_page(made.to_html())
    assert page.text.count(NASTY) > 10


@pytest.mark.parametrize(
    "number", [math.nan, math.inf, -math.inf, 0.0, 1e9, -1e-9]
)
def test_any_number_can_be_shown(number):
    made = report(
        result(
            "a",
            {"nll": value(number), "ece": value(number)},
            curves={
                "risk_coverage": {"coverage": [0, 1], "risk": [number, number]},
                "shots": [1, 2],
                "accuracy": [number, None],
            },
        )
    )
    read_page(made.to_html())


def test_nothing_measured_is_a_page_too():
    page = read_page(report(environment={}).to_html())
    assert "undefined of 100" in page.text
    assert "not measured: pass measure_cost=True" in page.text
    empty = {name: {} for name in CURVES}
    read_page(report(result("a", {"ece": 0.1}, curves=empty)).to_html())


def test_one_figure_stands_beside_its_measures():
    curves = {"groups": CURVES["groups"]}
    one = read_page(report(result("a", {"ece": 0.1}, curves=curves)).to_html())
    assert one.classed("pair")
    two = read_page(report(result("a", {"ece": 0.1}, curves=CURVES)).to_html())
    assert not two.classed("pair")


def test_equal_counts_are_told_once():
    many = {f"fog/{i}": 30 for i in range(5)}
    made = report(result("a", {"ece": 0.1}, num_examples=many))
    assert "30 examples in each of 5 data sets." in made.to_html()
