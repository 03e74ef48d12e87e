"""Saved models and reports stand side by side."""

import json
import os

import keras
import numpy as np
import pytest

from keras_plex.cli.main import main
from keras_plex.tasks.resume.folder import EvidenceFolder
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
        "evidence",
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


def test_a_path_may_hold_an_equals_sign(folder, capsys):
    for rate in ("lr=0.1", "lr=0.2"):
        (folder / "runs" / rate).mkdir(parents=True)
    (folder / "good.keras").rename("runs/lr=0.1/m.keras")
    (folder / "poor.keras").rename("lr=9.keras")
    (folder / "two=2.keras").write_bytes((folder / "lr=9.keras").read_bytes())
    models = ["runs/lr=0.1/m.keras", "lr=9.keras", "b=two=2.keras"]
    assert main(["compare", *models, *DATA, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["models"]) == ["m", "lr=9", "b"]
    gone = "runs/lr=0.2/m.keras"
    assert main(["compare", models[0], gone, *DATA]) == 2
    assert f"or report {gone!r}" in capsys.readouterr().err


def test_the_folder_of_the_shell_takes_a_comparison(folder, capsys):
    for name in ("good", "poor"):
        command = ["evaluate", f"{name}.keras", *DATA, "--output", name]
        assert main(command) == 0
    (folder / "out").mkdir()
    os.chdir(folder / "out")
    assert main(["compare", "../good", "../poor", "--output", "."]) == 0
    assert (folder / "out" / "comparison.json").is_file()


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
            "leave these options out, or compare models. Received: --data, "
            "--resamples",
        ),
        (
            ["good.keras", "b=good.keras", "--output-kind", "fly", *DATA],
            "leave --output-kind out",
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


@pytest.mark.parametrize(
    "option",
    [
        ["--resamples", "1000"],
        ["--seed", "0"],
        ["--max-examples", "5"],
        ["--batch-size", "-4"],
        ["--output-kind", "nonsense"],
        ["--classes", "a"],
        ["--data-dir", "nowhere"],
        ["--download"],
    ],
)
def test_what_reports_cannot_be_told_is_refused(folder, capsys, option):
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "report.json").write_text("{}")
    assert main(["compare", "a", "b", *option]) == 2
    assert f"Received: {option[0]}" in capsys.readouterr().err


def image_model(path, *layers, shape=(32, 32, 3)):
    layers = [*layers, keras.layers.GlobalAveragePooling2D()]
    keras.Sequential(
        [keras.Input(shape), *layers, keras.layers.Dense(10)]
    ).save(path)


def test_models_that_take_other_images_are_code_2(folder, capsys):
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("tensorflow_datasets")
    for number in range(10):
        (folder / "images" / str(number)).mkdir(parents=True)
        image.new("RGB", (9, 9)).save(f"images/{number}/a.png")
    image_model("plain.keras")
    image_model("scaled.keras", keras.layers.Rescaling(1 / 255))
    image_model("grey.keras", shape=(32, 32, 1))
    command = ["compare", "plain.keras"]
    name = ["--task", "calibration/cifar10", "--data-dir", "gone"]
    files = ["--task", "calibration", "--data", "test=images"]
    for other, asked, message in (
        ("scaled.keras", name, "The model 'scaled': "),
        ("grey.keras", name, "'plain' takes channels=3; 'grey' takes"),
        (
            "grey.keras",
            files,
            "'plain' takes size=(32, 32), channels=3; 'grey'",
        ),
    ):
        assert main([*command, other, *asked]) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert message in error and "`keras-plex evaluate` each" in error
    assert main([*command, "scaled.keras", *files, "--resamples", "0"]) == 0


def test_what_is_stopped_goes_on(folder, capsys, monkeypatch):
    command = ["compare", "good.keras", "poor.keras", *DATA, "--output", "out"]
    save, saved = EvidenceFolder.save, []

    def fail_in_the_second(self, *arguments):
        if "poor" in str(self.folder):
            raise MemoryError
        saved.append(self.folder.parent.name)
        save(self, *arguments)

    monkeypatch.setattr(EvidenceFolder, "save", fail_in_the_second)
    assert main(command) == 1
    captured = capsys.readouterr()
    assert captured.err.endswith("keras-plex: error: MemoryError\n")
    assert saved and all(name.startswith("good-") for name in saved)
    assert [one.name for one in (folder / "out").iterdir()] == ["evidence"]

    def remember(self, *arguments):
        saved.append(self.folder.parent.name)
        save(self, *arguments)

    saved.clear()
    monkeypatch.setattr(EvidenceFolder, "save", remember)
    assert main(command) == 0
    assert saved and all(name.startswith("poor-") for name in saved)
    assert (folder / "out" / "comparison.json").is_file()
    poor_model().save("good.keras")
    linear_model(np.ones((4, 4))).save("poor.keras")
    assert main(command) == 2
    assert "of another model" in capsys.readouterr().err


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
