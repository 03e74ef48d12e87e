"""Strings become tokens, an end, and padding."""

import copy

import numpy as np
import pytest

from keras_plex.models import T5TextClassifierPreprocessor
from tests.t5_models import t5_preprocessor


@pytest.fixture(autouse=True)
def keras_state():
    """Nothing: seeding TensorFlow or clearing Keras ends SentencePiece."""


@pytest.fixture(scope="module")
def preprocessor():
    return t5_preprocessor(4)


def arrays(inputs):
    return {name: np.asarray(x) for name, x in inputs.items()}


def test_a_text_has_its_tokens_an_end_and_padding(preprocessor):
    found = arrays(preprocessor(["the fox"]))
    tokens = found["encoder_token_ids"]
    words = [preprocessor.tokenizer.id_to_token(int(i)) for i in tokens[0]]
    assert words == ["▁the", "▁fox", "</s>", "<pad>"]
    assert found["encoder_padding_mask"].tolist() == [[1, 1, 1, 0]]


def test_a_long_text_loses_its_end_but_not_the_end_token(preprocessor):
    found = arrays(preprocessor(["the quick brown fox sees the dog"]))
    assert found["encoder_token_ids"].shape == (1, 4)
    end = preprocessor.tokenizer.end_token_id
    assert found["encoder_token_ids"][0, -1] == end


def test_labels_and_weights_pass_through(preprocessor):
    x, y, weight = preprocessor(["the fox", "the dog"], [1, 0], [0.5, 2.0])
    assert np.asarray(x["encoder_token_ids"]).shape == (2, 4)
    assert np.asarray(y).tolist() == [1, 0]
    assert np.asarray(weight).tolist() == [0.5, 2.0]


def test_named_texts_are_an_error(preprocessor):
    with pytest.raises(ValueError, match="into one string"):
        preprocessor({"premise": ["the fox"], "hypothesis": ["the dog"]})


def test_a_configuration_makes_it_again(preprocessor):
    config = preprocessor.get_config()
    again = T5TextClassifierPreprocessor.from_config(copy.deepcopy(config))
    assert again.sequence_length == 4
    assert again.get_config() == config
