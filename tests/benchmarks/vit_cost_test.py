"""What a converted Vision Transformer costs, as ratios to the stock one.

    python -m pytest tests/benchmarks -m benchmark -s

Shape of ViT-Ti/16: 12 layers of width 192.
"""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

import keras_plex
from tests.benchmarks.turns import compare

BATCH = 8

pytestmark = pytest.mark.benchmark

VARIANTS = {
    "stock": None,
    "last 2 blocks": {"head": "keep"},
    "last 1 block": {"head": "keep", "last_blocks": 1},
    "all blocks": {"head": "keep", "last_blocks": "all"},
    "no members": {"ensemble_size": 1, "head": "keep"},
    "last 2 blocks, GP head": {},
}


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(224, 224, 3),
        patch_size=16,
        num_layers=12,
        num_heads=3,
        hidden_dim=192,
        mlp_dim=768,
    )
    stock = keras_hub.models.ViTImageClassifier(
        backbone=backbone, num_classes=1000
    )
    return {
        name: stock if kw is None else keras_plex.plexify(stock, seed=0, **kw)
        for name, kw in VARIANTS.items()
    }


@pytest.fixture(scope="module", params=[False, True], ids=["graph", "xla"])
def jit_compile(request):
    return request.param


def test_forward_stays_within_its_bounds(models, jit_compile):
    x = np.random.default_rng(0).normal(size=(BATCH, 224, 224, 3))
    x = x.astype("float32")
    for model in models.values():
        model.compile(jit_compile=jit_compile)
    calls = {
        name: lambda model=model: model.predict_on_batch(x)
        for name, model in models.items()
    }
    compiler = "XLA" if jit_compile else "graph"
    ratios = compare(f"forward, batch {BATCH}, {compiler}", calls)
    assert ratios["last 2 blocks"] <= 1.40


def test_gp_head_is_a_small_part_of_the_forward(models):
    # The head takes less than the noise of whole forwards: time it alone.
    model = models["last 2 blocks, GP head"]
    generator = np.random.default_rng(0)
    x = generator.normal(size=(BATCH, 224, 224, 3)).astype("float32")
    # What leaves the last block and what enters the first.
    rows = generator.normal(size=(3 * BATCH, 2 * 192)).astype("float32")
    forward, head = tf.function(model), tf.function(model.covariance_head.call)
    calls = {"forward": lambda: forward(x), "head": lambda: head(rows)}
    ratios = compare("GP head with covariance", calls, base="forward")
    assert ratios["head"] <= 0.04


def test_training_step_stays_within_its_bound(models, jit_compile):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(BATCH, 224, 224, 3)).astype("float32")
    y = generator.integers(0, 1000, size=BATCH)
    names = ("stock", "last 2 blocks", "last 2 blocks, GP head")
    calls = {}
    for name in names:
        model = models[name]
        model.compile(
            optimizer=keras.optimizers.SGD(1e-4),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=jit_compile,
        )
        calls[name] = lambda model=model: model.train_on_batch(x, y)
    compiler = "XLA" if jit_compile else "graph"
    ratios = compare(f"training step, batch {BATCH}, {compiler}", calls)
    assert ratios["last 2 blocks"] <= 1.45


def test_weights_stay_within_their_bound(models):
    counts = {name: model.count_params() for name, model in models.items()}
    rows = {name: count / counts["stock"] for name, count in counts.items()}
    print("\nweights / stock")
    for name, value in rows.items():
        print(f"  {name:<26}{counts[name]:>12,}{value:>8.3f}")
    assert rows["last 2 blocks"] <= 1.01
