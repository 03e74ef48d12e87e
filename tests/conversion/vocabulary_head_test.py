"""The paper's Gaussian process over the words of a language model."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from keras_plex.conversion.vocabulary_head import find_vocabulary_head
from keras_plex.conversion.vocabulary_head import is_vocabulary_head
from keras_plex.layers.vocabulary_gp import VocabularyGP
from tests import cases
from tests import seq2seq_models
from tests.models.generation import brute_force
from tests.sharp_words import with_sharp_words

MODELS = {
    "t5": seq2seq_models.t5_seq2seq_lm,
    "t5_untied": seq2seq_models.t5_gated,
    "gpt2": seq2seq_models.gpt2,
}


def converted(name="t5", **arguments):
    keras.utils.set_random_seed(0)
    stock = with_sharp_words(MODELS[name]())
    arguments = {
        "head": "gp",
        "head_options": {"num_features": 32},
        "last_blocks": 1,
        "fast_weight_stddev": 0.0,
        "seed": 1,
        **arguments,
    }
    model = plexify(stock, **arguments)
    model.compile(
        keras.optimizers.SGD(0.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        sampler="greedy",
        run_eagerly=True,
    )
    return stock, model


def batch(model):
    """Examples of three and five tokens."""
    x = seq2seq_models.prompts_for(model, (3, 5))
    mask = x.get("padding_mask", x.get("decoder_padding_mask"))
    return x, seq2seq_models.tokens_of(x), mask


@pytest.mark.parametrize("name", MODELS)
def test_it_starts_as_the_stock_model(name):
    stock, model = converted(name)
    x, _, _ = batch(model)
    assert isinstance(model.covariance_head, VocabularyGP)
    np.testing.assert_allclose(
        cases.to_numpy(ops.softmax(model(x))),
        cases.to_numpy(ops.softmax(stock(x))),
        atol=1e-5,
    )


def test_with_a_zero_mean_it_is_the_process_alone():
    stock, model = converted(
        head_options={"num_features": 32, "mean_function": "zero"}
    )
    x, _, _ = batch(model)
    found = model.predict_details(x, features=True)
    expected = model.covariance_head.mean_logits(found["features"])
    np.testing.assert_allclose(
        found["outputs"], cases.to_numpy(expected), atol=1e-5
    )
    before = cases.to_numpy(stock(x))
    assert np.abs(model.predict(x, verbose=0) - before).max() > 0.1


@pytest.mark.parametrize("name", ["t5", "gpt2"])
def test_its_covariance_is_that_of_the_last_epochs_tokens(name):
    _, model = converted(name)
    x, y, mask = batch(model)
    weight = mask.astype("float32")
    model.fit(x, y, sample_weight=weight, epochs=2, verbose=0)
    head = model.covariance_head
    features = model.predict_details(x, features=True)["features"]
    phi = cases.to_numpy(head.covariance_features(features))
    tokens = np.swapaxes(phi, 1, 2)[mask].reshape(-1, 32)
    assert len(tokens) == 3 * (3 + 5)  # no padding
    np.testing.assert_allclose(
        cases.to_numpy(head.covariance.precision), tokens.T @ tokens, atol=1e-3
    )
    variance = model.predict_details(x)["variance"]
    assert variance.shape == (2, 3, 8)
    assert 0 < variance.min() and variance.max() < 1


def test_writing_uses_the_logits_that_the_variance_flattens():
    _, model = converted(fast_weight_stddev=0.5)
    x, y, mask = batch(model)
    weight = mask.astype("float32")
    model.fit(x, y, sample_weight=weight, verbose=0)
    prompts = {name: value.copy() for name, value in x.items()}
    written = model.generate(prompts, stop_token_ids=None)
    np.testing.assert_array_equal(
        seq2seq_models.tokens_of(written), brute_force.greedy(model, x)
    )


def test_it_goes_to_a_file_and_back(tmp_path):
    _, model = converted(fast_weight_stddev=0.5)
    x, y, mask = batch(model)
    model.fit(x, y, sample_weight=mask.astype("float32"), verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    for name, expected in model.predict_details(x).items():
        found = loaded.predict_details(x)[name]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_fit_covariance_says_what_to_do_instead():
    _, model = converted()
    x, _, _ = batch(model)
    with pytest.raises(ValueError, match="last epoch of `fit`"):
        model.fit_covariance(x)


def test_only_an_embedding_that_ends_a_model_is_a_vocabulary_head():
    head = find_vocabulary_head(seq2seq_models.gpt2())
    assert is_vocabulary_head(head)
    assert find_vocabulary_head(cases.mlp()) is None
    assert not is_vocabulary_head(None)


def test_other_heads_name_what_is_missing():
    with pytest.raises(ValueError, match="cannot get the head 'laplace'"):
        plexify(seq2seq_models.gpt2(), head="laplace")
