"""A result finds its measures and brings them to one scale."""

import math

import pytest

from keras_plex.tasks import TaskResult
from keras_plex.tasks.reports.result import Value


def result(**values):
    directions = {"ece": False, "nll": False, "calibration_auc": True}
    return TaskResult(
        name="mine",
        kind="calibration",
        category="uncertainty",
        headline="ece",
        scored=tuple(values),
        measures={
            name: Value(value, math.nan, math.nan, directions[name])
            for name, value in values.items()
        },
        num_examples={"test": 3},
        num_classes=4,
        seconds=1.0,
        curves={},
    )


def test_scored_measures_are_brought_to_one_scale():
    found = result(ece=0.25, nll=math.log(2), calibration_auc=0.75).normalized()
    # ln 2 is half of ln 4.
    assert found == pytest.approx(
        {"ece": 0.75, "nll": 0.5, "calibration_auc": 0.75}
    )


def test_undefined_measures_are_left_out():
    found = result(ece=0.25, calibration_auc=math.nan).normalized()
    assert list(found) == ["ece"]


def test_a_measure_is_found_by_name():
    assert result(ece=0.25)["ece"].value == 0.25
    with pytest.raises(ValueError, match="Unknown measure: 'acc'.*'ece'"):
        result(ece=0.25)["acc"]
