"""`export` writes what `export_for_serving` does; the commands fit together."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_plex
from keras_plex.cli.main import main
from keras_plex.export import answer_request
from keras_plex.scores import fit_scores
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import TRAIN
from tests.task_cases import logits_model

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="exports need TensorFlow"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    logits_model().save("good.keras")
    return tmp_path


EXPORT = ["export", "good.keras", "--output", "served"]


def test_it_shows_the_path_the_inputs_and_the_signatures(folder, capsys):
    assert main(EXPORT) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "served/1"
    assert "| inputs | float32 | any x 4 |" in lines
    assert "| members | member_probabilities |" in lines
    assert main([*EXPORT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["path"] == "served/2"
    assert found["inputs"]["inputs"] == {"shape": [None, 4], "dtype": "float32"}
    assert "abstain" in found["outputs"]["serving_default"]
    answer = answer_request("served", TEST[0][:3])
    assert set(answer) == set(found["outputs"]["serving_default"])


def test_each_option_is_an_argument_of_export_for_serving(folder, capsys):
    options = ["--version", "7", "--input-kind", "array", "--json"]
    options += ["--ood-score", "entropy", "--abstain-threshold", "1.2"]
    assert main([*EXPORT, *options, "--reliability", "test_ece=0.02"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["path"] == "served/7" and found["ood_score"] == "entropy"
    assert found["abstain_threshold"] == 1.2
    assert found["reliability"] == {"test_ece": 0.02}


def test_a_fitted_score_comes_from_its_file(folder, capsys):
    model = keras_plex.plexify(logits_model(), 1, last_blocks=0)
    model.save("good.keras")
    score = fit_scores(["mahalanobis"], model, TRAIN)["mahalanobis"]
    score.save("score.npz")
    assert main([*EXPORT, "--ood-score", "score.npz"]) == 0
    predictions = model.predict_uncertainty(TEST[0][:5], features=True)
    np.testing.assert_allclose(
        answer_request("served", TEST[0][:5])["ood_score"],
        score(predictions),
        rtol=1e-4,
    )


def test_encoded_images_get_the_range_that_was_typed(folder, capsys):
    layers = [keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((8, 8, 3)), *layers])
    model.save("good.keras")
    typed = ["--input-kind", "encoded_image", "--image-range=-1,1"]
    assert main([*EXPORT, *typed, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["input_kind"] == "encoded_image"
    pixels = np.full((8, 8, 3), 255, "uint8")
    answer = answer_request("served", [tf.io.encode_png(pixels).numpy()])
    expected = keras.ops.softmax(
        model.predict(np.ones((1, 8, 8, 3)), verbose=0)
    )
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        (["--input-kind", "text"], "turns texts into tokens"),
        (["--input-kind", "photo"], "Unknown input kind: 'photo'"),
        (["--image-range", "0,1"], "error: --image-range is"),
        (["--image-range", "0"], "--image-range takes two numbers"),
        (["--version", "1"], "no --version takes it"),
        (["--version", "0"], "error: --version must be a positive"),
        (["--ood-score", "luck"], "Unknown score: 'luck'"),
        (["--ood-score", "knn"], "not fitted"),
        (["--abstain-threshold", "nan"], "error: --abstain-threshold must"),
        (["--reliability", "a=high"], "error: --reliability must map"),
        (["--output", "good.keras"], "error: --output must be a folder"),
    ],
)
def test_wrong_input_is_code_2_and_writes_nothing(
    folder, capsys, options, message
):
    (folder / "served" / "1").mkdir(parents=True)
    assert main([*EXPORT, *options]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1
    assert captured.out == ""
    assert [one.name for one in (folder / "served").iterdir()] == ["1"]


def test_from_a_stock_file_to_a_measured_served_model(folder, capsys):
    np.savez("held_out.npz", x=TEST[0][:150], y=TEST[1][:150])
    np.savez("test.npz", x=TEST[0][150:], y=TEST[1][150:])
    np.savez("near.npz", x=NEAR)
    layers = [keras.layers.Dense(16, "relu"), keras.layers.Dense(4)]
    keras.Sequential([keras.Input((4,)), *layers]).save("stock.keras")

    command = ["convert", "stock.keras", "--output", "plex.keras"]
    command += ["--last-blocks", "1", "--head-option", "num_features=16"]
    assert main([*command, "--seed", "0"]) == 0

    model = keras.saving.load_model("plex.keras")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    model.fit(*TRAIN, epochs=2, verbose=0)
    model.save("trained.keras")

    command = ["calibrate", "trained.keras", "--data", "held_out.npz"]
    assert main([*command, "--output", "ready.keras"]) == 0
    assert main(["export", "ready.keras", "--output", "served"]) == 0
    data = ["--data", "test=test.npz", "ood.near=near.npz"]
    options = [*data, "--resamples", "0", "--json"]
    capsys.readouterr()
    reports = []
    for name in ("ready.keras", "served"):
        assert main(["evaluate", name, *options]) == 0
        reports.append(json.loads(capsys.readouterr().out)["results"])
    for in_keras, served in zip(*reports, strict=True):
        # Scores that read logits or features are of the file alone.
        for name, measure in served["measures"].items():
            value = in_keras["measures"][name]["value"]
            assert measure["value"] == pytest.approx(value, abs=1e-4), name
