"""Writing stops where the stock class's `generate` stops."""

import types

import keras_hub
import pytest

from keras_plex.models.generation.stop_tokens import stop_tokens
from tests import seq2seq_models


def with_tokenizer(model, **ids):
    """The model with a tokenizer that knows these tokens."""
    known = {"<end_of_turn>": 7, "<|end|>": 8}
    tokenizer = types.SimpleNamespace(
        token_to_id=lambda token: known.get(token, 0), **ids
    )
    model.preprocessor = types.SimpleNamespace(tokenizer=tokenizer)
    return model


def phi3():
    return keras_hub.models.Phi3CausalLM(
        keras_hub.models.Phi3Backbone(
            vocabulary_size=11,
            num_layers=1,
            hidden_dim=8,
            intermediate_dim=8,
            num_query_heads=2,
            num_key_value_heads=2,
        )
    )


def asked(model):
    """What `generate` of the stock class asks its sampler to stop at."""
    seen = []

    class Asked(Exception):
        pass

    def generate_step(inputs, stop_token_ids=None):
        seen.append(list(stop_token_ids))
        raise Asked

    model.make_generate_function = lambda: generate_step
    model.preprocessor.generate_preprocess = lambda x, sequence_length: x
    with pytest.raises(Asked):
        model.generate("a prompt")
    return seen[0]


@pytest.mark.parametrize(
    "make, expected", [(phi3, [1, 8]), (seq2seq_models.gpt2, [1])]
)
def test_they_are_those_of_generate(make, expected):
    model = with_tokenizer(make(), end_token_id=1)
    assert stop_tokens(model, "auto") == asked(model) == expected


def test_some_tokenizers_have_two_ends():
    model = with_tokenizer(
        seq2seq_models.gpt2(), end_token_id=1, end_token2_id=2
    )
    assert stop_tokens(model, "auto") == asked(model) == [1, 2]


def test_what_is_asked_for_is_taken():
    model = seq2seq_models.gpt2()
    assert stop_tokens(model, None) is None
    assert stop_tokens(model, (3, 4)) == (3, 4)
    for request in ("auto", "never"):
        with pytest.raises(ValueError, match="`stop_token_ids` must be None"):
            stop_tokens(model, request)
