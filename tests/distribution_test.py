"""KerasHub models train and forecast on two devices as on one."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Without batch normalization, whose statistics are those of a device in the
# stock model, too.
FAMILIES = {
    "tensorflow": ("vit", "bert", "t5_classifier"),
    "jax": ("vit",),  # which compiles each operation of each model
}

SCRIPT = """
import sys
backend, *families = sys.argv[1:]
if backend == "tensorflow":
    import tensorflow as tf
    [cpu] = tf.config.list_physical_devices("CPU")
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [half, half])
    make_scope = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope
else:
    import keras
    make_scope = keras.distribution.DataParallel().scope

import keras
import numpy as np
import keras_plex
from keras_plex.models.device_batches import num_replicas
from tests import cases

def make_model(family):
    keras.utils.set_random_seed(0)
    model = keras_plex.plexify(
        cases.make_family(family), seed=0, **cases.family_arguments(family)
    )
    model.compile(
        keras.optimizers.SGD(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model

def numbers(model, x, y):
    history = model.fit(
        x, y, batch_size=16, epochs=2, shuffle=False, verbose=0
    ).history
    found = model.predict_uncertainty(x)
    report = keras_plex.evaluate(
        model,
        [keras_plex.tasks.InDistribution((x, y))],
        batch_size=7,
        resamples=0,
        verbose=0,
    )
    return {
        "loss": history["loss"],
        "probabilities": found.probabilities,
        "members": found.member_probabilities,
        "variance": found.variance,
        "nll": report["in_distribution"]["nll"].value,
    }

for family in families:
    model = make_model(family)
    assert num_replicas(model) == 1
    draw = cases.FAMILIES[family].make_inputs or cases.examples
    x = draw(model, 32)
    classes = model.output_shape[-1]
    y = np.random.default_rng(0).integers(0, classes, 32)
    expected = numbers(model, x, y)
    with make_scope():
        model = make_model(family)
        assert num_replicas(model) == 2
        found = numbers(model, x, y)
    assert expected["loss"][0] > expected["loss"][-1]
    for name, value in expected.items():
        np.testing.assert_allclose(
            found[name], value, rtol=1e-3, atol=1e-5, err_msg=family + name
        )
    print(family, "equal", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", FAMILIES)
def test_two_devices_are_as_one(backend):
    families = FAMILIES[backend]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, backend, *families],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "KERAS_BACKEND": backend,
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("equal") == len(families)
