"""Prompts of any form become batches of tokens."""

import numpy as np
import pytest
from keras import ops

from keras_plex.models.generation.prompts import Prompts
from keras_plex.models.generation.prompts import padding_mask
from keras_plex.models.generation.prompts import to_array
from keras_plex.models.generation.prompts import token_names


class Preprocessor:
    def generate_preprocess(self, x, sequence_length=None):
        return {"token_ids": x, "length": sequence_length}


class Dataset:
    def __init__(self, batches):
        self.batches = batches

    def as_numpy_iterator(self):
        return iter(self.batches)


def test_token_ids_stay_as_they_are():
    batch = {"token_ids": np.zeros((2, 3))}
    prompts = Prompts.from_inputs(batch, None, None)
    assert prompts.batches == [batch]
    assert not prompts.is_single


def test_a_string_becomes_a_batch_of_one():
    prompts = Prompts.from_inputs("a fox", Preprocessor(), 7)
    assert prompts.batches == [{"token_ids": ["a fox"], "length": 7}]
    assert prompts.is_single


def test_a_dict_of_strings_becomes_a_batch_of_one():
    text = {"encoder_text": "a fox", "decoder_text": "a"}
    prompts = Prompts.from_inputs(text, Preprocessor(), None)
    expected = {"encoder_text": ["a fox"], "decoder_text": ["a"]}
    assert prompts.batches[0]["token_ids"] == expected
    assert prompts.is_single
    assert text["encoder_text"] == "a fox"  # the caller's dict is untouched


def test_a_list_of_strings_is_one_batch():
    prompts = Prompts.from_inputs(["a", "b"], Preprocessor(), None)
    assert prompts.batches[0]["token_ids"] == ["a", "b"]
    assert not prompts.is_single


def test_a_dataset_keeps_its_batches():
    prompts = Prompts.from_inputs(Dataset([["a"], ["b"]]), Preprocessor(), None)
    assert [x["token_ids"] for x in prompts.batches] == [["a"], ["b"]]


def test_names_of_tokens_are_those_of_the_model():
    both = {"encoder_token_ids": 0, "decoder_token_ids": 0}
    assert token_names(both) == ("decoder_token_ids", "decoder_padding_mask")
    assert token_names({"token_ids": 0}) == ("token_ids", "padding_mask")


def test_prompts_without_tokens_raise():
    with pytest.raises(ValueError, match=r"one of the keys.*\['images'\]"):
        token_names({"images": 0})


def test_tensors_and_arrays_become_arrays():
    for x in (ops.ones((2,)), np.ones(2), [1.0, 1.0]):
        assert to_array(x).tolist() == [1.0, 1.0]


def test_the_padding_mask_is_that_of_the_written_tokens():
    both = {"encoder_padding_mask": 1, "decoder_padding_mask": 2}
    assert padding_mask(both) == 2
    assert padding_mask({"padding_mask": 3}) == 3
    assert padding_mask({"images": 4}) is padding_mask([5]) is None
