"""What a converted BERT-base costs, as ratios to the stock one.

    python -m pytest tests/benchmarks/bert_cost_test.py -m benchmark -s

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

BATCH, LENGTH, VOCABULARY = 8, 128, 30522
ROUNDS = 7

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=VOCABULARY,
        num_layers=12,
        num_heads=12,
        hidden_dim=768,
        intermediate_dim=3072,
    )
    stock = keras_hub.models.BertTextClassifier(backbone, num_classes=10)
    return {
        "stock": stock,
        "last 2 blocks, GP head": keras_plex.plexify(stock, seed=0),
    }


@pytest.fixture(scope="module")
def tokens():
    generator = np.random.default_rng(0)
    shape = (BATCH, LENGTH)
    return {
        "token_ids": generator.integers(0, VOCABULARY, shape).astype("int32"),
        "segment_ids": np.zeros(shape, "int32"),
        "padding_mask": np.ones(shape, "int32"),
    }


@pytest.fixture(scope="module", params=[False, True], ids=["graph", "xla"])
def jit_compile(request):
    return request.param


def test_forward_stays_within_its_bound(models, tokens, jit_compile):
    for model in models.values():
        model.compile(jit_compile=jit_compile)
    ratio = measure(
        f"forward, {compiler(jit_compile)}",
        {
            name: lambda model=model: model.predict_on_batch(tokens)
            for name, model in models.items()
        },
    )
    assert ratio <= 1.40


def test_training_step_stays_within_its_bound(models, tokens, jit_compile):
    labels = np.arange(BATCH) % 10
    for model in models.values():
        model.compile(
            optimizer=keras.optimizers.SGD(1e-4),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=jit_compile,
        )
    ratio = measure(
        f"training step, {compiler(jit_compile)}",
        {
            name: lambda model=model: model.train_on_batch(tokens, labels)
            for name, model in models.items()
        },
    )
    assert ratio <= 1.45


def test_weights_stay_within_their_bound(models):
    stock, plex = (model.count_params() for model in models.values())
    print(f"\nweights {plex:,} / {stock:,} = {plex / stock:.4f}")
    assert plex / stock <= 1.02


def compiler(jit_compile):
    return "XLA" if jit_compile else "graph"


def measure(title, calls):
    """Prints median milliseconds; returns the converted model's ratio."""
    seconds = {name: [] for name in calls}
    for turn in range(ROUNDS + 2):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn >= 2:  # the first ones compile
                seconds[name].append(time.perf_counter() - start)
    stock, plex = seconds.values()
    pairs = zip(plex, stock, strict=True)
    ratio = statistics.median(one / other for one, other in pairs)
    print(f"\n{title}, batch {BATCH}, {LENGTH} tokens: median ms")
    for name, values in seconds.items():
        print(f"  {name:<26}{1000 * statistics.median(values):>9.1f}")
    print(f"  ratio {ratio:.3f}")
    return ratio
