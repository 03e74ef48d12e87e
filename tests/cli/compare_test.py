"""Saved models and reports stand side by side."""

import json

import numpy as np
import pytest

from keras_plex.cli.main import main
from tests.task_cases import TEST
from tests.task_cases import linear_model
from tests.task_cases import logits_model
from tests.task_cases import poor_model

DATA = ["--data", "test=test.npz", "--resamples", "5"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("test.npz", x=TEST[0], y=TEST[1])
    logits_model().save("good.keras")
    poor_model().save("poor.keras")
    return tmp_path


def test_models_are_compared_by_name(folder, capsys):
    command = ["compare", "good.keras", "bad=poor.keras", *DATA]
    assert main([*command, "--json", "--output", "out"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["models"]) == ["good", "bad"]
    difference = found["differences"]["bad"]["in_distribution"]["accuracy"]
    right = (TEST[0].argmax(-1) == TEST[1]).mean()
    poor = (np.roll(TEST[0], 1, axis=-1).argmax(-1) == TEST[1]).mean()
    assert difference["difference"] == pytest.approx(poor - right)
    assert {one.name for one in (folder / "out").iterdir()} == {
        "comparison.json",
        "comparison.md",
        "comparison.html",
    }
    # What it wrote it replaces.
    assert main([*command, "--output", "out"]) == 0


def test_reports_are_compared_without_models(folder, capsys):
    for name in ("good", "poor"):
        command = ["evaluate", f"{name}.keras", *DATA, "--output", name]
        assert main(command) == 0
    capsys.readouterr()
    assert main(["compare", "good", "poor", "--output", "out", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["models"]) == ["good", "poor"]
    assert found == json.loads((folder / "out/comparison.json").read_text())
    models = ["good.keras", "poor.keras"]
    assert main(["compare", *models, *DATA, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert found["differences"] == again["differences"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["good.keras"], "two or more"),
        (["a=good.keras", "a=poor.keras"], "a name of its own"),
        (
            ["good.keras", "gone.keras", *DATA],
            "or report 'gone.keras'",
        ),
        (["good.keras", "report", *DATA], "reports with reports"),
        (["good.keras", "small.keras", *DATA], "'small' has 3, 'good' has 4"),
        (["report", "b=report"], "must be a report of schema"),
        (["report", "b=report", "--output", "report"], "holds other files"),
        (
            ["report", "b=report", *DATA],
            "leave tasks and data out",
        ),
    ],
)
def test_wrong_input_is_code_2(folder, capsys, arguments, message):
    linear_model(np.ones((4, 3))).save("small.keras")
    (folder / "report").mkdir()
    (folder / "report" / "report.json").write_text("{}")
    assert main(["compare", *arguments]) == 2
    captured = capsys.readouterr()
    error = captured.err.splitlines()[-1]
    assert error.startswith("keras-plex: error: ") and message in error
    assert captured.out == ""


def evaluate(name, output, *arguments):
    command = ["evaluate", f"{name}.keras", "--resamples", "5"]
    assert main([*command, "--output", output, *arguments]) == 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--data", "test=other.npz"], "The data 'test' of the task"),
        (["--data", "test=test.npz", "--seed", "1"], "The setting seed"),
        (["--data", "test=test.npz", "--max-examples", "9"], "max_examples"),
        (["--task", "calibration", "--data", "test=test.npz"], "list of tasks"),
    ],
)
def test_reports_that_do_not_fit_together_are_one_line(
    folder, capsys, arguments, message
):
    np.savez("other.npz", x=TEST[0][::-1], y=TEST[1][::-1])
    evaluate("good", "first", "--data", "test=test.npz")
    evaluate("poor", "second", *arguments)
    capsys.readouterr()
    assert main(["compare", "first", "second", "--output", "out"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and message in captured.err
    assert "'second'" in captured.err and captured.out == ""
    assert not (folder / "out").exists()
