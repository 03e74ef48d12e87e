"""A script in a process whose CPU is two devices."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

# In front of a script: under `make_scope()` both devices share a batch.
PRELUDE = """
import sys
backend = sys.argv[1]
if backend == "tensorflow":
    import tensorflow as tf
    [cpu] = tf.config.list_physical_devices("CPU")
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [half, half])
    make_scope = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope
else:
    import keras
    make_scope = keras.distribution.DataParallel().scope
"""


def run_on_two_devices(
    backend: str, script: str, *arguments: str, **environment: str
) -> str:
    """What the script prints; its `sys.argv[1]` is the backend."""
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c", PRELUDE + script),
            *(backend, *arguments),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "KERAS_BACKEND": backend,
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
            **environment,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
