"""Memory does not grow with the inputs: columns alone are kept."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# 64 images of 48 KiB each are 3 MiB a batch.
SCRIPT = """
import resource, sys
import keras
import numpy as np
import keras_plex
from keras_plex.tasks import Calibration, InDistribution

class Images:
    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        for seed in range(self.batches):
            drawn = np.random.default_rng(seed)
            x = drawn.random((64, 64, 64, 3), dtype="float32")
            yield x, drawn.integers(0, 4, 64)

layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4)]
model = keras.Sequential([keras.Input((64, 64, 3)), *layers])

def peak(batches):
    data = Images(batches)
    tasks = [Calibration(data), InDistribution(data)]
    report = keras_plex.evaluate(model, tasks, resamples=0, verbose=0)
    assert report.results[0].num_examples == {"test": 64 * batches}
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

few = peak(20)
many = peak(120)
print(few, many)
"""


@pytest.mark.slow
def test_peak_memory_does_not_grow_with_the_inputs():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    few, many = map(float, done.stdout.split()[-2:])
    # MiB; the inputs of the further batches are 300.
    assert many - few < 60, (few, many)
