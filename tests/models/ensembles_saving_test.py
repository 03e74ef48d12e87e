"""Ensembles come back bit for bit in a process that knows only keras_plex."""

import inspect
import os
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex.models import DeepEnsemble
from keras_plex.models import MCDropout
from tests import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype("float32")
IMAGES = RNG.integers(0, 255, size=(6, 10, 10, 1)).astype("uint8")
Y = np.arange(6) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def make_stock(seed=0):
    inputs = keras.Input((4,), name="petals")
    x = layers.Dense(8, "relu", name="dense")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.5, seed=seed)(x)
    return keras.Model(inputs, layers.Dense(3, name="head")(x), name="flowers")


def make_task():
    keras_hub = pytest.importorskip("keras_hub")
    converter = keras_hub.layers.ImageConverter((8, 8), scale=1 / 255)
    preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(converter)
    return keras_hub.models.ViTImageClassifier(
        cases.vit_backbone(2, dropout_rate=0.3, attention_dropout=0.3),
        num_classes=3,
        preprocessor=preprocessor,
    )


MODELS = {
    "deep": lambda: DeepEnsemble([make_stock(0), make_stock(1)]),
    "deep_from_model": lambda: DeepEnsemble.from_model(make_stock(), 3, seed=1),
    "deep_tasks": lambda: DeepEnsemble.from_model(make_task(), 2, seed=1),
    "dropout": lambda: MCDropout(make_stock(), 4),
    "dropout_task": lambda: MCDropout(make_task(), 4, seed=1),
}


def data_for(model):
    return IMAGES if len(model.input_shape) == 4 else X


def everything(model):
    """What a model says about its data, as arrays by name."""
    x = data_for(model)
    found = {
        "predict": model.predict(x, verbose=0),
        "members": model.predict_members(x),
        "features": model.predict_uncertainty(x, features=True).features,
        "evaluate": np.array(model.evaluate(x, Y, verbose=0)),
        "kinds": np.array(model.output_kinds),
        "size": np.array(model.ensemble_size),
    }
    for i, weight in enumerate(model.weights):
        found[f"weight {i}"] = ops.convert_to_numpy(weight)
    for i, variable in enumerate(model.optimizer.variables):
        found[f"optimizer {i}"] = ops.convert_to_numpy(variable)
    return found


SCRIPT = """
import pathlib, pickle, sys
import keras
import numpy as np
from keras import ops
import keras_plex

folder = pathlib.Path(sys.argv[1])
X, IMAGES, Y, source = pickle.loads((folder / "data.pickle").read_bytes())
exec(source)
found = {}
for path in sorted(folder.glob("*.keras")):
    model = keras.saving.load_model(path)
    found[path.stem] = {
        "class": [c.__name__ for c in type(model).__mro__],
        "everything": everything(model),
    }
(folder / "found.pickle").write_bytes(pickle.dumps(found))
"""


@pytest.fixture(scope="module")
def saved_and_loaded(tmp_path_factory):
    """What each model says, here and loaded in one fresh process."""
    folder = tmp_path_factory.mktemp("saved")
    saved = {}
    for name, make in MODELS.items():
        keras.utils.set_random_seed(0)
        model = make()
        optimizer = keras.optimizers.Adam(0.05)
        model.compile(optimizer, LOSS, metrics=["accuracy"], run_eagerly=True)
        model.fit(data_for(model), Y, verbose=0)
        model.save(folder / f"{name}.keras")
        saved[name] = {
            "class": [c.__name__ for c in type(model).__mro__],
            "everything": everything(model),
        }
    functions = (data_for, everything)
    source = "\n".join(inspect.getsource(function) for function in functions)
    data = pickle.dumps((X, IMAGES, Y, source))
    (folder / "data.pickle").write_bytes(data)
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, folder],
        capture_output=True,
        cwd=folder,
        env={**os.environ, "KERAS_BACKEND": keras.config.backend()},
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return saved, pickle.loads((folder / "found.pickle").read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_fresh_process_loads_the_model_bit_for_bit(saved_and_loaded, name):
    saved, loaded = (found[name] for found in saved_and_loaded)
    assert loaded["class"] == saved["class"]
    assert set(loaded["everything"]) == set(saved["everything"])
    for field, expected in saved["everything"].items():
        np.testing.assert_array_equal(
            loaded["everything"][field], expected, err_msg=field
        )


# In this process


@pytest.mark.parametrize("name", ["deep", "dropout"])
def test_weights_file_restores_another_ensemble(name, tmp_path):
    model, other = MODELS[name](), MODELS[name]()
    path = str(tmp_path / "model.weights.h5")
    model.save_weights(path)
    if name == "dropout":  # the masks are configuration
        other = type(model).from_config(model.get_config())
    assert np.any(other.predict(X, verbose=0) != model.predict(X, verbose=0))
    other.load_weights(path)
    np.testing.assert_array_equal(
        other.predict_members(X), model.predict_members(X)
    )


def test_weights_of_the_stock_model_load_into_its_dropout_ensemble(tmp_path):
    stock, other = make_stock(), make_stock()
    path = str(tmp_path / "stock.weights.h5")
    stock.save_weights(path)
    model = MCDropout(other, 3, seed=0)
    model.load_weights(path)
    expected = MCDropout(stock, 3, seed=0).predict_members(X)
    np.testing.assert_array_equal(model.predict_members(X), expected)


@pytest.mark.parametrize("name", ["deep_from_model", "dropout"])
def test_saved_twice_and_uncompiled_it_is_the_same(name, tmp_path):
    model = MODELS[name]()
    model.output_kind = "sigmoid_logits"
    expected = model.predict(X, verbose=0)
    for path in (tmp_path / "first.keras", tmp_path / "second.keras"):
        model.save(path)
        model = keras.saving.load_model(path)
        assert not model.compiled
        assert model.output_kind == "sigmoid_logits"
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


@pytest.mark.parametrize("name", ["deep", "dropout"])
def test_a_model_made_by_its_own_class_has_the_same_class(name):
    model = MODELS[name]()
    twin = type(model).from_config(model.get_config())
    assert type(twin) is type(model)
    known = {
        type(one): keras.saving.get_registered_name(type(one))
        for one in (model, twin)
    }
    stock = {"deep": "DeepEnsemble", "dropout": "MCDropout"}[name]
    assert known == {type(model): f"keras_plex>{stock}"}


def test_frozen_layers_stay_frozen(tmp_path):
    stock = make_stock()
    stock.layers[1].trainable = False
    for model in (DeepEnsemble.from_model(stock, 2), MCDropout(stock, 2)):
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        count = len(model.trainable_weights)
        assert len(loaded.trainable_weights) == count < len(model.weights)
