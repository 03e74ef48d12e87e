"""Named benchmarks are asked for by their names."""

import json

import keras
import keras_hub
import numpy as np
import pytest

from keras_plex.cli.main import main
from keras_plex.cli.named_tasks import check_kind
from keras_plex.cli.named_tasks import describe_benchmarks
from keras_plex.cli.named_tasks import load_named_tasks
from keras_plex.tasks import Calibration
from tests.named_data import no_network
from tests.named_data import prepare
from tests.t5_models import t5_classifier
from tests.t5_models import t5_preprocessor
from tests.task_cases import logits_model

NAME = "calibration/fashion_mnist"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    image_model().save("model.keras")
    return tmp_path


def image_model(channels=1, first=()):
    layers = [keras.layers.AveragePooling2D(7), keras.layers.Flatten()]
    return keras.Sequential(
        [
            keras.Input((28, 28, channels)),
            *first,
            *layers,
            keras.layers.Dense(10),
        ]
    )


def hub_model():
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(28, 28, 3),
        patch_size=14,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=8,
    )
    converter = keras_hub.layers.ViTImageConverter(
        image_size=(28, 28), scale=1 / 255
    )
    preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(converter)
    return keras_hub.models.ViTImageClassifier(
        backbone, 10, preprocessor=preprocessor
    )


def evaluate(*arguments):
    command = ["evaluate", "model.keras", "--resamples", "0", *arguments]
    return main([*command, "--data-dir", "data", "--json"])


def test_they_are_listed_with_their_data():
    found = {one["name"]: one for one in describe_benchmarks()}
    data = found["open_set/cifar10"]["data_sets"]
    names = ["cifar10", "cifar100", "svhn_cropped"]
    assert [one["name"] for one in data] == names
    assert all(one["download_bytes"] > 2**20 for one in data)
    assert found["calibration/imagenet"]["data_sets"][0]["manual"]


def test_unknown_names_are_said_with_similar_ones():
    check_kind("calibration")
    check_kind(NAME)
    with pytest.raises(ValueError, match="Unknown task: 'fly'"):
        check_kind("fly")
    with pytest.raises(ValueError, match="Did you mean .*open_set/cifar10"):
        check_kind("open_set/cifar")
    with pytest.raises(ValueError, match="'x/y'. `keras-plex tasks` lists"):
        check_kind("x/y")


def test_data_that_are_missing_are_named(tmp_path):
    pytest.importorskip("tensorflow_datasets")
    with pytest.raises(ValueError, match=r"fashion_mnist: 29.4 MiB"):
        load_named_tasks([NAME], {"a": image_model()}, data_dir=tmp_path)


def test_a_model_of_other_classes_is_refused():
    with pytest.raises(ValueError, match="10 classes, and the model has 4"):
        load_named_tasks([NAME], {"a": logits_model()})


def test_the_range_of_images_is_called_as_it_is_typed():
    scaled = image_model(first=[keras.layers.Rescaling(1 / 255)])
    with pytest.raises(ValueError, match="--image-range"):
        load_named_tasks([NAME], {"a": scaled})


def test_no_model_is_fed_what_another_takes(tmp_path):
    pytest.importorskip("tensorflow_datasets")
    plain = image_model()
    scaled = image_model(first=[keras.layers.Rescaling(1 / 255)])
    for models in ({"a": plain, "b": scaled}, {"b": scaled, "a": plain}):
        with pytest.raises(ValueError, match="The model 'b': .*--image-range"):
            load_named_tasks([NAME], models)
    colours = {"a": plain, "b": image_model(3)}
    with pytest.raises(ValueError, match="'a' takes channels=1; 'b' .*=3"):
        load_named_tasks([NAME], colours)
    raw = {"hub": hub_model(), "b": image_model(3)}
    with pytest.raises(ValueError, match=r"value_range=\(0.0, 255.0\); 'b'"):
        load_named_tasks([NAME], raw)
    # The check lets them pass, and the data are not there.
    for models in ({"a": plain, "b": scaled}, raw):
        options = {"value_range": (0, 255), "data_dir": tmp_path}
        with pytest.raises(ValueError, match="to download"):
            load_named_tasks([NAME], models, **options)


def test_every_model_must_take_texts():
    texts, name = image_model(), "calibration/trec"
    texts.takes_texts = True
    with pytest.raises(ValueError, match="The model 'b': .* must take them"):
        load_named_tasks([name], {"a": texts, "b": image_model()})


def test_pairs_of_texts_are_written_as_all_models_take_them():
    pytest.importorskip("tensorflow_datasets")
    other = image_model()
    other.takes_texts = True
    t5 = t5_classifier(preprocessor=t5_preprocessor())
    models = {"a": other, "b": t5}
    with pytest.raises(ValueError, match="'b' takes pairs_as_one_text=True"):
        load_named_tasks(["calibration/mnli"], models)
    # Of one text there is nothing to write otherwise.
    with pytest.raises(ValueError, match="labels of 'trec' have 6 or 47"):
        load_named_tasks(["calibration/trec"], models)


def test_one_is_measured_beside_data_in_files(folder, capsys):
    pytest.importorskip("tensorflow_datasets")
    assert evaluate("--task", NAME) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "fashion_mnist: 29.4 MiB" in error and "--download" in error
    prepare("fashion_mnist", folder / "data")
    x, y = np.ones((4, 28, 28, 1), "float32"), np.arange(4)
    np.savez("test.npz", x=x, y=y)
    (folder / "t.toml").write_text(
        f"[tasks.far]\nkind = '{NAME}'\n"
        "[tasks.near]\nkind = 'calibration'\ntest = 'test.npz'\n"
        f"[tasks.again]\nkind = '{NAME}'\n"
    )
    with no_network():
        assert evaluate("--tasks", "t.toml") == 0
        far, near, again = json.loads(capsys.readouterr().out)["results"]
        typed = ("--task", "calibration", "--task", NAME)
        assert evaluate(*typed, "--data", "test=test.npz") == 0
    named = [far["name"], near["name"], again["name"]]
    assert named == ["far", "near", "again"]
    assert far["num_examples"] == {"test": 12} and again["kind"] == far["kind"]
    assert far["measures"] == again["measures"]
    model = keras.saving.load_model("model.keras")
    task = Calibration((x, y))
    expected = task.measure(task.predict(model))
    assert near["measures"]["nll"]["value"] == pytest.approx(expected["nll"])
    results = json.loads(capsys.readouterr().out)["results"]
    assert [one["name"] for one in results] == ["calibration", NAME]
    assert results[1]["measures"] == far["measures"]


def test_options_of_images_are_read_by_benchmarks_of_images(folder, capsys):
    pytest.importorskip("tensorflow_datasets")
    prepare("fashion_mnist", folder / "data")
    with no_network():
        assert evaluate("--task", NAME, "--image-range", "0,255") == 0
        capsys.readouterr()
        assert evaluate("--task", NAME, "--image-size", "9x9") == 2
    assert "--image-size is for folders" in capsys.readouterr().err


def test_a_saved_model_is_measured_in_the_range_that_is_typed(folder, capsys):
    pytest.importorskip("tensorflow_datasets")
    if keras.config.backend() != "tensorflow":
        pytest.skip("exports need TensorFlow")
    prepare("fashion_mnist", folder / "data")
    scaled = image_model(first=[keras.layers.Rescaling(1 / 255)])
    scaled.save("model.keras")
    scaled.export("served", verbose=False)
    asked = ["--task", NAME, "--data-dir", "data", "--json"]
    asked += ["--resamples", "0"]
    served = ["evaluate", "served", "--output-kind", "softmax_logits", *asked]
    assert main(served) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "shows no layers" in error and "--image-range 0,255" in error
    found = []
    for command in (served, ["evaluate", "model.keras", *asked]):
        assert main([*command, "--image-range", "0,255"]) == 0
        [result] = json.loads(capsys.readouterr().out)["results"]
        found.append(result["measures"]["nll"]["value"])
    assert found[0] == pytest.approx(found[1], abs=1e-5)
