"""What an output layer costs, as ratios to a plain `Dense` of its size.

    python -m pytest tests/benchmarks/head_cost_test.py -m benchmark -s

Each head runs in a process of its own, whose peak memory is the head's. Times
are medians; memory is what a pass adds to the built layer.
"""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCH, INPUT_DIM, ROUNDS = 8, 256, 5

pytestmark = pytest.mark.benchmark

# Name -> class of keras_plex.layers (or Keras's Dense), and its arguments.
HEADS = {
    "Dense": ("Dense", {}),
    "independent noise": ("HeteroscedasticDense", {}),
    "15 factors": ("HeteroscedasticDense", {"num_factors": 15}),
    "15 factors, parameter-efficient": (
        "HeteroscedasticDense",
        {"num_factors": 15, "parameter_efficient": True},
    ),
    "Gaussian process": ("RandomFeatureGP", {}),
    "Gaussian process, sampled": ("RandomFeatureGP", {"num_samples": 1024}),
    "Gaussian process, softmax": (
        "RandomFeatureGP",
        {"likelihood": "softmax", "num_features": 32},
    ),
    "Laplace": ("LaplaceDense", {}),
}
SAMPLES = {"forward": 1024, "training step": 128}


@pytest.mark.parametrize("what", SAMPLES)
@pytest.mark.parametrize("classes", [1000, 21_843])
def test_no_head_holds_its_samples(classes, what):
    rows = {name: measure_in_process(name, classes, what) for name in HEADS}
    base = rows["Dense"]
    print(f"\n{what}, {classes:,} classes, batch {BATCH}, {INPUT_DIM} inputs")
    print(f"  {'':<34}{'weights':>14}{'ms':>10}{'ratio':>8}{'MB':>8}")
    for name, row in rows.items():
        print(
            f"  {name:<34}{row['weights']:>14,}{1000 * row['seconds']:>10.1f}"
            f"{row['seconds'] / base['seconds']:>8.1f}{row['megabytes']:>8.0f}"
        )
    all_samples = 4 * BATCH * SAMPLES[what] * classes / 2**20
    print(f"  all samples at once would be {all_samples:.0f} MB a tensor")
    if classes > 20_000 and what == "forward":
        noise = rows["15 factors, parameter-efficient"]["megabytes"]
        assert noise - base["megabytes"] < all_samples / 4


def measure_in_process(name, classes, what):
    result = subprocess.run(
        [sys.executable, __file__, name, str(classes), what],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": ""},
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def measure(name, classes, what):
    import keras
    import numpy as np

    import keras_plex

    class_name, arguments = HEADS[name]
    layers = keras.layers if class_name == "Dense" else keras_plex.layers
    layer = getattr(layers, class_name)(classes, **arguments)
    model = keras.Sequential([keras.Input((INPUT_DIM,)), layer])
    model.compile(
        keras.optimizers.SGD(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    generator = np.random.default_rng(0)
    x = generator.normal(size=(BATCH, INPUT_DIM)).astype("float32")
    y = generator.integers(classes, size=BATCH)
    calls = {
        "forward": lambda: model.predict_on_batch(x),
        "training step": lambda: model.train_on_batch(x, y),
    }
    before = resident_megabytes()
    seconds = []
    for turn in range(ROUNDS + 1):
        start = time.perf_counter()
        calls[what]()
        if turn:  # the first one compiles
            seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": statistics.median(seconds),
        "megabytes": peak - before,
        "weights": model.count_params(),
    }


def resident_megabytes():
    pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    name, classes, what = sys.argv[1:]
    print(json.dumps(measure(name, int(classes), what)))
