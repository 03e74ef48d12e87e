"""A path leads to a model, or to a line that says why not."""

import zipfile

import numpy as np
import pytest

from keras_plex.cli.model_files import load_classifier
from keras_plex.cli.model_files import model_names
from tests.task_cases import TEST
from tests.task_cases import logits_model


def test_a_keras_file_is_loaded(tmp_path):
    logits_model().save(tmp_path / "m.keras")
    model = load_classifier(str(tmp_path / "m.keras"))
    np.testing.assert_allclose(model(TEST[0][:3]), TEST[0][:3], atol=1e-6)


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no model 'gone.keras'"):
        load_classifier("gone.keras")
    (tmp_path / "m.onnx").touch()
    with pytest.raises(ValueError, match="a `.keras` file or a SavedModel"):
        load_classifier(str(tmp_path / "m.onnx"))
    logits_model().save(tmp_path / "m.keras")
    whole = (tmp_path / "m.keras").read_bytes()
    (tmp_path / "half.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="half.keras' is no Keras model"):
        load_classifier(str(tmp_path / "half.keras"))
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as file:
        file.writestr("thesis.txt", "years")
    with pytest.raises(ValueError, match="other.keras' cannot be loaded"):
        load_classifier(str(tmp_path / "other.keras"))
    with pytest.raises(ValueError, match="leave --output-kind out"):
        load_classifier(str(tmp_path / "m.keras"), "probabilities")


def test_names_are_short_where_they_can_be():
    assert model_names(["a/vit.keras", "b/plex"]) == ["vit", "plex"]
    both = ["a/vit.keras", "b/vit.keras"]
    assert model_names(both) == both
