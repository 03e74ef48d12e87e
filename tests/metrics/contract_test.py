"""What `check_metric` leaves out: hypothesis, replicas, values from a model."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from keras_plex import metrics
from keras_plex.testing import JIT_COMPILE
from tests.metric_cases import METRICS

ROOT = pathlib.Path(__file__).resolve().parents[2]
NUM_CLASSES = 3

each_metric = pytest.mark.parametrize("name", METRICS)
each_compilation = pytest.mark.parametrize(
    "jit_compile", sorted(set(JIT_COMPILE[keras.config.backend()]))
)


def update(metric, columns, parts):
    for rows in parts:
        if len(rows):
            metric.update_state(*(column[rows] for column in columns))
    return metric


@each_metric
@settings(max_examples=5)
@given(cuts=st.lists(st.integers(0, 30), max_size=3), seed=st.integers(0, 99))
def test_streaming_in_any_order_equals_one_shot(name, cuts, seed):
    case = METRICS[name]
    generator = np.random.default_rng(seed)
    columns = *case.make_batch(generator, 30), generator.uniform(0.5, 2, 30)
    order = generator.permutation(30)
    parts = np.split(order, sorted(cuts))
    streamed = update(case.metric_class(**case.arguments), columns, parts)
    whole = update(case.metric_class(**case.arguments), columns, [order])
    assert float(streamed.result()) == pytest.approx(
        float(whole.result()), abs=case.tolerance
    )


@each_compilation
def test_metrics_in_fit_and_evaluate_equal_the_functions(jit_compile, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 4)).astype("float32")
    y = rng.integers(0, NUM_CLASSES, 50)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(
        "sgd",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[
            metrics.ExpectedCalibrationError(from_logits=True),
            metrics.NegativeLogLikelihood(from_logits=True),
        ],
        weighted_metrics=[metrics.BrierScore(from_logits=True)],
        jit_compile=jit_compile,
    )
    history = model.fit(x, y, batch_size=16, validation_data=(x, y), verbose=0)
    logits = model.predict(x, verbose=0).astype("float64")
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = {
        f"val_{function.__name__}": function(y, probabilities)
        for function in (
            metrics.expected_calibration_error,
            metrics.negative_log_likelihood,
            metrics.brier_score,
        )
    }
    for name, value in expected.items():
        assert history.history[name] == pytest.approx([value], abs=1e-6)

    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    again = restored.evaluate(x, y, return_dict=True, verbose=0)
    for name, value in expected.items():
        assert again[name.removeprefix("val_")] == pytest.approx(
            value, abs=1e-6
        )


# Two replicas of one CPU, made before TensorFlow starts.
REPLICAS = """
import keras, numpy as np, tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
device = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [device, device])

from tests.metric_cases import METRICS

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
for name, case in METRICS.items():
    y_true, y_pred = case.make_batch(np.random.default_rng(0), 40)
    y_pred = y_pred.reshape(40, -1) if y_pred.ndim == 1 else y_pred
    one_shot = case.metric_class(**case.arguments)
    one_shot.update_state(y_true, y_pred)
    with strategy.scope():
        no_loss = keras.layers.ActivityRegularization(l2=0.0)
        model = keras.Sequential([keras.Input(y_pred.shape[1:]), no_loss])
        metric = case.metric_class(**{**case.arguments, "name": "mine"})
        model.compile(metrics=[metric], jit_compile=False)
    dataset = tf.data.Dataset.from_tensor_slices((y_pred, y_true)).batch(20)
    logs = model.evaluate(dataset, return_dict=True, verbose=0)
    found, expected = logs["mine"], float(one_shot.result())
    assert abs(found - expected) <= case.tolerance, (name, found, expected)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="Needs TensorFlow."
)
def test_replicas_sum_what_each_has_seen():
    result = subprocess.run(
        [sys.executable, "-c", REPLICAS],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert result.returncode == 0, result.stderr
