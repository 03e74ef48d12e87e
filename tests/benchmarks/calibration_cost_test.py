"""What all calibration metrics cost on a million examples of ten classes.

    python -m pytest tests/benchmarks/calibration_cost_test.py -m benchmark -s

Each run is in a process of its own; memory is what NumPy allocates beside the
data.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import tracemalloc

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCH, CLASSES, ROUNDS = 10_000, 10, 3

pytestmark = pytest.mark.benchmark

# How saturated the probabilities are: the concentration of their draw.
SATURATIONS = {"spread": 1.0, "saturated": 0.1}


@pytest.mark.parametrize("saturation", SATURATIONS)
def test_a_million_examples_take_less_than_two_seconds(saturation):
    row = measure_in_process("arrays", 1_000_000, saturation)
    print(f"\n{saturation}: {row['seconds']:.2f} s, {row['megabytes']:.0f} MB")
    assert row["seconds"] < 2.0
    assert row["megabytes"] < 48  # as much as the arrays


def test_memory_does_not_grow_with_the_batches():
    few = measure_in_process("batches", 100_000, "spread")
    many = measure_in_process("batches", 2_000_000, "spread")
    print(f"\n{few['megabytes']:.0f} MB, twenty times: {many['megabytes']:.0f}")
    assert many["megabytes"] < few["megabytes"] + 5


def measure_in_process(form, examples, saturation):
    result = subprocess.run(
        [sys.executable, __file__, form, str(examples), saturation],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": ""},
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def measure(form, examples, saturation):
    import numpy as np

    from keras_plex.metrics import calibration_errors

    generator = np.random.default_rng(0)

    def draw(size):
        alpha = np.full(CLASSES, SATURATIONS[saturation])
        probabilities = generator.dirichlet(alpha, size).astype("float32")
        return generator.integers(CLASSES, size=size), probabilities

    if form == "arrays":
        data = draw(examples)
    else:
        batch = draw(BATCH)

    def run():
        if form == "arrays":
            return calibration_errors(*data)
        return calibration_errors(batch for _ in range(examples // BATCH))

    run()  # what a first run loads
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    return {"seconds": statistics.median(seconds), "megabytes": peak / 2**20}


if __name__ == "__main__":
    form, examples, saturation = sys.argv[1:]
    print(json.dumps(measure(form, int(examples), saturation)))
