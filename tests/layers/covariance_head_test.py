"""What heads with a covariance share, told by two of them."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers import LaplaceDense
from keras_plex.layers import RandomFeatureGP
from keras_plex.layers.covariance_head import CovarianceHead

HEADS = {
    "gp": lambda: RandomFeatureGP(3, num_features=16, seed=0),
    "softmax gp": lambda: RandomFeatureGP(
        3, num_features=16, seed=0, likelihood="softmax"
    ),
    "laplace": lambda: LaplaceDense(3),
}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.fixture(params=HEADS)
def head(request):
    layer = HEADS[request.param]()
    layer.build((None, 4))
    assert isinstance(layer, CovarianceHead)
    return layer


def precision(layer):
    return ops.convert_to_numpy(layer.covariance.precision)


def test_to_observe_is_to_call_in_training(head):
    x = normal(8, 4)
    head(x, training=True)
    called = precision(head)
    head.reset_covariance()
    assert np.all(precision(head) == 0)
    head.observe(x)
    np.testing.assert_array_equal(precision(head), called)


def test_hidden_rows_are_not_observed(head):
    x = normal(2, 3, 4)
    mask = np.array([[True, True, False], [True, False, False]])
    head.observe(x, mask)
    masked = precision(head)
    head.reset_covariance()
    head.observe(x[mask])
    np.testing.assert_allclose(masked, precision(head), rtol=1e-5, atol=1e-6)


def test_the_variance_waits_for_an_update(head):
    x = normal(8, 4)
    before = ops.convert_to_numpy(head.variance(x))
    head.observe(x)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(head.variance(x)), before
    )
    head.update_covariance()
    after = ops.convert_to_numpy(head.variance(x))
    assert np.all(after != before)
    assert np.all(after > 0)


def test_data_makes_the_variance_smaller_where_it_lies(head):
    far = -normal(1, 4)
    head.observe(normal(1, 4) + 0.01 * normal(500, 4, seed=1))
    head.update_covariance()
    near = ops.convert_to_numpy(head.variance(normal(1, 4)))
    assert np.all(near < ops.convert_to_numpy(head.variance(far + 1.0)))


def test_a_file_holds_all_of_it(head, tmp_path):
    model = keras.Sequential([keras.Input((4,)), head])
    x = normal(8, 4)
    head.observe(x)
    head.update_covariance()
    head.mean_field.assign(2.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(loaded(x)), ops.convert_to_numpy(model(x))
    )
    np.testing.assert_array_equal(precision(loaded.layers[-1]), precision(head))
    assert float(loaded.layers[-1].mean_field) == 2.5


TWO_REPLICAS = """
import os
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras, numpy as np, tensorflow as tf
import keras_plex
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
x = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
y = np.arange(24) % 3

def train(strategy):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        head = keras_plex.layers.RandomFeatureGP(
            3, num_features=8, seed=0, likelihood="{likelihood}"
        )
        model = keras.Sequential([keras.Input((4,)), head])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.0), loss)
    callback = keras_plex.callbacks.ResetCovariance()
    model.fit(
        x, y, epochs=2, batch_size=8, verbose=0, callbacks=[callback]
    )
    return head.variance(x).numpy()

one = train(tf.distribute.get_strategy())
two = train(tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"]))
np.testing.assert_allclose(two, one, rtol=1e-4)
assert 0 < one.min() < one.max() < 1
print("replicas agree")
"""


@pytest.mark.slow
@pytest.mark.parametrize("likelihood", ["gaussian", "softmax"])
def test_two_replicas_give_the_covariance_of_one(likelihood):
    pytest.importorskip("tensorflow")
    code = TWO_REPLICAS.replace("{likelihood}", likelihood)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "replicas agree" in done.stdout, done.stderr[-3000:]
