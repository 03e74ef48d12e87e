"""`convert` gives the model of `plexify`, and says what became of it."""

import json

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.cli.main import main

X = np.linspace(-1, 1, 20).reshape(5, 4).astype("float32")


def stock_model(**options):
    layers = [
        keras.layers.Dense(8, "relu", name="first"),
        keras.layers.Dense(8, "relu", name="second"),
        keras.layers.Dense(3, name="logits"),
    ]
    return keras.Sequential([keras.Input((4,)), *layers], **options)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stock_model(name="stock").save("stock.keras")
    return tmp_path


def converted(*options):
    command = ["convert", "stock.keras", "--output", "plex.keras", "--json"]
    assert main([*command, *options]) == 0
    return keras.saving.load_model("plex.keras")


def test_what_is_not_given_is_plexifys_own_choice(folder, capsys):
    model = converted("--seed", "1")
    stock = keras.saving.load_model("stock.keras")
    expected = keras_plex.plexify(stock, seed=1)
    assert model.conversion.settings == expected.conversion.settings
    np.testing.assert_array_equal(
        model.predict_members(X), expected.predict_members(X)
    )
    found = json.loads(capsys.readouterr().out)
    assert found["blocks"] == ["first", "second"]
    assert found["layers"][0] == {
        "path": "first",
        "class": "BatchEnsembleDense",
    }
    assert found["head"] == "gp" and found["head_layer"]["path"] == "logits"
    assert found["weights_before"] == stock.count_params()
    assert found["weights_after"] == expected.count_params()
    assert found["ratio"] == expected.count_params() / stock.count_params()


def test_each_option_is_an_argument_of_plexify(folder):
    settings = converted(
        *["--ensemble-size", "2", "--layers", "sec", "--head", "gp"],
        *["--method", "batch_ensemble", "--fast-weight-stddev", "0.5"],
        *["--head-option", "num_features=16", "momentum=none"],
        *["--head-option", "normalize_input=false"],
    ).conversion.settings
    assert settings.ensemble_size == 2 and settings.layers == ["sec"]
    assert settings.fast_weight_stddev == 0.5
    assert settings.head_options == {
        "num_features": 16,
        "momentum": None,
        "normalize_input": False,
        "kernel_inputs": "last",
    }
    (folder / "plex.keras").unlink()
    options = ["--method", "lora_ensemble", "--method-option", "rank=2"]
    settings = converted(*options, "--last-blocks", "all").conversion.settings
    assert settings.last_blocks == "all"
    assert settings.method_options == {"rank": 2}


def test_it_says_in_words_what_was_converted(folder, capsys):
    command = ["convert", "stock.keras", "--output", "new/plex.keras"]
    assert main([*command, "--head", "keep", "--last-blocks", "1"]) == 0
    # 8 inputs and 8 outputs: alpha, gamma and bias are 8 numbers a member.
    assert capsys.readouterr().out == (
        "new/plex.keras: stock.keras with 3 members, batch_ensemble\n"
        "blocks:  second\n"
        "layers:  1 BatchEnsembleDense\n"
        "head:    keep (Dense logits)\n"
        "weights: 139 before, 211 after (1.52 times as many), of which 211 "
        "learn\n"
    )
    command = ["convert", "stock.keras", "--output", "laplace.keras"]
    assert main([*command, "--head", "laplace"]) == 0
    assert "stock.keras without members\n" in capsys.readouterr().out


def test_a_folder_of_a_preset_is_converted(folder, capsys):
    hub = pytest.importorskip("keras_hub")
    hub.models.ViTBackbone((8, 8, 1), 4, 2, 2, 8, 8).save_to_preset("vit")
    command = ["convert", "vit", "--output", "plex.keras", "--last-blocks", "1"]
    assert main(command) == 2
    assert "Pass --num-classes to give it" in capsys.readouterr().err
    assert main([*command, "--num-classes", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["blocks"] == ["vit_encoder/transformer_block_2"]
    model = keras.saving.load_model("plex.keras")
    stock = hub.models.ImageClassifier.from_preset(
        "vit", num_classes=5, preprocessor=None
    )
    assert found["weights_before"] == stock.count_params()
    assert model.predict(np.zeros((2, 8, 8, 1)), verbose=0).shape == (2, 5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["gone.keras"], "There is no model 'gone.keras'."),
        (["empty"], "must hold a KerasHub preset"),
        (["stock.keras", "--last-blocks", "9"], "error: --last-blocks goes"),
        (["stock.keras", "--head", "hat"], "Unknown head: 'hat'"),
        (["stock.keras", "--layers", "x"], "'x' in --layers matches none"),
        (["stock.keras", "--head-option", "a"], "--head-option takes NAME="),
        (["stock.keras", "--head", "gp", "--head-option", "a=1"], "no option"),
    ],
)
def test_wrong_input_is_code_2_and_one_line(folder, capsys, arguments, message):
    (folder / "empty").mkdir()
    assert main(["convert", *arguments, "--output", "new.keras"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("keras-plex: error: ")
    assert message in captured.err and captured.err.count("\n") == 1
    assert captured.out == "" and not (folder / "new.keras").exists()


def test_a_converted_model_is_refused(folder, capsys):
    converted()
    command = ["convert", "plex.keras", "--output", "again.keras"]
    assert main(command) == 2
    assert "is converted already" in capsys.readouterr().err
