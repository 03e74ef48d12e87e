"""The training loss is the mean of the members' losses."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.conversion import forward_pass


def pairwise_loss(y_true, y_pred):
    """Compares the examples of a batch: members must not meet in it."""
    return keras.ops.mean((y_pred[:-1] - y_pred[1:]) ** 2)


def converted():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(2),
        ]
    )
    return keras_plex.plexify(stock, head="keep", last_blocks=1, seed=0)


@pytest.mark.parametrize(
    "loss",
    [
        keras.losses.MeanSquaredError(),
        keras.losses.MeanSquaredError(reduction="sum"),
        pairwise_loss,
    ],
    ids=["mean", "sum", "of pairs"],
)
def test_the_loss_is_the_mean_over_members(loss):
    model = converted()
    model.compile(keras.optimizers.SGD(0.0), loss, jit_compile=False)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(6, 4)).astype("float32")
    y = generator.normal(size=(6, 2)).astype("float32")
    members = model.predict_members(x)
    expected = np.mean(
        [float(loss(y, members[:, member])) for member in range(3)]
    )
    assert model.train_on_batch(x, y) == pytest.approx(expected, rel=1e-5)


def test_metrics_of_the_training_step_see_one_forecast_per_example():
    model = converted()
    rows = []

    def count_rows(y_true, y_pred):
        rows.append((y_true.shape[0], y_pred.shape[0]))
        return keras.ops.mean(y_pred)

    model.compile("sgd", "mse", metrics=[count_rows], run_eagerly=True)
    model.train_on_batch(np.ones((6, 4), "float32"), np.ones((6, 2), "float32"))
    assert rows[-1] == (6, 6)


@pytest.mark.parametrize("step", ["train_on_batch", "test_on_batch"])
def test_metrics_find_the_members_of_a_forecast(step):
    model = converted()
    seen = []

    class Recorder(keras.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            seen.append(forward_pass.members_of(y_pred))

    metrics = [Recorder()]
    sgd = keras.optimizers.SGD(0.0)
    model.compile(sgd, "mse", metrics=metrics, run_eagerly=True)
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    getattr(model, step)(x, np.ones((6, 2), "float32"))
    expected = model.predict_members(x)
    found = keras.ops.convert_to_numpy(seen[-1])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_call_remembers_no_members():
    model = converted()
    forecast = model(np.ones((6, 4), "float32"))
    assert forward_pass.members_of(forecast) is None
