"""What `ReliabilityMonitor` adds to a plain `evaluate` of the same sets.

    python -m pytest tests/benchmarks/monitor_cost_test.py -m benchmark -s

The two take turns; a ratio is the median over rounds of the ratio within one.
"""

import statistics
import time

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from keras_plex.callbacks import ReliabilityMonitor

EXAMPLES, BATCH, ROUNDS = 320, 32, 5
NAMES = ("training", "validation", "shifted", "ood")

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    return {
        name: (
            generator.normal(size=(EXAMPLES, 32, 32, 3)).astype("float32"),
            generator.integers(10, size=EXAMPLES),
        )
        for name in NAMES
    }


def make_stock():
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(32, 32, 3),
        patch_size=4,
        num_layers=6,
        num_heads=3,
        hidden_dim=192,
        mlp_dim=768,
    )
    return keras_hub.models.ViTImageClassifier(backbone, num_classes=10)


@pytest.mark.parametrize("kind", ["stock", "plexify"])
@pytest.mark.parametrize("scores", [("msp",), ("msp", "relative_mahalanobis")])
def test_a_measurement_costs_little_more_than_evaluate(data, kind, scores):
    model = make_stock()
    if kind == "plexify":
        model = keras_plex.plexify(model, seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    monitor = ReliabilityMonitor(
        data["validation"],
        {"ood": data["ood"][0]},
        {"shifted": data["shifted"]},
        scores=scores,
        training=data["training"],
        batch_size=BATCH,
    )
    monitor.set_model(model)
    # The training data counts where a score is fitted to them.
    sets = NAMES if "relative_mahalanobis" in scores else NAMES[1:]

    def evaluate():
        for name in sets:
            model.evaluate(*data[name], batch_size=BATCH, verbose=0)

    def measure():
        monitor.on_epoch_end(0, {})

    seconds = {evaluate: [], measure: []}
    for round_ in range(ROUNDS + 1):
        for function, times in seconds.items():
            start = time.perf_counter()
            function()
            if round_:  # the first one compiles
                times.append(time.perf_counter() - start)
    ratios = [b / a for a, b in zip(*seconds.values(), strict=True)]
    ratio = statistics.median(ratios)
    per_set = statistics.median(seconds[evaluate]) / len(sets)
    print(
        f"\n{kind}, {', '.join(scores)}: monitor / evaluate {ratio:.3f} "
        f"(from {min(ratios):.3f} to {max(ratios):.3f}); evaluate "
        f"{per_set:.2f} s for {EXAMPLES} examples"
    )
    assert ratio <= 1.10
