"""T5 with members: what it writes, from which rows."""

import pathlib

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from keras_plex.conversion.surgery import intercept_calls
from keras_plex.models.generation.member_decoder import CachedLayer
from keras_plex.models.generation.member_decoder import MemberDecoder
from tests import seq2seq_models
from tests.cases import to_numpy
from tests.models.generation import brute_force
from tests.other_backends import OTHER_BACKENDS
from tests.other_backends import run_tests
from tests.seq2seq_models import tokens_of
from tests.sharp_words import with_sharp_words

MEMBERS = 3
LAST = {"last_blocks": 1}
DECODER = {"last_blocks": 2}
EVERYWHERE = {"last_blocks": "all"}
FEED_FORWARD = {"last_blocks": 1, "ensemble_attention": False}
ENCODER_ONLY = {"layers": ["encoder.*_1/output_projector"]}
WHERE = {
    "last": LAST,
    "decoder": DECODER,
    "everywhere": EVERYWHERE,
    "feed_forward": FEED_FORWARD,
    "encoder_only": ENCODER_ONLY,
}
SAMPLERS = {
    "greedy": lambda: "greedy",
    "beam": lambda: keras_hub.samplers.BeamSampler(num_beams=3),
    "contrastive": lambda: keras_hub.samplers.ContrastiveSampler(k=3),
}

# What runs on the other backends, of this file and of those beside it.
ELSEWHERE = (
    "greedy_takes",
    "of_a_whole_pass",
    "(beam_search and everywhere)",
    "top_k_writes",
    "(equal_members and contrastive and gpt2)",
    "(numbers_are_those and t5)",
)
ALSO_ELSEWHERE = ("tiled_prompts", "generates_text")
FOLDER = pathlib.Path(__file__).parent


def converted(make=seq2seq_models.t5_seq2seq_lm, **arguments):
    """A stock model and its conversion, made once: no test trains them."""
    key = (make, repr(sorted(arguments.items())))
    if key not in _made:
        keras.utils.set_random_seed(0)
        stock = with_sharp_words(make())
        arguments = {"fast_weight_stddev": 0.5, "seed": 1, **arguments}
        _made[key] = stock, plexify(stock, **arguments)
    return _made[key]


_made = {}


def write(model, prompts, sampler="greedy", **arguments):
    model.compile(sampler=sampler, run_eagerly=True)
    prompts = {name: x.copy() for name, x in prompts.items()}
    arguments = {"stop_token_ids": None, **arguments}
    return tokens_of(model.generate(prompts, **arguments))


@pytest.mark.parametrize("where", WHERE)
def test_greedy_takes_the_best_token_of_the_averaged_members(where):
    _, model = converted(**WHERE[where])
    assert isinstance(model, MemberDecoder)
    prompts = seq2seq_models.prompts_for(model)
    written = write(model, prompts)
    np.testing.assert_array_equal(written, brute_force.greedy(model, prompts))


def test_members_that_differ_write_something_else():
    stock, model = converted(**EVERYWHERE)
    prompts = seq2seq_models.prompts_for(model)
    assert (write(model, prompts) != write(stock, prompts)).any()


@pytest.mark.parametrize("where", ["decoder", "everywhere", "feed_forward"])
def test_beam_search_is_that_over_the_averaged_members(where):
    _, model = converted(**WHERE[where])
    for seed_length in (1, 2):
        prompts = seq2seq_models.prompts_for(model, (seed_length,), 6)
        written = write(model, prompts, SAMPLERS["beam"]())
        expected = brute_force.beam(model, prompts, num_beams=3)
        np.testing.assert_array_equal(written, expected)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("where", ["decoder", "everywhere", "feed_forward"])
def test_equal_members_write_what_the_stock_model_writes(where, sampler):
    stock, model = converted(**WHERE[where], fast_weight_stddev=0.0)
    prompts = seq2seq_models.prompts_for(model)
    make = SAMPLERS[sampler]
    written = write(model, prompts, make())
    np.testing.assert_array_equal(written, write(stock, prompts, make()))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_one_member_writes_what_the_stock_model_writes(sampler):
    stock, model = converted(
        **EVERYWHERE, ensemble_size=1, fast_weight_stddev=0.0
    )
    prompts = seq2seq_models.prompts_for(model)
    make = SAMPLERS[sampler]
    written = write(model, prompts, make())
    np.testing.assert_array_equal(written, write(stock, prompts, make()))


def test_an_untied_gated_model_writes_the_best_tokens():
    _, model = converted(seq2seq_models.t5_gated, **DECODER)
    prompts = seq2seq_models.prompts_for(model)
    expected = brute_force.greedy(model, prompts)
    np.testing.assert_array_equal(write(model, prompts), expected)


@pytest.mark.parametrize("sampler", ["top_k", "top_p", "random"])
def test_what_is_drawn_repeats_with_its_seed(sampler):
    _, model = converted(**DECODER)
    prompts = seq2seq_models.prompts_for(model)
    make = {
        "top_k": lambda: keras_hub.samplers.TopKSampler(k=2, seed=3),
        "top_p": lambda: keras_hub.samplers.TopPSampler(p=0.5, seed=3),
        "random": lambda: keras_hub.samplers.RandomSampler(seed=3),
    }[sampler]
    written = write(model, prompts, make())
    np.testing.assert_array_equal(written, write(model, prompts, make()))


def test_top_k_writes_only_the_top_tokens_of_the_averaged_members():
    _, model = converted(**DECODER)
    prompts = seq2seq_models.prompts_for(model, (1,) * 8)
    sampler = keras_hub.samplers.TopKSampler(k=2, seed=3)
    written = write(model, prompts, sampler)
    ranks = []
    for i in range(1, written.shape[1]):
        found = brute_force.next_log_probabilities(
            brute_force.Members(model), prompts, written, i
        )
        chosen = np.take_along_axis(found, written[:, i : i + 1], -1)
        ranks.append((found > chosen + 1e-4).sum(-1))
    assert set(np.unique(ranks)) == {0, 1}


@pytest.mark.parametrize("where", WHERE)
def test_logits_from_caches_are_those_of_a_whole_pass(where):
    _, model = converted(**WHERE[where])
    x = seq2seq_models.prompts_for(model, (8, 8))
    expected = to_numpy(model(x))
    x = {name: ops.convert_to_tensor(value) for name, value in x.items()}
    seed = ops.zeros_like(x["decoder_token_ids"])
    _, encoded, own, cross = model._build_cache(
        x["encoder_token_ids"], x["encoder_padding_mask"], seed
    )
    for i in range(8):
        logits, hidden, own, _ = model.call_decoder_with_cache(
            encoder_hidden_states=encoded,
            encoder_padding_mask=x["encoder_padding_mask"],
            decoder_token_ids=x["decoder_token_ids"][:, i : i + 1],
            self_attention_cache=own,
            self_attention_cache_update_index=i,
            cross_attention_cache=cross,
            cross_attention_cache_update_index=None,
        )
        np.testing.assert_allclose(
            to_numpy(logits)[:, 0], expected[:, i], atol=2e-5
        )
        assert tuple(hidden.shape) == (2, 1, 8)


@pytest.mark.skipif(
    keras.config.backend() == "jax", reason="JAX traces a loop once."
)
@pytest.mark.parametrize("where", ["last", "decoder", "everywhere"])
def test_what_members_share_runs_once(where):
    _, model = converted(**WHERE[where])
    prompts = seq2seq_models.prompts_for(model)
    rows = {}

    def note(operation, args, kwargs):
        if type(operation).__name__ == "T5TransformerLayer":
            rows.setdefault(operation.name, []).append(args[0].shape[0])
        return args, kwargs

    with intercept_calls(note):
        write(model, prompts)
    blocks = {"last": 1, "decoder": 2, "everywhere": 6}[where]
    backbone = model.backbone
    encoder = backbone.encoder_transformer_layers
    layers = encoder + backbone.decoder_transformer_layers
    few = len(layers) - blocks
    for number, layer in enumerate(layers):
        batch = 2 if number < few else 2 * MEMBERS
        assert set(rows[layer.name]) == {batch}
        # The encoder meets a text once; the decoder each token, and the prompt.
        calls = 1 if number < len(encoder) else 1 + 7
        assert len(rows[layer.name]) == calls


@pytest.mark.parametrize(
    ("where", "with_members"),
    [("last", [False, False, True]), ("decoder", [False, True, True])],
)
def test_caches_grow_by_the_members_alone(where, with_members):
    _, model = converted(**WHERE[where])
    x = seq2seq_models.prompts_for(model)
    own, cross = model._initialize_cache(
        x["encoder_token_ids"], x["decoder_token_ids"]
    )
    for caches, length in ((own, 8), (cross, 5)):
        assert len(caches) == 3
        for cache, has_members in zip(caches, with_members, strict=True):
            members = (MEMBERS,) if has_members else ()
            for states in cache:
                assert tuple(states.shape) == (2, *members, 2, length, 4)


def test_a_cache_gives_back_the_rows_it_stored():
    rows = ops.reshape(ops.arange(2 * MEMBERS * 5), (2 * MEMBERS, 5))
    cached = CachedLayer(keras.layers.Identity(), MEMBERS)
    stored = cached.to_examples((rows, rows + 1))
    assert [tuple(states.shape) for states in stored] == [(2, MEMBERS, 5)] * 2
    for found, expected in zip(
        cached.to_rows(stored), (rows, rows + 1), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_writing_ends_at_the_stop_token():
    _, model = converted(**DECODER)
    prompts = seq2seq_models.prompts_for(model, (1,))
    free = write(model, prompts)
    stop = int(free[0, 3])
    model.compile(sampler="greedy", run_eagerly=True)
    found = model.generate(prompts, stop_token_ids=(stop,))
    first = list(free[0, 1:]).index(stop) + 1
    mask = np.asarray(found["decoder_padding_mask"])[0]
    np.testing.assert_array_equal(mask, np.arange(8) <= first)


def test_the_compiled_function_is_kept_until_compile():
    _, model = converted(**DECODER)
    prompts = seq2seq_models.prompts_for(model)
    model.compile(sampler="greedy")
    greedy = tokens_of(model.generate(dict(prompts), stop_token_ids=None))
    function = model.generate_function
    model.generate(dict(prompts), stop_token_ids=None)
    assert model.generate_function is function is not None
    np.testing.assert_array_equal(greedy, write(model, prompts))
    assert model.generate_function is not function


@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_it_writes_the_same_way_on_another_backend(backend):
    # JAX compiles every length anew: few of each kind.
    others = [str(FOLDER / f"{name}_test.py") for name in ALSO_ELSEWHERE]
    run_tests(backend, __file__, *others, "-k", " or ".join(ELSEWHERE))
