"""KerasHub's classes are made when asked for, and found in files."""

import subprocess
import sys

import keras
import pytest

import keras_plex
from keras_plex.hub import late_classes
from tests import cases
from tests.t5_models import t5_classifier

FRESH_PROCESS = """
import sys
import numpy as np, keras, keras_plex
assert "keras_hub" not in sys.modules
model = keras.saving.load_model(sys.argv[1])
inputs = dict(np.load(sys.argv[2]))
np.save(sys.argv[3], keras.ops.convert_to_numpy(model(inputs)))
"""


def test_the_classes_are_those_of_their_files():
    from keras_plex.hub.t5_classifier import T5Classifier

    assert keras_plex.models.T5Classifier is T5Classifier
    assert "T5Classifier" in dir(keras_plex.models)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="T5Classifier"):
        _ = keras_plex.models.Nothing
    assert not hasattr(keras_plex.models, "nothing")


def test_without_kerashub_the_error_has_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    monkeypatch.delitem(
        sys.modules, "keras_plex.hub.t5_classifier", raising=False
    )
    with pytest.raises(ImportError, match=r'pip install "keras_plex\[hub\]"'):
        late_classes.late_class("T5Classifier")


def test_the_registered_name_finds_the_class():
    cls = late_classes.late_class("T5Classifier")
    assert keras.saving.get_registered_name(cls) == "keras_plex>T5Classifier"
    found = keras.saving.get_registered_object("keras_plex>T5Classifier")
    assert found is cls


@pytest.mark.slow
@pytest.mark.parametrize("plex", [False, True], ids=["stock", "plex"])
def test_a_file_loads_where_only_keras_plex_was_imported(tmp_path, plex):
    import numpy as np

    model = cases.with_random_weights(t5_classifier())
    inputs = cases.examples(model)
    if plex:
        model = keras_plex.plexify(model, last_blocks=1, seed=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "inputs.npz", **inputs)
    names = ("model.keras", "inputs.npz", "outputs.npy")
    subprocess.run(
        [
            sys.executable,
            "-c",
            FRESH_PROCESS,
            *(str(tmp_path / name) for name in names),
        ],
        check=True,
    )
    outputs = np.load(tmp_path / "outputs.npy")
    np.testing.assert_allclose(outputs, model(inputs), atol=1e-6)
