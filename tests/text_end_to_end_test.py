"""Strings go into a converted text classifier, as into the stock one."""

import os
import string
import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from keras_plex.callbacks import ReliabilityMonitor
from tests import text_models

pytestmark = pytest.mark.slow

TEXTS = np.array(["the quick fox", "a dog sleeps", "the dog", "a quick fox"])
LABELS = np.array([0, 1, 2, 0])
WORDS = ["the", "quick", "fox", "a", "dog", "sleeps"]

FRESH_PROCESS = """
import sys
import numpy as np, keras, keras_plex
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[2], model.predict_members(np.load(sys.argv[3])))
"""


def bert():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=special + WORDS)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        tokenizer, sequence_length=6
    )
    return text_models.bert(preprocessor=preprocessor)


def roberta():
    # KerasHub's two ways to tokenize differ in what they make of a letter that
    # the vocabulary lacks.
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", "th", "the"]
    tokens += string.ascii_lowercase
    tokenizer = keras_hub.models.RobertaTokenizer(
        vocabulary={token: i for i, token in enumerate(tokens)},
        merges=["t h", "th e"],
    )
    preprocessor = keras_hub.models.RobertaTextClassifierPreprocessor(
        tokenizer, sequence_length=6
    )
    return text_models.roberta(preprocessor=preprocessor)


MODELS = {"bert": bert, "roberta": roberta}


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    keras.utils.set_random_seed(0)
    stock = MODELS[request.param]()
    model = keras_plex.plexify(stock, last_blocks=1, seed=0)
    assert model.preprocessor is stock.preprocessor
    monitor = ReliabilityMonitor(
        (TEXTS, LABELS), ood={"others": TEXTS[::-1]}, scores=("msp",)
    )
    history = model.fit(
        TEXTS, LABELS, batch_size=2, callbacks=[monitor], verbose=0
    ).history
    return model, history


def test_fit_and_monitor_take_strings(fitted):
    _, history = fitted
    assert np.isfinite(history["loss"]).all()
    assert {"val_ece", "ood/others/msp_auroc"} <= set(history)


def test_predictions_are_those_of_the_tokens(fitted):
    model, _ = fitted
    found = model.predict_uncertainty(TEXTS)
    assert found.member_probabilities.shape == (4, 3, 3)
    tokens = model.preprocessor(TEXTS.tolist())
    logits = model(tokens)
    expected = keras.ops.softmax(logits)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(
        model.predict(TEXTS, verbose=0), logits, atol=1e-5
    )
    assert len(model.evaluate(TEXTS, LABELS, verbose=0)) == 2


def test_a_fresh_process_has_the_tokenizer(fitted, tmp_path):
    model, _ = fitted
    paths = [tmp_path / name for name in ("m.keras", "out.npy", "texts.npy")]
    model.save(paths[0])
    np.save(paths[2], TEXTS)
    result = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, *map(str, paths)],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": keras.config.backend()},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    np.testing.assert_array_equal(
        np.load(paths[1]), model.predict_members(TEXTS)
    )
