"""A server that is sent strings answers as the KerasHub task does."""

import subprocess
import sys

import numpy as np
import pytest

import keras_plex
from keras_plex.export import answer_request
from keras_plex.export import export_for_serving
from keras_plex.export.exported_classifier import ExportedClassifier
from keras_plex.export.text_inputs import text_inputs
from keras_plex.tasks import Calibration
from tests import cases
from tests.other_backends import ROOT
from tests.t5_models import t5_classifier
from tests.t5_models import t5_preprocessor
from tests.text_models import bert_of_strings

pytest.importorskip("tensorflow_text")

TEXTS = ["a b folder", "b b", "a"]


def t5():
    return t5_classifier(preprocessor=t5_preprocessor())


@pytest.mark.parametrize("make", [bert_of_strings, t5])
def test_strings_are_tokenized_as_by_the_task(make, tmp_path):
    model = keras_plex.plexify(make(), last_blocks=1, seed=0)
    folder = export_for_serving(model, tmp_path, input_kind="text")
    answer = answer_request(folder, TEXTS)
    expected = model.predict_uncertainty(TEXTS)
    for name in ("probabilities", "mutual_information"):
        np.testing.assert_allclose(
            answer[name], getattr(expected, name), atol=1e-5
        )
    one = answer_request(folder, TEXTS[:1])["probabilities"]
    np.testing.assert_allclose(one, answer["probabilities"][:1], atol=1e-6)


def test_it_is_measured_on_texts(tmp_path):
    model = keras_plex.plexify(bert_of_strings(), last_blocks=1, seed=0)
    export_for_serving(model, tmp_path, input_kind="text")
    served = ExportedClassifier(tmp_path)
    assert served.takes_texts
    task = Calibration((np.array(TEXTS), np.array([0, 1, 2])))
    found = [
        keras_plex.evaluate(one, task, resamples=0, verbose=0)
        for one in (served, model)
    ]
    nll = [report["calibration"]["nll"].value for report in found]
    assert nll[0] == pytest.approx(nll[1], abs=1e-5)


@pytest.mark.slow
def test_another_process_needs_no_keras(tmp_path):
    folder = export_for_serving(t5(), tmp_path, input_kind="text")
    code = f"""
import sys
import tensorflow as tf, tensorflow_text
loaded = tf.saved_model.load({str(folder)!r})
answer = loaded.signatures["serving_default"](inputs=tf.constant({TEXTS}))
assert "keras_plex" not in sys.modules and "keras_hub" not in sys.modules
print(answer["probabilities"].shape)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=ROOT, text=True
    )
    assert result.stdout.startswith("(3, "), result.stderr


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    folder = export_for_serving(bert_of_strings(), tmp_path, input_kind="text")
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(ImportError, match="pip install tensorflow-text"):
        answer_request(folder, TEXTS)


def test_a_model_needs_a_preprocessor_of_texts():
    for model in (cases.make("mlp"), cases.make("vit")):
        with pytest.raises(ValueError, match="turns texts into tokens"):
            text_inputs(model)
