"""A saved model and files give the report of `keras_plex.evaluate`."""

import json

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.cli.errors import UsageError
from keras_plex.cli.main import main
from keras_plex.tasks import Calibration
from keras_plex.tasks import InDistribution
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks import SelectivePrediction
from keras_plex.tasks import collect
from keras_plex.tasks.resume.folder import EvidenceFolder
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import logits_model
from tests.task_cases import poor_model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("test.npz", x=TEST[0], y=TEST[1])
    np.savez("near.npz", x=NEAR)
    logits_model().save("good.keras")
    poor_model().save("poor.keras")
    return tmp_path


DATA = ["--data", "test=test.npz", "ood.near=near.npz", "--resamples", "3"]


def expected_report():
    tasks = [
        Calibration(TEST),
        SelectivePrediction(TEST),
        OpenSetRecognition(TEST, {"near": NEAR}),
        InDistribution(TEST),
    ]
    return keras_plex.evaluate(logits_model(), tasks, resamples=3, verbose=0)


def measures(report):
    return {
        result["name"]: {k: v["value"] for k, v in result["measures"].items()}
        for result in report["results"]
    }


def test_json_is_the_report_and_progress_is_elsewhere(folder, capsys):
    assert main(["evaluate", "good.keras", *DATA, "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert measures(found) == measures(expected_report().to_dict())
    assert "calibration: test" in captured.err


def test_output_holds_the_report_and_is_gone_on_from(folder, capsys):
    command = ["evaluate", "good.keras", *DATA, "--output", "out"]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("# Reliability of good\n")
    names = {path.name for path in (folder / "out").iterdir()}
    files = {"report.json", "report.md", "report.html"}
    assert names == {*files, "evidence"}
    assert main(command) == 0
    assert "calibration: test" not in capsys.readouterr().err
    found = json.loads((folder / "out" / "report.json").read_text())
    assert measures(found) == measures(expected_report().to_dict())
    assert found["cost"] is None
    assert main(["evaluate", "poor.keras", *DATA, "--output", "out"]) == 2
    assert "of another model" in capsys.readouterr().err


def test_what_is_interrupted_goes_on(folder, capsys, monkeypatch):
    command = ["evaluate", "good.keras", *DATA, "--output", "out", "--json"]
    save, places = EvidenceFolder.save, []

    def interrupt(self, place, *arguments):
        if place == ("open_set_recognition", "unknown/near"):
            raise KeyboardInterrupt
        places.append(place)
        save(self, place, *arguments)

    monkeypatch.setattr(EvidenceFolder, "save", interrupt)
    assert main(command) == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("keras-plex: interrupted\n")
    assert ("calibration", "test") in places
    assert [one.name for one in (folder / "out").iterdir()] == ["evidence"]
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert main(command) == 0
    captured = capsys.readouterr()
    assert "calibration: test" not in captured.err
    assert "open_set_recognition: unknown/near" in captured.err
    found = json.loads(captured.out)
    assert measures(found) == measures(expected_report().to_dict())


def test_cost_is_measured_where_it_is_asked_for(folder, capsys):
    assert main(["evaluate", "good.keras", *DATA, "--cost", "--json"]) == 0
    cost = json.loads(capsys.readouterr().out)["cost"]
    assert cost["seconds_one"] > 0 and cost["batch_size"] == 32


def test_a_task_file_names_its_tasks(folder, capsys):
    (folder / "t.toml").write_text(
        '[tasks.first]\nkind = "calibration"\ntest = "test.npz"\n'
        '[tasks.second]\nkind = "calibration"\ntest = "near.npz"\n'
    )
    command = ["evaluate", "good.keras", "--tasks", "t.toml", "--json"]
    assert main(command) == 2
    assert "needs labels in 'test'" in capsys.readouterr().err
    np.savez("near.npz", x=NEAR, y=np.zeros(len(NEAR), int))
    assert main([*command, "--max-examples", "10", "--resamples", "0"]) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    assert [one["name"] for one in results] == ["first", "second"]
    assert results[0]["num_examples"] == {"test": 10}


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["gone.keras"], "There is no model 'gone.keras'."),
        (["good.keras"], "There is nothing to measure"),
        (["good.keras", "--data", "test=gone.npz"], "no data file 'gone.npz'"),
        (["good.keras", *DATA, "--seed", "-1"], "seed"),
        (["good.keras", *DATA, "--output", "."], "holds other files"),
        (["good.keras", "--data", "test=bad.npz"], "class indices"),
        (
            ["good.keras", "--task", "covariate_shift", *DATA[:2]],
            "pass --data shifted.NAME=PATH or --option corruptions=fog,...",
        ),
        (
            ["good.keras", "--task", "few_shot_uncertainty", *DATA[:2]]
            + ["train=test.npz", "ood=gone.npz"],
            "--data takes ood.NAME=PATH. Received: ood=gone.npz",
        ),
    ],
)
def test_wrong_input_is_code_2_and_one_line(folder, capsys, arguments, message):
    np.savez("bad.npz", x=TEST[0], y=TEST[1] + 7)
    assert main(["evaluate", *arguments]) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().split("\n")
    assert lines[-1].startswith("keras-plex: error: ")
    assert message in lines[-1] and captured.out == ""


@pytest.mark.parametrize(
    "error, said, code",
    [
        (MemoryError(), "MemoryError", 1),
        (OSError("the disk"), "the disk", 1),
        (TypeError("a text"), "a text", 2),
    ],
)
def test_a_fault_while_measuring_is_code_1(
    folder, capsys, monkeypatch, error, said, code
):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(collect, "predict_batch", fail)
    assert main(["evaluate", "good.keras", *DATA]) == code
    last = capsys.readouterr().err.splitlines()[-1]
    where = "Cannot measure the model on the set 'calibration: test'."
    assert last == f"keras-plex: error: {where} {said}"
    with pytest.raises(UsageError if code == 2 else type(error)):
        main(["evaluate", "good.keras", *DATA, "--debug"])


def test_inputs_that_the_model_cannot_take_are_code_2(folder, capsys):
    layers = [keras.layers.Embedding(5, 2), keras.layers.Flatten()]
    model = keras.Sequential(
        [keras.Input((4,)), *layers, keras.layers.Dense(4)]
    )
    model.save("tokens.keras")
    np.savez("texts.npz", x=np.full((2, 4), "a"), y=np.array([0, 1]))
    np.savez("unknown.npz", x=np.full((2, 4), 99), y=np.array([0, 1]))
    found = [("good", "texts")]
    if keras.config.backend() == "tensorflow":
        found.append(("tokens", "unknown"))
    for name, data in found:
        command = ["evaluate", f"{name}.keras", "--data", f"test={data}.npz"]
        assert main(command) == 2
        assert "'calibration: test'" in capsys.readouterr().err


def test_debug_shows_the_cause(folder):
    with pytest.raises(Exception, match="gone") as error:
        main(["evaluate", "gone.keras", "--debug"])
    assert isinstance(error.value.__cause__, FileNotFoundError)


def test_a_saved_model_is_measured_too(folder, capsys):
    if keras.config.backend() != "tensorflow":
        pytest.skip("exports need TensorFlow")
    logits_model().export("stock", verbose=False)
    command = ["evaluate", "stock", *DATA, "--json"]
    assert main(command) == 2
    assert "softmax_logits" in capsys.readouterr().err
    assert main([*command, "--output-kind", "softmax_logits"]) == 0
    found = measures(json.loads(capsys.readouterr().out))
    expected = measures(expected_report().to_dict())
    assert found["calibration"] == pytest.approx(expected["calibration"])
