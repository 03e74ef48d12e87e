"""A report scores, is read by machines, and is saved whole."""

import dataclasses
import json
import math
import os

import pytest

from keras_plex.tasks import Report
from keras_plex.tasks import TaskResult
from keras_plex.tasks.reports.result import Value


def result(name, category, **values):
    return TaskResult(
        name=name,
        kind=name,
        category=category,
        headline=next(iter(values)),
        scored=tuple(values),
        measures={
            key: Value(value, value - 0.1, value + 0.1, key != "ece")
            for key, value in values.items()
        },
        num_examples={"test": 3},
        num_classes=4,
        seconds=1.0,
        curves={},
    )


REPORT = Report(
    model="vit",
    parameters=1234,
    ensemble_size=3,
    results=(
        result("calibration", "uncertainty", ece=0.5),
        result("selective_prediction", "uncertainty", calibration_auc=math.nan),
        result("in_distribution", "robust generalization", accuracy=1.0),
    ),
    settings={"seed": 0},
    environment={"keras": "3"},
    seconds=2.0,
)


def test_scores_are_means_times_100():
    assert REPORT.reliability_score == pytest.approx(75.0)
    assert REPORT.category_scores == pytest.approx(
        {"uncertainty": 50.0, "robust generalization": 100.0}
    )


def test_a_report_of_nothing_has_no_score():
    empty = dataclasses.replace(REPORT, results=())
    assert math.isnan(empty.reliability_score)


def test_json_names_its_schema_and_holds_no_nan():
    found = json.loads(REPORT.to_json())
    assert found["schema"] == "keras_plex.report/4"
    assert found["results"][0]["measures"]["ece"]["value"] == 0.5
    assert found["results"][0]["measures"]["ece"]["higher_is_better"] is False
    assert found["results"][1]["measures"]["calibration_auc"]["value"] is None
    assert found["reliability_score"] == pytest.approx(75.0)
    assert found["results"][0]["normalized"] == {"ece": 0.5}


def test_a_result_is_found_by_name():
    assert REPORT["calibration"]["ece"].value == 0.5
    with pytest.raises(ValueError, match="Unknown result: 'ece'"):
        REPORT["ece"]


def test_saved_twice_it_is_there_once(tmp_path):
    directory = REPORT.save(tmp_path / "new" / "report")
    changed = dataclasses.replace(REPORT, model="other")
    changed.save(directory)
    assert sorted(os.listdir(directory)) == [
        "report.html",
        "report.json",
        "report.md",
    ]
    assert os.listdir(directory.parent) == ["report"]
    found = json.loads((directory / "report.json").read_text())
    assert found["model"] == "other"
    assert (directory / "report.md").read_text() == changed.to_markdown()


def test_it_is_saved_beside_the_evidence(tmp_path):
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "test.npz").touch()
    for _ in range(2):
        REPORT.save(tmp_path)
    names = ["evidence", "report.html", "report.json", "report.md"]
    assert sorted(os.listdir(tmp_path)) == names
    assert Report.load(tmp_path).model == REPORT.model
    assert os.listdir(tmp_path / "evidence") == ["test.npz"]


def test_a_directory_of_others_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(ValueError, match="holds other files.*thesis.tex"):
        REPORT.save(tmp_path)
    assert os.listdir(tmp_path) == ["thesis.tex"]
    with pytest.raises(ValueError, match="must be a directory"):
        REPORT.save(tmp_path / "thesis.tex")


@pytest.mark.parametrize("text", ["[]", '{"schema": 1}', "years"])
def test_a_report_of_others_is_left_alone(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ValueError, match="holds other files.*report.json"):
        REPORT.save(tmp_path)
    assert (tmp_path / "report.json").read_text() == text


def test_a_failed_write_leaves_the_old_report(tmp_path, monkeypatch):
    directory = REPORT.save(tmp_path / "report")
    before = (directory / "report.json").read_text()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        dataclasses.replace(REPORT, model="other").save(directory)
    assert (directory / "report.json").read_text() == before
    assert os.listdir(tmp_path) == ["report"]
