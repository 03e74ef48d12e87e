"""`calibrate` gives the model of `model.calibrate`, and measures it."""

import json

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.cli.main import main
from keras_plex.metrics import expected_calibration_error
from keras_plex.metrics import negative_log_likelihood
from tests.task_cases import TEST
from tests.task_cases import TRAIN
from tests.task_cases import linear_model
from tests.task_cases import logits_model


def sure_model():
    """Four times as sure as it should be."""
    return linear_model(4 * np.eye(4))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("held_out.npz", x=TEST[0], y=TEST[1])
    np.savez("train.npz", x=TRAIN[0])
    sure_model().save("sure.keras")
    return tmp_path


DATA = ["--data", "held_out.npz", "--output", "ready.keras"]


def test_a_stock_model_becomes_an_ensemble_of_one(folder, capsys):
    assert main(["calibrate", "sure.keras", *DATA, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    model = keras.saving.load_model("ready.keras")
    assert isinstance(model, keras_plex.models.DeepEnsemble)
    assert model.ensemble_size == found["ensemble_size"] == 1
    assert found["method"] == "temperature" and found["num_examples"] == 300
    [temperature] = np.ravel(model.calibrator.numbers()["temperature"])
    assert abs(temperature - 4) < 1
    before = sure_model().predict(TEST[0], verbose=0)
    before = np.exp(keras.ops.convert_to_numpy(keras.ops.log_softmax(before)))
    after = model.predict_uncertainty(TEST[0]).probabilities
    for name, forecast in {"before": before, "after": after}.items():
        assert found[name] == pytest.approx(
            {
                "nll": negative_log_likelihood(TEST[1], forecast),
                "ece": expected_calibration_error(TEST[1], forecast),
            },
            abs=1e-6,
        )
    assert found["after"]["nll"] < found["before"]["nll"]


def test_the_page_says_which_data_it_measured(folder, capsys):
    command = ["calibrate", "sure.keras", *DATA, "--method", "isotonic"]
    assert main(command) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("ready.keras: sure.keras, a DeepEnsemble")
    assert "calibrated by isotonic on 300 examples" in captured.out
    assert "| | before | after |" in captured.out
    assert "Measured on the data that fitted it" in captured.out
    assert "calibration: test" in captured.err


def test_a_laplace_head_gets_its_covariance_without_training(folder, capsys):
    keras_plex.plexify(logits_model(), head="laplace").save("laplace.keras")
    command = ["calibrate", "laplace.keras", *DATA, "--per-member"]
    assert main([*command, "--covariance", "train.npz"]) == 0
    model = keras.saving.load_model("ready.keras")
    assert model.calibrator.get_config()["per_member"]
    expected = keras_plex.plexify(logits_model(), head="laplace")
    expected.fit_covariance(TRAIN[0], validation_data=TEST)
    np.testing.assert_allclose(
        model.predict_uncertainty(TEST[0]).variance,
        expected.predict_uncertainty(TEST[0]).variance,
        rtol=1e-4,
    )
    assert "a PlexSequential" in capsys.readouterr().out


def test_a_file_is_calibrated_in_place_where_that_is_asked_for(folder, capsys):
    command = ["calibrate", "sure.keras", "--data", "held_out.npz"]
    command += ["--output", "sure.keras"]
    before = (folder / "sure.keras").read_bytes()
    assert main(command) == 2
    assert "--overwrite to replace it" in capsys.readouterr().err
    assert (folder / "sure.keras").read_bytes() == before
    assert main([*command, "--overwrite"]) == 0
    assert keras.saving.load_model("sure.keras").calibrator is not None


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["gone.keras", *DATA], "There is no model 'gone.keras'."),
        (["sure.keras", *DATA[2:], "--data", "no.npz"], "no data file"),
        (["sure.keras", *DATA[2:], "--data", "train.npz"], "must hold labels"),
        (["sure.keras", *DATA, "--method", "magic"], "method: 'magic'"),
        (
            ["sure.keras", *DATA, "--method", "vector", "--per-member"],
            "error: --per-member is an option",
        ),
        (["sure.keras", *DATA, "--covariance", "train.npz"], "`keras-plex con"),
        (["sure.keras", *DATA, "--batch-size", "0"], "--batch-size must be"),
        (["sure.keras", *DATA, "--image-size", "2x2"], "leave it out"),
        (["sure.keras", *DATA[:2], "--output", "x.h5"], "end in .keras"),
        (["folder", *DATA], "not a SavedModel"),
    ],
)
def test_wrong_input_is_code_2(folder, capsys, arguments, message):
    (folder / "folder").mkdir()
    assert main(["calibrate", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err.strip().split("\n")[-1]
    assert captured.out == "" and not (folder / "ready.keras").exists()
