"""What writing with a converted T5 costs, as ratios to the stock one.

    python -m pytest tests/benchmarks/t5_generate_cost_test.py -m benchmark -s

Shapes of T5 1.1, base and small, with random weights. For each token written
the decoder's weights are read, in the small model half of them those of the
output layer: the shorter the input and the longer the answer, the more counts
what the Gaussian process over the words adds to it.
"""

import dataclasses

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from keras_plex.recipes import T5_PLEX
from tests.benchmarks.turns import compare

BATCH = 4

pytestmark = pytest.mark.benchmark

VARIANTS = {
    "stock": None,
    "T5-Plex": T5_PLEX,
    "T5-Plex, stock head": {**T5_PLEX, "head": "keep", "head_options": None},
}


@dataclasses.dataclass(frozen=True)
class Shape:
    """A model's size, what it reads, and how many rounds are timed."""

    num_layers: int
    num_heads: int
    hidden_dim: int
    intermediate_dim: int
    input_length: int
    rounds: int
    written_length: int = 32


BASE = Shape(12, 12, 768, 2048, input_length=512, rounds=3)
BASE_SHORT = dataclasses.replace(BASE, input_length=128)
SMALL = Shape(8, 6, 512, 1024, input_length=128, rounds=7)
# The paper reads 512 tokens and writes up to 3: an intent in three levels.
BASE_LABELS = dataclasses.replace(BASE, written_length=4)
SMALL_LABELS = dataclasses.replace(SMALL, input_length=512, written_length=4)


def make_models(shape):
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.T5Backbone(
        vocabulary_size=32128,
        num_layers=shape.num_layers,
        num_heads=shape.num_heads,
        hidden_dim=shape.hidden_dim,
        intermediate_dim=shape.intermediate_dim,
        key_value_dim=64,
        activation="gelu",
        use_gated_activation=True,
        tie_embedding_weights=False,
    )
    stock = keras_hub.models.T5Seq2SeqLM(backbone)
    return {
        name: stock if kw is None else keras_plex.plexify(stock, seed=0, **kw)
        for name, kw in VARIANTS.items()
    }


@pytest.fixture(scope="module")
def base_models():
    return make_models(BASE)


@pytest.fixture(scope="module")
def small_models():
    return make_models(SMALL)


def make_prompts(shape):
    generator = np.random.default_rng(0)
    texts = generator.integers(2, 32128, size=(BATCH, shape.input_length))
    written = np.zeros((BATCH, shape.written_length), "int32")
    return {
        "encoder_token_ids": texts.astype("int32"),
        "encoder_padding_mask": np.ones(texts.shape, bool),
        "decoder_token_ids": written,
        # The start token is there.
        "decoder_padding_mask": np.arange(shape.written_length)
        < written[:, :1] + 1,
    }


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_writing_stays_within_its_bound(base_models, jit_compile):
    ratios = compare_writing(base_models, BASE, jit_compile)
    assert ratios["T5-Plex"] <= 1.10


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_labels_of_a_base_model(base_models, jit_compile):
    ratios = compare_writing(base_models, BASE_LABELS, jit_compile)
    assert ratios["T5-Plex"] <= 1.10


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_labels_of_a_small_model(small_models, jit_compile):
    ratios = compare_writing(small_models, SMALL_LABELS, jit_compile)
    assert ratios["T5-Plex"] <= 1.10


@pytest.mark.parametrize("sampler", ["greedy", "top_k"])
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_short_inputs(base_models, jit_compile, sampler):
    ratios = compare_writing(base_models, BASE_SHORT, jit_compile, sampler)
    assert ratios["T5-Plex"] <= 1.10


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_small_model(small_models, jit_compile):
    ratios = compare_writing(small_models, SMALL, jit_compile)
    assert ratios["T5-Plex"] <= 1.10


def compare_writing(models, shape, jit_compile, sampler="greedy"):
    calls, prompts = {}, make_prompts(shape)
    for name, model in models.items():
        model.compile(sampler=sampler, jit_compile=jit_compile)
        calls[name] = lambda model=model: model.generate(
            dict(prompts), stop_token_ids=None
        )
    compiler = "XLA" if jit_compile else "graph"
    lengths = f"{shape.input_length} tokens in, {shape.written_length - 1} out"
    width = f"width {shape.hidden_dim}"
    title = f"{width}, {sampler}, {compiler}, batch {BATCH}, {lengths}"
    return compare(title, calls, rounds=shape.rounds)
