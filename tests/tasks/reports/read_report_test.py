"""A report that was saved is the report."""

import json
import math

import numpy as np
import pytest

from keras_plex.tasks import Cost
from keras_plex.tasks import Report
from tests.report_cases import CURVES
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
        ('{"schema": "keras_plex.report/3"}', "no whole report. KeyError"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, text, message):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        Report.load(tmp_path)


def test_no_file_says_what_to_pass(tmp_path):
    with pytest.raises(ValueError, match="no report.*`Report.save` wrote"):
        Report.load(tmp_path / "gone.json")


def test_drawn_values_are_in_the_file():
    found = json.loads(SAVED.to_json())
    drawn = found["results"][0]["measures"]["ece"]["drawn"]
    assert len(drawn) == 4 * math.ceil(4 * 50 / 3)


def test_a_report_without_settings_of_tasks_is_read(tmp_path):
    found = {**json.loads(SAVED.to_json()), "schema": "keras_plex.report/2"}
    del found["results"][0]["settings"]
    (tmp_path / "report.json").write_text(json.dumps(found))
    assert Report.load(tmp_path)["a"].settings is None
