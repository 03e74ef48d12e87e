"""A T5 that takes strings learns, writes, and comes back from a file."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from tests import seq2seq_models
from tests.cases import to_numpy
from tests.sharp_words import with_sharp_words

pytestmark = pytest.mark.slow

PAIRS = {
    "encoder_text": ["the quick brown fox", "the earth is round"] * 4,
    "decoder_text": ["a fox", "the earth"] * 4,
}
TEXTS = ["the quick brown fox", "the earth is round"]


def stock_model():
    keras.utils.set_random_seed(0)
    return with_sharp_words(seq2seq_models.t5_with_strings())


@pytest.fixture(autouse=True)
def keras_state():
    """Nothing: seeding TensorFlow or clearing Keras ends SentencePiece."""


@pytest.fixture(scope="module")
def trained():
    model = plexify(
        stock_model(), last_blocks=1, fast_weight_stddev=0.2, seed=1
    )
    model.compile(
        keras.optimizers.Adam(0.01), sampler="greedy", jit_compile=False
    )
    many = {name: texts * 20 for name, texts in PAIRS.items()}
    history = model.fit(many, batch_size=8, epochs=10, verbose=0)
    return model, history.history


def test_it_learns_what_to_write(trained):
    model, history = trained
    assert history["loss"][-1] < 0.2 * history["loss"][0]
    assert model.generate(TEXTS) == ["a fox", "the earth"]


def test_one_string_gives_one_string(trained):
    model, _ = trained
    assert model.generate(TEXTS[0]) == "a fox"
    found = model.generate_with_uncertainty(TEXTS[0])
    assert found.text == "a fox"
    assert found.entropy.shape == found.token_ids.shape == (9,)
    assert np.shape(found.confidence) == ()


def test_what_it_has_learnt_it_is_sure_of(trained):
    model, _ = trained
    found = model.generate_with_uncertainty(TEXTS)
    assert found.text == ["a fox", "the earth"]
    unseen = model.generate_with_uncertainty(["round brown quick"])
    assert found.confidence.min() > unseen.confidence[0]


def test_a_prompt_may_have_a_beginning_of_the_text(trained):
    model, _ = trained
    prompt = {"encoder_text": TEXTS[0], "decoder_text": "a"}
    # The text starts with what was given.
    assert model.generate(dict(prompt)).startswith("a")
    found = model.generate_with_uncertainty(prompt)
    given = model.preprocessor.tokenizer("a")
    assert not found.generated[: 1 + len(given)].any()
    assert found.generated[1 + len(given)]


def test_max_length_bounds_the_text(trained):
    model, _ = trained
    found = model.generate_with_uncertainty(TEXTS, max_length=3)
    assert found.token_ids.shape == (2, 3)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.data is TensorFlow's"
)
def test_a_dataset_of_strings_gives_its_texts(trained):
    import tensorflow as tf

    model, _ = trained
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS).batch(1)
    assert model.generate_with_uncertainty(dataset).text == [
        "a fox",
        "the earth",
    ]


def test_padding_has_no_part_in_the_loss():
    model = plexify(
        stock_model(), last_blocks=1, fast_weight_stddev=0.2, seed=1
    )
    x, y, weight = model.preprocessor(PAIRS)
    x = {name: ops.convert_to_numpy(value) for name, value in x.items()}
    y, weight = np.asarray(y), np.asarray(weight).astype("float32")
    loss = model.evaluate(PAIRS, verbose=0, return_dict=True)["loss"]
    logits = to_numpy(model(x)).astype("float64")
    odds = np.exp(logits)
    p = odds / odds.sum(-1, keepdims=True)
    token_losses = -np.log(np.take_along_axis(p, y[..., None], -1)[..., 0])
    # Keras divides by all tokens, whatever their weights.
    expected = (token_losses * weight).sum() / weight.size
    assert loss == pytest.approx(expected, rel=1e-3)


def test_a_loaded_model_writes_the_same(trained, tmp_path):
    model, _ = trained
    path = tmp_path / "model.keras"
    model.save(path)
    found = model.generate_with_uncertainty(TEXTS)
    script = (
        "import sys, keras, numpy as np, keras_plex\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        f"found = model.generate_with_uncertainty({TEXTS!r})\n"
        f"assert model.generate({TEXTS!r}) == found.text\n"
        "assert type(model.sampler).__name__ == 'GreedySampler'\n"
        "np.savez(sys.argv[2], entropy=found.entropy, text=found.text,\n"
        "         information=found.mutual_information)\n"
    )
    saved = tmp_path / "found.npz"
    root = pathlib.Path(__file__).resolve().parents[3]
    result = subprocess.run(
        [sys.executable, "-c", script, str(path), str(saved)],
        capture_output=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        text=True,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    loaded = np.load(saved)
    assert loaded["text"].tolist() == found.text
    np.testing.assert_allclose(loaded["entropy"], found.entropy, atol=1e-5)
    np.testing.assert_allclose(
        loaded["information"], found.mutual_information, atol=1e-5
    )
