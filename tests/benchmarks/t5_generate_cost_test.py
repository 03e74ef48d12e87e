"""What writing with a converted T5 costs, as ratios to the stock one.

    python -m pytest tests/benchmarks/t5_generate_cost_test.py -m benchmark -s

Shapes of T5 1.1, base and small, with random weights. The bound is that of the
base model. In the small one the words are half of the decoder: a Gaussian
process over them reads twice as many weights as the stock output layer, and its
cost is printed alone.
"""

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from keras_plex.recipes import T5_PLEX
from tests.benchmarks.turns import compare

BATCH = 4
INPUT_LENGTH = 128
WRITTEN_LENGTH = 32

pytestmark = pytest.mark.benchmark

VARIANTS = {
    "stock": None,
    "T5-Plex": T5_PLEX,
    "T5-Plex, stock head": {**T5_PLEX, "head": "keep", "head_options": None},
    "last block": {"last_blocks": 1},
}

# Arguments of the backbone, and how many rounds are timed.
BASE = (
    {
        "num_layers": 12,
        "num_heads": 12,
        "hidden_dim": 768,
        "intermediate_dim": 2048,
    },
    5,
)
SMALL = (
    {
        "num_layers": 8,
        "num_heads": 6,
        "hidden_dim": 512,
        "intermediate_dim": 1024,
    },
    7,
)


def make_models(size):
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.T5Backbone(
        vocabulary_size=32128,
        **size,
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
    return make_models(BASE[0])


@pytest.fixture(scope="module")
def small_models():
    return make_models(SMALL[0])


@pytest.fixture
def prompts():
    generator = np.random.default_rng(0)
    texts = generator.integers(2, 32128, size=(BATCH, INPUT_LENGTH))
    written = np.zeros((BATCH, WRITTEN_LENGTH), "int32")
    return {
        "encoder_token_ids": texts.astype("int32"),
        "encoder_padding_mask": np.ones(texts.shape, bool),
        "decoder_token_ids": written,
        "decoder_padding_mask": np.arange(WRITTEN_LENGTH) < written[:, :1] + 1,
    }


@pytest.mark.parametrize("sampler", ["greedy", "top_k"])
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_writing_stays_within_its_bound(
    base_models, prompts, jit_compile, sampler
):
    ratios = compare_writing(
        base_models, prompts, jit_compile, sampler, BASE[1]
    )
    assert ratios["T5-Plex"] <= 1.10


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_small_model(small_models, prompts, jit_compile):
    ratios = compare_writing(
        small_models, prompts, jit_compile, "greedy", SMALL[1]
    )
    assert ratios["T5-Plex, stock head"] <= 1.10


def compare_writing(models, prompts, jit_compile, sampler, rounds):
    calls = {}
    for name, model in models.items():
        model.compile(sampler=sampler, jit_compile=jit_compile)
        calls[name] = lambda model=model: model.generate(
            dict(prompts), stop_token_ids=None
        )
    compiler = "XLA" if jit_compile else "graph"
    lengths = f"{INPUT_LENGTH} tokens in, {WRITTEN_LENGTH} out"
    width = models["stock"].backbone.hidden_dim
    title = f"width {width}, {sampler}, {compiler}, batch {BATCH}, {lengths}"
    return compare(title, calls, rounds=rounds)
