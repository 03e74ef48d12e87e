"""Saved models and reports stand side by side."""

import json

import numpy as np
import pytest

from keras_plex.cli.main import main
from tests.task_cases import TEST
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
    assert (folder / "out" / "comparison.json").is_file()


def test_reports_are_compared_without_models(folder, capsys):
    for name in ("good", "poor"):
        command = ["evaluate", f"{name}.keras", *DATA, "--output", name]
        assert main(command) == 0
    capsys.readouterr()
    assert main(["compare", "good", "poor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["models"]) == ["good", "poor"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["good.keras"], "two or more"),
        (["a=good.keras", "a=poor.keras"], "a name of its own"),
        (["good.keras", "gone.keras", *DATA], "no model 'gone.keras'"),
        (["good.keras", "report", *DATA], "reports with reports"),
        (["report", "b=report", *DATA], "leave tasks out"),
    ],
)
def test_wrong_input_is_code_2(folder, capsys, arguments, message):
    (folder / "report").mkdir()
    (folder / "report" / "report.json").write_text("{}")
    assert main(["compare", *arguments]) == 2
    assert message in capsys.readouterr().err
