"""What is saved comes back bit for bit, also in a fresh process."""

import copy
import dataclasses
import inspect
import json
import os
import pathlib
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype("float32")
IMAGES = RNG.uniform(size=(6, 8, 8, 1)).astype("float32")
Y = np.arange(6) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
FEW = {"num_features": 8}


def make_stock(units=3, activation=None):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(units, activation),
        ]
    )


def make_stock_vit():
    keras_hub = pytest.importorskip("keras_hub")
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(8, 8, 1),
        patch_size=4,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=8,
    )
    return keras_hub.models.ViTImageClassifier(backbone, num_classes=3)


def make_vit():
    return keras_plex.plexify(make_stock_vit(), head_options=FEW)


def make_functional():
    inputs = keras.Input((4,), name="petals")
    x = keras.layers.Dense(8, "relu")(inputs)
    x = keras.layers.Dense(8, "relu")(x) + x
    stock = keras.Model(inputs, keras.layers.Dense(3)(x), name="flowers")
    return keras_plex.plexify(stock, 2, head="batch_ensemble")


def make_plex(units=3, activation=None, head="gp", **options):
    if head == "gp":
        options["head_options"] = FEW
    stock = make_stock(units, activation)
    return keras_plex.plexify(stock, last_blocks=1, head=head, **options)


MODELS = {
    "vit_gp": make_vit,
    "sequential_keep": lambda: make_plex(head="keep"),
    "functional_batch_ensemble": make_functional,
    "softmax_gp": lambda: make_plex(activation="softmax"),
    "moving_gp": lambda: keras_plex.plexify(
        make_stock(),
        last_blocks=1,
        head_options={**FEW, "momentum": 0.9, "mean_function": "zero"},
    ),
}


def data_for(model):
    return IMAGES if len(model.input_shape) == 4 else X


def compiled(model, optimizer="adam", loss=None, **options):
    if loss is None:
        is_logits = model.output_kind != "probabilities"
        loss = keras.losses.SparseCategoricalCrossentropy(is_logits)
    model.compile(
        optimizer, loss, metrics=["accuracy"], run_eagerly=True, **options
    )
    return model


def fitted(name):
    keras.utils.set_random_seed(0)
    model = compiled(MODELS[name](), keras.optimizers.Adam(0.05))
    x = data_for(model)
    model.fit(x, Y, validation_data=(x, Y), verbose=0)
    return model


def everything(model):
    """What a model says about its data, as arrays by name."""
    x = data_for(model)
    found = dataclasses.asdict(model.predict_uncertainty(x, features=True))
    found["call"] = ops.convert_to_numpy(model(x))
    found["predict"] = model.predict(x, verbose=0)
    found["evaluate"] = np.array(model.evaluate(x, Y, verbose=0))
    for weight in model.weights:
        found[f"weight {weight.path}"] = ops.convert_to_numpy(weight)
    for i, variable in enumerate(model.optimizer.variables):
        found[f"optimizer {i}"] = ops.convert_to_numpy(variable)
    return {k: v for k, v in found.items() if v is not None}


def after_more(model):
    """The weights after one more epoch, and the new optimizer step."""
    keras.utils.set_random_seed(5)
    model.fit(data_for(model), Y, shuffle=False, verbose=0)
    weights = {w.path: ops.convert_to_numpy(w) for w in model.weights}
    return {**weights, "step": np.array(int(model.optimizer.iterations))}


def assert_equal(ours, theirs):
    assert set(ours) == set(theirs)
    for name, expected in theirs.items():
        np.testing.assert_array_equal(ours[name], expected, err_msg=name)


# A fresh process, for all models at once. It runs this file's own `everything`
# without importing the test, so that only keras and keras_plex are imported.
SCRIPT = """
import json, pathlib, pickle, sys
import dataclasses
import keras
import numpy as np
from keras import ops

folder = pathlib.Path(sys.argv[1])
try:
    keras.saving.load_model(folder / "sequential_keep.keras")
except Exception as error:
    message = str(error)
import keras_plex
X, IMAGES, Y, source = pickle.loads((folder / "data.pickle").read_bytes())
exec(source)
found = {"without import": message}
for path in sorted(folder.glob("*.keras")):
    model = keras.saving.load_model(path)
    found[path.stem] = {
        "class": [c.__name__ for c in type(model).__mro__],
        "kind": model.output_kind,
        "everything": everything(model),
        "after_more": after_more(model),
    }
(folder / "found.pickle").write_bytes(pickle.dumps(found))
"""


@pytest.fixture(scope="module")
def models():
    return {name: fitted(name) for name in MODELS}


@pytest.fixture(scope="module")
def saved_and_loaded(models, tmp_path_factory):
    """What each model says, here and loaded in one fresh process."""
    folder = tmp_path_factory.mktemp("saved")
    saved = {}
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
        saved[name] = {
            "class": [c.__name__ for c in type(model).__mro__],
            "kind": model.output_kind,
            "everything": everything(model),
            "after_more": after_more(model),
        }
    functions = (data_for, everything, after_more)
    source = "\n".join(inspect.getsource(function) for function in functions)
    data = pickle.dumps((X, IMAGES, Y, source))
    (folder / "data.pickle").write_bytes(data)
    result = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", SCRIPT, folder],
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
    assert_equal(loaded["everything"], saved["everything"])
    assert loaded["class"] == saved["class"]
    assert loaded["kind"] == saved["kind"]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_fresh_process_trains_on_where_it_stopped(saved_and_loaded, name):
    saved, loaded = (found[name]["after_more"] for found in saved_and_loaded)
    assert saved["step"] == 2
    for path, value in saved.items():
        np.testing.assert_allclose(loaded[path], value, atol=1e-6, err_msg=path)


@pytest.mark.slow
def test_loading_without_the_import_says_what_is_missing(saved_and_loaded):
    _, loaded = saved_and_loaded
    assert "keras_plex>PlexModel" in loaded["without import"]


# In this process


@pytest.fixture(scope="module")
def model(models):
    """A trained model with a GP head: not to be changed."""
    return models["softmax_gp"]


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
    ],
    ids=["deepcopy", "pickle"],
)
@pytest.mark.parametrize("name", ["softmax_gp", "functional_batch_ensemble"])
def test_duplicate_is_equal_and_its_own(models, name, duplicate):
    model = models[name]
    before = everything(model)
    twin = duplicate(model)
    assert type(twin) is type(model) and twin is not model
    assert_equal(everything(twin), before)
    twin.fit(X, Y, verbose=0)
    assert_equal(everything(model), before)


def test_weights_file_restores_another_model(model, tmp_path):
    path = str(tmp_path / "model.weights.h5")
    model.save_weights(path)
    other = make_plex(activation="softmax")
    assert np.any(other.predict(X, verbose=0) != model.predict(X, verbose=0))
    other.load_weights(path)
    np.testing.assert_array_equal(other(X), model(X))
    np.testing.assert_array_equal(
        other.predict_uncertainty(X).variance,
        model.predict_uncertainty(X).variance,
    )


def test_stock_weights_file_loads_into_a_converted_vit(tmp_path):
    path = str(tmp_path / "stock.weights.h5")
    stock, other = make_stock_vit(), make_stock_vit()
    stock.optimizer = other.optimizer = None  # its state would be in the file
    stock.save_weights(path)
    model = keras_plex.plexify(
        other, last_blocks=1, head="keep", fast_weight_stddev=0.0
    )
    model.optimizer = None
    x = data_for(model)
    expected = ops.softmax(stock(x))
    assert not np.allclose(ops.softmax(model(x)), expected, atol=1e-3)
    model.load_weights(path)
    np.testing.assert_allclose(ops.softmax(model(x)), expected, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_config_is_json_and_makes_the_same_architecture(models, name):
    model = models[name]
    config = json.loads(json.dumps(model.get_config()))
    again = type(model).from_config(config)
    assert type(again) is type(model)
    assert again.output_kind == model.output_kind
    shapes = [(w.path.split("/")[-1], w.shape) for w in model.weights]
    assert [(w.path.split("/")[-1], w.shape) for w in again.weights] == shapes
    again.set_weights(model.get_weights())
    x = data_for(model)
    np.testing.assert_array_equal(again(x), model(x))


@pytest.mark.parametrize(
    "kind", ["sigmoid_logits", "regression", "probabilities"]
)
def test_output_kind_that_the_user_set_is_kept(kind, tmp_path):
    model = make_plex(head="keep")
    model.output_kind = kind
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.output_kind == kind
    np.testing.assert_array_equal(loaded(X), model(X))


def test_settings_are_kept(tmp_path):
    model = keras_plex.plexify(
        make_stock(),
        2,
        layers=["dense"],
        head="keep",
        fast_weight_stddev=0.25,
        seed=3,
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    settings = dataclasses.asdict(loaded.conversion.settings)
    expected = dataclasses.asdict(model.conversion.settings)
    assert {**settings, "layers": list(settings["layers"])} == {
        **expected,
        "layers": list(expected["layers"]),
    }
    assert loaded.ensemble_size == 2


def test_uncompiled_model_is_saved_too(tmp_path):
    model = make_plex()
    model.fit_covariance(X)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded(X), model(X))
    np.testing.assert_array_equal(
        loaded.predict_members(X), model.predict_members(X)
    )


def test_loading_without_compiling_works(model, tmp_path):
    model.save(tmp_path / "model.keras")
    path = tmp_path / "model.keras"
    loaded = keras.saving.load_model(path, compile=False)
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded(X), model(X))


@pytest.mark.parametrize("name", ["softmax_gp", "functional_batch_ensemble"])
def test_saved_twice_is_the_same(models, name, tmp_path):
    model = models[name]
    for file in ("first.keras", "second.keras"):
        model.save(tmp_path / file)
        model = keras.saving.load_model(tmp_path / file)
    first = keras.saving.load_model(tmp_path / "first.keras")
    assert_equal(everything(model), everything(first))


def test_compilation_of_a_hub_task_is_kept(models, tmp_path):
    model = models["vit_gp"]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is keras.optimizers.Adam
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.05)
    iterations = int(model.optimizer.iterations)
    assert int(loaded.optimizer.iterations) == iterations > 0
    assert loaded.loss.from_logits
    names = loaded.evaluate(IMAGES, Y, verbose=0, return_dict=True)
    assert set(names) == {"loss", "accuracy"}


def test_metrics_and_options_of_compile_are_kept(tmp_path):
    model = compiled(make_plex(head="keep"), keras.optimizers.SGD(0.3))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is keras.optimizers.SGD
    assert loaded.run_eagerly
    found = loaded.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(found, model.evaluate(X, Y, verbose=0))


def test_nested_model_is_saved_with_its_outer_one(model, tmp_path):
    inputs = keras.Input((4,))
    outer = keras.Model(inputs, 1.0 - model(2.0 * inputs))
    expected = 1.0 - ops.convert_to_numpy(model(2.0 * X))
    np.testing.assert_allclose(outer.predict(X, verbose=0), expected, atol=1e-6)
    outer.save(tmp_path / "outer.keras")
    loaded = keras.saving.load_model(tmp_path / "outer.keras")
    np.testing.assert_array_equal(loaded(X), outer(X))
    (inner,) = [
        layer
        for layer in loaded.layers
        if isinstance(layer, keras_plex.PlexModel)
    ]
    np.testing.assert_array_equal(
        inner.predict_members(X), model.predict_members(X)
    )


def test_preset_is_refused_and_writes_nothing(models, tmp_path):
    folder = pathlib.Path(tmp_path / "preset")
    for name in ("vit_gp", "softmax_gp"):
        with pytest.raises(ValueError, match="preset.*model.save"):
            models[name].save_to_preset(str(folder))
    assert not folder.exists()
