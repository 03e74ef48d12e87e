"""What writing with a converted T5 costs, as ratios to the stock one.

    python -m pytest tests/benchmarks/t5_generate_cost_test.py -m benchmark -s

The models take turns in one process; a ratio is the median over rounds of the
ratio within a round, so that a drift of the machine's speed cancels.
"""

import statistics
import time

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from keras_plex.recipes import T5_PLEX

BATCH = 4
INPUT_LENGTH = 128
WRITTEN_LENGTH = 32
ROUNDS = 7
T5_PLEX_KEEP = {**T5_PLEX, "head": "keep", "head_options": None}

pytestmark = pytest.mark.benchmark

VARIANTS = {
    "stock": None,
    "T5-Plex": T5_PLEX,
    "T5-Plex, stock head": T5_PLEX_KEEP,
    "last block": {"last_blocks": 1},
}


@pytest.fixture(scope="module")
def models():
    """T5 v1.1 small, with random weights."""
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.T5Backbone(
        vocabulary_size=32128,
        num_layers=8,
        num_heads=6,
        hidden_dim=512,
        intermediate_dim=1024,
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
def test_writing_stays_within_its_bound(models, prompts, jit_compile, sampler):
    calls = {}
    for name, model in models.items():
        model.compile(sampler=sampler, jit_compile=jit_compile)
        calls[name] = lambda model=model: model.generate(
            dict(prompts), stop_token_ids=None
        )
    seconds = time_in_turns(calls)
    ratios = {name: ratio(seconds, name, "stock") for name in seconds}
    compiler = "XLA" if jit_compile else "graph"
    print_table(
        f"{sampler}, {compiler}, batch {BATCH}, {INPUT_LENGTH} tokens in, "
        f"{WRITTEN_LENGTH} out",
        seconds,
        ratios,
    )
    assert ratios["T5-Plex, stock head"] <= 1.10


def time_in_turns(calls):
    seconds = {name: [] for name in calls}
    for turn in range(ROUNDS + 2):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn >= 2:  # the first ones compile
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds, name, base):
    pairs = zip(seconds[name], seconds[base], strict=True)
    return statistics.median(one / other for one, other in pairs)


def print_table(title, seconds, ratios):
    print(f"\n{title}: median ms, ratio to stock")
    for name, values in seconds.items():
        median = 1000 * statistics.median(values)
        print(f"  {name:<26}{median:>9.1f}{ratios[name]:>8.3f}")
