"""Any KerasHub language model writes with its members."""

import functools

import keras
import keras_hub
import numpy as np
import pytest

from keras_plex import plexify
from keras_plex.models.generation.tiled_prompts import TiledPrompts
from tests import seq2seq_models
from tests.models.generation import brute_force
from tests.seq2seq_models import tokens_of
from tests.sharp_words import with_sharp_words

MODELS = {
    "gpt2": seq2seq_models.gpt2,
    "bart": seq2seq_models.bart,
    "t5gemma": seq2seq_models.t5gemma,
}


@functools.cache
def converted(name, fast_weight_stddev=0.5):
    """A stock model and its conversion, made once: no test trains them."""
    keras.utils.set_random_seed(0)
    stock = with_sharp_words(MODELS[name]())
    plex = plexify(
        stock, last_blocks=1, fast_weight_stddev=fast_weight_stddev, seed=1
    )
    return stock, plex


def write(model, prompts, sampler):
    model.compile(sampler=sampler, run_eagerly=True)
    prompts = {name: x.copy() for name, x in prompts.items()}
    return tokens_of(model.generate(prompts, stop_token_ids=None))


@pytest.mark.parametrize("name", MODELS)
def test_greedy_takes_the_best_token_of_the_averaged_members(name):
    _, model = converted(name)
    assert isinstance(model, TiledPrompts)
    prompts = seq2seq_models.prompts_for(model)
    expected = brute_force.greedy(model, prompts)
    np.testing.assert_array_equal(write(model, prompts, "greedy"), expected)


@pytest.mark.parametrize("name", ["gpt2", "bart"])
def test_beam_search_is_that_over_the_averaged_members(name):
    _, model = converted(name)
    prompts = seq2seq_models.prompts_for(model, (2,), 6)
    sampler = keras_hub.samplers.BeamSampler(num_beams=3)
    expected = brute_force.beam(model, prompts, num_beams=3)
    np.testing.assert_array_equal(write(model, prompts, sampler), expected)


@pytest.mark.parametrize("sampler", ["greedy", "beam", "contrastive"])
@pytest.mark.parametrize("name", ["gpt2", "bart"])
def test_equal_members_write_what_the_stock_model_writes(name, sampler):
    stock, model = converted(name, fast_weight_stddev=0.0)
    prompts = seq2seq_models.prompts_for(model)
    expected = write(stock, prompts, sampler)
    np.testing.assert_array_equal(write(model, prompts, sampler), expected)


def test_beam_search_fails_in_the_stock_t5gemma_too():
    # Its `generate_step` keeps encoder rows that beam search must repeat.
    stock, model = converted("t5gemma")
    prompts = seq2seq_models.prompts_for(model)
    for one in (stock, model):
        with pytest.raises(Exception, match=r"shape|size|dim"):
            write(one, prompts, keras_hub.samplers.BeamSampler(num_beams=3))


def test_the_sampler_is_back_after_writing():
    _, model = converted("gpt2")
    sampler = keras_hub.samplers.GreedySampler()
    write(model, seq2seq_models.prompts_for(model), sampler)
    assert model.sampler is sampler


def test_layers_tile_again_after_writing():
    _, model = converted("gpt2")
    prompts = seq2seq_models.prompts_for(model)
    before = model.predict_members(prompts)
    write(model, prompts, "greedy")
    np.testing.assert_allclose(model.predict_members(prompts), before)


def test_score_raises():
    _, model = converted("gpt2")
    with pytest.raises(ValueError, match="knows of no members"):
        model.score(np.zeros((1, 3), "int32"))
