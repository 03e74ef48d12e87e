"""A report that was saved is the report."""

import json
import math

import numpy as np
import pytest

from keras_plex.tasks import Cost
from keras_plex.tasks import Report
from keras_plex.tasks.reports.result import Value
from tests.report_cases import CURVES
from tests.report_cases import read_page
from tests.report_cases import report
from tests.report_cases import result
from tests.report_cases import value

COST = Cost(12.0, "counter", 0.1, 0.4, 8, 3, "cpu:0")
SAVED = report(
    result(
        "a",
        {"ece": value(0.1, higher=False), "auroc": value(math.nan)},
        fingerprints={"test": "ab"},
        settings={"options": {"shots": [1, 5]}, "sets": {"test": None}},
        curves={"groups": CURVES["groups"]},
    ),
    cost=COST,
)


def test_it_comes_back(tmp_path):
    directory = SAVED.save(tmp_path / "report")
    for path in (directory, directory / "report.json", str(directory)):
        found = Report.load(path)
        assert found.to_json() == SAVED.to_json()
        assert found.cost == COST
        assert found["a"].fingerprints == {"test": "ab"}
        assert found["a"].settings == SAVED["a"].settings
        assert found["a"].scored == ("ece",)
        np.testing.assert_array_equal(
            found["a"]["ece"].drawn, SAVED["a"]["ece"].drawn
        )
        assert math.isnan(found["a"]["auroc"].value)


@pytest.mark.parametrize(
    "text, message",
    [
        ("years", "holds no JSON"),
        ("[]", "schema=None"),
        ('{"schema": "keras_plex.report/1"}', "evaluate and save it again"),
        ('{"schema": "keras_plex.report/4"}', "no whole report. KeyError"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, text, message):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        Report.load(tmp_path)


def test_no_file_says_what_to_pass(tmp_path):
    with pytest.raises(ValueError, match="no report.*`Report.save` wrote"):
        Report.load(tmp_path / "gone.json")


ENDLESS = report(
    result(
        "a",
        {
            "nll": Value(math.inf, math.nan, math.nan, False),
            "accuracy": value(0.8),
            "kl": Value(math.inf, math.nan, math.nan, False),
        },
        scored=("nll", "accuracy"),
        curves={
            "few_shot": {"shots": [1, 5], "nll": [math.inf, 0.5]},
            "groups": {**CURVES["groups"], "names": ["Infinity", "b"]},
        },
    )
)


def test_an_infinite_value_comes_back(tmp_path):
    found = Report.load(ENDLESS.save(tmp_path))
    assert ENDLESS.reliability_score == pytest.approx(40.0)
    assert found.reliability_score == ENDLESS.reliability_score
    assert found["a"].normalized() == ENDLESS["a"].normalized()
    assert found["a"]["nll"].value == found["a"]["kl"].value == math.inf
    assert found["a"].curves == ENDLESS["a"].curves
    assert found.to_json() == ENDLESS.to_json()
    assert found.to_markdown() == ENDLESS.to_markdown()
    assert found.to_html() == ENDLESS.to_html()
    assert "| nll ↓ | ∞ |" in found.to_markdown()
    page = read_page(found.to_html())
    assert "∞" in page.text and "undefined" not in page.text


def test_an_infinite_value_that_counts_is_read_from_older_files(tmp_path):
    found = json.loads(ENDLESS.to_json().replace('"Infinity"', "null"))
    found["schema"] = "keras_plex.report/3"
    found["results"][0]["curves"] = {}
    (tmp_path / "report.json").write_text(json.dumps(found))
    loaded = Report.load(tmp_path)
    assert loaded["a"]["nll"].value == math.inf
    assert math.isnan(loaded["a"]["kl"].value)
    assert loaded.reliability_score == ENDLESS.reliability_score


def test_a_number_that_is_none_is_refused(tmp_path):
    text = ENDLESS.to_json().replace('"Infinity"', '"endless"', 1)
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ValueError, match="no whole report.*'endless'"):
        Report.load(tmp_path)


def test_drawn_values_are_in_the_file():
    found = json.loads(SAVED.to_json())
    drawn = found["results"][0]["measures"]["ece"]["drawn"]
    assert len(drawn) == 4 * math.ceil(4 * 50 / 3)


def test_a_report_without_settings_of_tasks_is_read(tmp_path):
    found = {**json.loads(SAVED.to_json()), "schema": "keras_plex.report/2"}
    del found["results"][0]["settings"]
    (tmp_path / "report.json").write_text(json.dumps(found))
    assert Report.load(tmp_path)["a"].settings is None
