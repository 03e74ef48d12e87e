"""What members in a ResNet-50 cost, as ratios to the stock model.

    python -m pytest tests/benchmarks/resnet_cost_test.py -m benchmark -s

At 64x64 pixels, so that two cores can do it; the last stage is as deep and as
wide as at 224.
"""

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from tests.benchmarks.turns import compare

BATCH = 8

pytestmark = pytest.mark.benchmark

# Measured: 1.15 to 1.20, 1.11 to 1.12, 1.26 to 1.28.
BOUNDS = {
    "last 2 blocks": 1.3,
    "last 1 block": 1.2,
    "last 2 blocks, GP head": 1.4,
}
VARIANTS = {
    "stock": None,
    "last 2 blocks": {"head": "keep"},
    "last 1 block": {"head": "keep", "last_blocks": 1},
    "last 2 blocks, GP head": {},
}


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[3, 4, 6, 3],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="bottleneck_block",
        image_shape=(64, 64, 3),
    )
    stock = keras_hub.models.ResNetImageClassifier(
        backbone=backbone, num_classes=1000
    )
    return {
        name: stock if kw is None else keras_plex.plexify(stock, seed=0, **kw)
        for name, kw in VARIANTS.items()
    }


def test_forward(models):
    x = np.random.default_rng(0).normal(size=(BATCH, 64, 64, 3))
    x = x.astype("float32")
    calls = {
        name: lambda model=model: model.predict_on_batch(x)
        for name, model in models.items()
    }
    ratios = compare(f"ResNet-50, 64x64, forward, batch {BATCH}", calls)
    for name, bound in BOUNDS.items():
        assert ratios[name] < bound, name


def test_weights(models):
    counts = {name: model.count_params() for name, model in models.items()}
    for name, count in counts.items():
        print(f"  {name:<26}{count:>12,}{count / counts['stock']:>8.3f}")
    # Fast weights and biases of the channels are a small part of the kernels.
    assert counts["stock"] < counts["last 2 blocks"] < 1.01 * counts["stock"]
