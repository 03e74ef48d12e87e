"""What a T5 classifier costs as T5-Plex, as ratios to the stock one.

    python -m pytest tests/benchmarks -m benchmark -s -k t5_classify

Shape of T5-small in its 1.1 version: 8 + 8 layers, width 512, one decoder
step.
"""

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from tests.benchmarks.turns import compare

BATCH, LENGTH, CLASSES, VOCABULARY = 8, 64, 150, 32128

pytestmark = pytest.mark.benchmark

VARIANTS = {
    "stock": None,
    "T5-Plex recipe": keras_plex.recipes.T5_PLEX,
}


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.T5Backbone(
        vocabulary_size=VOCABULARY,
        num_layers=8,
        num_heads=6,
        hidden_dim=512,
        intermediate_dim=1024,
        key_value_dim=64,
        dropout=0.1,
        activation="gelu",
    )
    stock = keras_plex.models.T5Classifier(backbone, num_classes=CLASSES)
    return {
        name: stock if kw is None else keras_plex.plexify(stock, seed=0, **kw)
        for name, kw in VARIANTS.items()
    }


@pytest.fixture(scope="module")
def inputs():
    generator = np.random.default_rng(0)
    shape = (BATCH, LENGTH)
    return {
        "encoder_token_ids": generator.integers(2, VOCABULARY, size=shape),
        "encoder_padding_mask": np.ones(shape, "int32"),
    }


@pytest.fixture(scope="module", params=[False, True], ids=["graph", "xla"])
def jit_compile(request):
    return request.param


def test_forward_stays_within_its_bound(models, inputs, jit_compile):
    calls = {}
    for name, model in models.items():
        model.compile(jit_compile=jit_compile)
        calls[name] = lambda model=model: model.predict_on_batch(inputs)
    ratios = compare(title("forward", jit_compile), calls)
    assert ratios["T5-Plex recipe"] <= 1.10


def test_training_step_stays_within_its_bound(models, inputs, jit_compile):
    y = np.random.default_rng(0).integers(0, CLASSES, size=BATCH)
    calls = {}
    for name, model in models.items():
        model.compile(
            keras.optimizers.SGD(1e-4),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=jit_compile,
        )
        calls[name] = lambda model=model: model.train_on_batch(inputs, y)
    ratios = compare(title("training step", jit_compile), calls)
    assert ratios["T5-Plex recipe"] <= 1.10


def title(what, jit_compile):
    compiler = "XLA" if jit_compile else "graph"
    return f"{what}, batch {BATCH}, {LENGTH} tokens, {compiler}"
