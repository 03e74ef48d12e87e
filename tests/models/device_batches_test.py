"""Two devices give the numbers of one, whatever the size of the batch."""

import keras
import numpy as np
import pytest

from keras_plex.batches import count_examples
from keras_plex.models.device_batches import num_replicas
from keras_plex.models.device_batches import predict_one_batch
from tests.task_cases import TEST
from tests.task_cases import logits_model
from tests.two_devices import run_on_two_devices

# A stock model and one with members, on one device and on two; 300 examples in
# batches of 32 and 7 leave a rest that two devices cannot share evenly.
SCRIPT = """
import keras
import numpy as np
import keras_plex
from keras_plex.models.device_batches import num_replicas
from keras_plex.tasks import Calibration, OpenSetRecognition
from tests.task_cases import NEAR, TEST, draw

def make_models():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(4)]
    stock = keras.Sequential([keras.Input((4,)), *layers])
    plex = keras_plex.plexify(
        stock, last_blocks=1, head_options={"num_features": 8}, seed=0
    )
    plex.fit_covariance(TEST)
    return stock, plex

tasks = [
    Calibration(TEST),
    OpenSetRecognition(TEST, {"near": NEAR}, training=draw(3)),
]
expected = {}
for number, model in enumerate(make_models()):
    assert num_replicas(model) == 1
    for size in (32, 7):
        expected[number, size] = [
            task.predict(model, batch_size=size) for task in tasks
        ]
with make_scope():
    for number, model in enumerate(make_models()):
        assert num_replicas(model) == 2
        for size in (32, 7):
            for task, one in zip(tasks, expected[number, size], strict=True):
                two = task.predict(model, batch_size=size)
                for name, examples in one.sets.items():
                    for key, column in examples.columns.items():
                        np.testing.assert_allclose(
                            two[name][key], column, rtol=1e-3, atol=1e-5
                        )
print("equal")
"""


def run(backend):
    assert run_on_two_devices(backend, SCRIPT).endswith("equal\n")


@pytest.mark.slow
def test_two_replicas_of_tensorflow_are_as_one():
    run("tensorflow")


@pytest.mark.slow
def test_two_devices_of_jax_are_as_one():
    run("jax")


def test_one_device_is_asked_once():
    model = logits_model()
    assert num_replicas(model) == 1
    found = predict_one_batch(model, TEST[0][:5])
    np.testing.assert_allclose(found, TEST[0][:5], atol=1e-6)


def test_batches_of_texts_and_of_named_arrays_are_filled_up():
    from keras_plex.models import device_batches

    take, count = device_batches._take, count_examples
    texts = ["a", "b", "c"]
    assert count(texts) == 3 and take(texts, [0, 2, 2]) == ["a", "c", "c"]
    named = {"x": np.arange(3), "t": (texts, keras.ops.arange(3))}
    assert count(named) == 3
    found = take(named, [2, 2])
    assert found["x"].tolist() == [2, 2] and found["t"][0] == ["c", "c"]
    assert keras.ops.convert_to_numpy(found["t"][1]).tolist() == [2, 2]
