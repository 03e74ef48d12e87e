"""The main job, from a stock ViT to an answer, on real images."""

import json
import pathlib
import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from keras_plex.callbacks import ReliabilityMonitor
from keras_plex.data.digits import load_digits
from keras_plex.export import export_for_serving
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import measure_ood
from keras_plex.tasks.measurements import predict_data

FRESH_PROCESS = """
import json, sys
import numpy as np, keras, keras_plex
model = keras.saving.load_model(sys.argv[1])
x = np.load(sys.argv[2])
found = model.predict_uncertainty(x, batch_size=64)
np.save(sys.argv[3], model.predict(x, batch_size=64, verbose=0))
loss, accuracy = model.evaluate(x, np.load(sys.argv[4]), verbose=0)
print(json.dumps({"loss": loss, "accuracy": accuracy,
                  "entropy": found.entropy.tolist(),
                  "variance": found.variance.tolist()}))
"""


def small_vit(image_shape, num_classes):
    backbone = keras_hub.models.ViTBackbone(
        image_shape=image_shape,
        patch_size=image_shape[0] // 4,
        num_layers=3,
        num_heads=2,
        hidden_dim=32,
        mlp_dim=64,
    )
    return keras_hub.models.ViTImageClassifier(
        backbone=backbone, num_classes=num_classes
    )


def compile_model(model, learning_rate):
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )


@pytest.fixture(scope="module")
def data():
    return load_digits(seed=0)


@pytest.fixture(scope="module")
def stock(data):
    keras.utils.set_random_seed(0)
    model = small_vit(data.train[0].shape[1:], data.num_classes)
    compile_model(model, 2e-3)
    model.fit(*data.train, epochs=15, batch_size=32, verbose=0)
    return model


@pytest.fixture(scope="module")
def fitted(stock, data):
    model = keras_plex.plexify(stock, seed=0)
    compile_model(model, 5e-4)
    monitor = ReliabilityMonitor(
        ood={"unknown": data.ood},
        shifted={"noise": data.shifted},
        scores=("msp", "variance"),
        every=2,
        batch_size=256,
    )
    stop = keras.callbacks.EarlyStopping("val_nll", mode="min", patience=9)
    history = model.fit(
        *data.train,
        validation_data=data.validation,
        epochs=4,
        batch_size=32,
        callbacks=[monitor, stop],
        verbose=0,
    )
    return model, history.history


def test_the_stock_model_learns_the_digits(stock, data):
    known, labels = predict_data(stock, data.test, batch_size=256)
    assert measure_forecasts(known, labels)["accuracy"] > 0.85


def test_the_monitor_speaks_in_the_history(fitted):
    _, history = fitted
    assert {
        "val_ece",
        "val_nll",
        "val_brier",
        "ood/unknown/msp_auroc",
        "ood/unknown/variance_fpr95",
        "shifted/noise_accuracy",
    } <= set(history)
    # One pass each: the monitor's NLL is the loss that Keras validates.
    assert history["val_nll"][0] == pytest.approx(history["val_loss"][0], 1e-3)


def test_the_converted_model_keeps_accuracy_and_knows_unknown_digits(
    fitted, stock, data
):
    model, _ = fitted
    known, labels = predict_data(model, data.test, batch_size=256)
    unknown, _ = predict_data(model, data.ood, batch_size=256)
    plex = measure_forecasts(known, labels)
    before, _ = predict_data(stock, data.test, batch_size=256)
    # Three standard errors of an accuracy on 504 images.
    noise = 3 * np.sqrt(0.1 * 0.9 / len(labels))
    assert (
        plex["accuracy"] > measure_forecasts(before, labels)["accuracy"] - noise
    )
    assert measure_ood(known, unknown, "msp")["auroc"] > 0.75
    assert measure_ood(known, unknown, "variance")["auroc"] > 0.75


def test_a_fresh_process_loads_the_same_model(fitted, data, tmp_path):
    model, _ = fitted
    x = data.test[0][:100]
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", data.test[1][:100])
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            FRESH_PROCESS,
            str(tmp_path / "model.keras"),
            str(tmp_path / "x.npy"),
            str(tmp_path / "forecasts.npy"),
            str(tmp_path / "y.npy"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    forecasts = np.load(tmp_path / "forecasts.npy")
    expected = model.predict(x, batch_size=64, verbose=0)
    np.testing.assert_array_equal(forecasts, expected)
    found = json.loads(done.stdout.splitlines()[-1])
    loss, accuracy = model.evaluate(x, data.test[1][:100], verbose=0)
    assert (found["loss"], found["accuracy"]) == (loss, accuracy)
    uncertainty = model.predict_uncertainty(x, batch_size=64)
    np.testing.assert_array_equal(
        np.float32(found["entropy"]), uncertainty.entropy
    )
    np.testing.assert_array_equal(
        np.float32(found["variance"]), uncertainty.variance
    )


def test_the_exported_model_answers_as_the_model_does(fitted, data, tmp_path):
    from keras_plex.export.request import answer_request

    model, _ = fitted
    x = data.ood[:7]
    folder = export_for_serving(model, tmp_path / "digits")
    assert pathlib.Path(folder).name == "1"
    answer = answer_request(tmp_path / "digits", x)
    expected = model.predict_uncertainty(x)
    for name, value in {
        "probabilities": expected.probabilities,
        "label": expected.labels,
        "mutual_information": expected.mutual_information,
        "variance": expected.variance,
    }.items():
        np.testing.assert_allclose(answer[name], value, atol=1e-5)


@pytest.mark.slow
def test_fashion_images_convert_fit_and_keep_their_accuracy(shared_data):
    arrays = np.load(shared_data / "images" / "fashion_mnist.npz")
    keras.utils.set_random_seed(0)

    def part(name, count):
        x, y = arrays[f"x_{name}"][:count], arrays[f"y_{name}"][:count]
        return x[..., None].astype("float32") / 255.0, y.astype("int32")

    train, test = part("train", 3000), part("test", 1000)
    mnist = np.load(shared_data / "images" / "mnist_test.npz")["x_test"][:500]
    mnist = mnist[..., None].astype("float32") / 255.0
    stock = small_vit((28, 28, 1), 10)
    compile_model(stock, 2e-3)
    stock.fit(*train, epochs=6, batch_size=64, verbose=0)
    weights = stock.get_weights()
    model = keras_plex.plexify(stock, seed=0)
    compile_model(stock, 5e-4)
    compile_model(model, 5e-4)
    for one in (stock, model):
        one.fit(
            *train, validation_split=0.1, epochs=2, batch_size=64, verbose=0
        )
    assert len(weights) == len(stock.get_weights())
    measured, known, unknown = {}, {}, {}
    for name, one in {"stock": stock, "plex": model}.items():
        known[name], labels = predict_data(one, test, batch_size=250)
        unknown[name], _ = predict_data(one, mnist, batch_size=250)
        measured[name] = measure_forecasts(known[name], labels)
    noise = 3 * np.sqrt(0.2 * 0.8 / 1000)
    assert measured["stock"]["accuracy"] > 0.7
    assert measured["plex"]["accuracy"] > measured["stock"]["accuracy"] - noise
    auroc = measure_ood(known["plex"], unknown["plex"], "variance")["auroc"]
    assert auroc > 0.5
