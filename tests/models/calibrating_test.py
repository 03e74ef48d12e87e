"""A model calibrates itself: one contract for all models with members."""

import copy
import json
import os
import pickle
import subprocess
import sys
import types
import warnings

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops
from scipy import stats

import keras_plex
from keras_plex.calibration.conformal_scores import CONFORMAL_SCORES
from keras_plex.models import DeepEnsemble
from keras_plex.models import MCDropout
from keras_plex.models import returns
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import predict_data
from tests import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 4)).astype("float32")
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
METHODS = ("temperature", "vector", "isotonic")
DATA_KEYS = {"calibrator", "conformal_sets"}


def make_stock(units=3, activation=None):
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, "relu"),
            layers.Dropout(0.5),
            layers.Dense(units, activation),
        ]
    )
    return cases.with_random_weights(stock)


MODELS = {
    "plexify": lambda stock: keras_plex.plexify(
        stock, last_blocks=1, head="keep", fast_weight_stddev=0.5, seed=0
    ),
    "DeepEnsemble": lambda stock: DeepEnsemble.from_model(stock, 3, seed=0),
    "MCDropout": lambda stock: MCDropout(stock, 3, seed=0),
}


def make(name="plexify", units=3, activation=None, kind=None):
    model = MODELS[name](make_stock(units, activation))
    if kind is not None:
        model.output_kind = kind
    return model


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def labels_of(model, sharper=0.4):
    """Labels of a flatter version of the model's own forecast."""
    p = model.predict_uncertainty(X).probabilities.astype("float64")
    p = p**sharper
    p /= p.sum(-1, keepdims=True)
    draw = np.random.default_rng(1).uniform(size=(len(p), 1))
    return np.sum(draw > np.cumsum(p, -1), -1).clip(0, p.shape[-1] - 1)


def nll(model, labels):
    p = model.predict_uncertainty(X).probabilities.astype("float64")
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", MODELS)
def test_every_forecast_is_calibrated(name, method):
    model = make(name)
    labels = labels_of(model)
    raw = model.predict_uncertainty(X)
    before = nll(model, labels)
    model.predict(X, verbose=0)  # a compiled function that must go
    model.calibrate((X, labels), method)
    found = model.predict_uncertainty(X)
    if method != "isotonic":
        assert nll(model, labels) < before
        np.testing.assert_allclose(
            found.probabilities, found.member_probabilities.mean(1), atol=1e-6
        )
        np.testing.assert_allclose(
            softmax(model.predict_members(X)),
            found.member_probabilities,
            atol=1e-6,
        )
    else:
        for field in ("member_probabilities", "expected_entropy"):
            np.testing.assert_array_equal(
                getattr(found, field), getattr(raw, field)
            )
        np.testing.assert_array_equal(
            found.mutual_information, raw.mutual_information
        )
    assert np.abs(found.probabilities - raw.probabilities).max() > 0.01
    np.testing.assert_array_equal(found.confidence, found.probabilities.max(-1))
    rows = np.ones(240, bool)
    if method == "isotonic":
        rows = is_steady(model.calibrator, raw.probabilities)
        assert rows.mean() > 0.8
    for forecast in (model.predict(X, verbose=0), model(X)):
        forecast = softmax(ops.convert_to_numpy(forecast))
        np.testing.assert_allclose(
            forecast[rows], found.probabilities[rows], atol=2e-6
        )


def is_steady(calibrator, probabilities):
    """Whether rounding leaves a row as it is: no steep step is near."""
    found = [calibrator(probabilities * (1 + r)) for r in (-1e-6, 0, 1e-6)]
    return np.ptp(found, axis=0).max(axis=-1) < 1e-6


def test_evaluate_and_the_monitor_see_the_calibrated_forecast():
    model = make()
    labels = labels_of(model)
    model.compile("sgd", LOSS)
    model.evaluate(X, labels, verbose=0)
    for method in ("temperature", "vector"):
        model.calibrate((X, labels), method)
        expected = nll(model, labels)
        loss = model.evaluate(X, labels, verbose=0)
        assert loss == pytest.approx(expected, rel=1e-5)
    for method in METHODS:
        model.calibrate((X, labels), method)
        found, _ = predict_data(model, (X, labels))
        np.testing.assert_allclose(
            found.probabilities,
            model.predict_uncertainty(X).probabilities,
            atol=1e-6,
        )
        assert measure_forecasts(found, labels)["accuracy"] > 0.3


KINDS = {
    "softmax": (3, "softmax", None),
    "sigmoid": (1, "sigmoid", None),
    "sigmoid_logits": (1, None, "sigmoid_logits"),
    "two logits": (2, None, None),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_classifier_is_calibrated(kind, method):
    model = make("plexify", *KINDS[kind])
    labels = labels_of(model)
    before = nll(model, labels)
    model.calibrate((X, labels), method)
    found = model.predict_uncertainty(X).probabilities
    if method != "isotonic":
        assert nll(model, labels) < before
    forecast = model.predict(X, verbose=0).astype("float64")
    link = {
        "softmax": lambda x: x,
        "sigmoid": lambda x: np.concatenate([1 - x, x], -1),
        "two logits": softmax,
        "sigmoid_logits": lambda x: softmax(np.concatenate([0 * x, x], -1)),
    }[kind]
    np.testing.assert_allclose(link(forecast), found, atol=2e-6)


def test_members_may_have_temperatures_of_their_own():
    model = make()
    labels = labels_of(model)
    raw = model.predict_members(X)
    model.calibrate((X, labels), per_member=True)
    temperature = np.array(model.calibrator.temperature)
    assert temperature.shape == (3,) and np.ptp(temperature) > 0
    np.testing.assert_allclose(
        model.predict_members(X), raw / temperature[:, None], rtol=1e-5
    )
    assert model(X).shape == (240, 3)


def test_weights_count_and_labels_may_be_one_hot_or_soft():
    model = make()
    labels = labels_of(model)
    weights = RNG.integers(0, 3, size=240)
    model.calibrate((X, labels, weights))
    weighted = model.calibrator.temperature
    rows = np.repeat(np.arange(240), weights)
    model.calibrate((X[rows], labels[rows]))
    assert model.calibrator.temperature == pytest.approx(weighted, rel=1e-5)
    model.calibrate((X, np.eye(3)[labels]))
    one_hot = model.calibrator.temperature
    model.calibrate((X, labels), batch_size=7)
    assert model.calibrator.temperature == pytest.approx(one_hot, rel=1e-5)
    model.calibrate((X, 0.9 * np.eye(3)[labels] + 0.1 / 3))
    assert model.calibrator.temperature > one_hot


def test_second_calibration_starts_from_the_model():
    model = make()
    labels = labels_of(model)
    model.calibrate((X, labels))
    first = model.calibrator.temperature
    model.calibrate((X, labels), "isotonic")
    model.calibrate((X, labels))
    assert model.calibrator.temperature == pytest.approx(first, rel=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_without_calibration_nothing_changes(name):
    model = make(name)
    before = model.predict_uncertainty(X), model.predict(X, verbose=0)
    config = json.dumps(model.get_config(), default=str)
    assert model.calibrator is None and model.conformal_sets is None
    assert before[0].prediction_sets is None
    assert not DATA_KEYS & set(model.get_config())
    labels = labels_of(model)
    model.calibrate((X, labels), "isotonic")
    model.conformalize((X, labels))
    model.reset_calibration()
    assert json.dumps(model.get_config(), default=str) == config
    after = model.predict_uncertainty(X), model.predict(X, verbose=0)
    np.testing.assert_array_equal(after[1], before[1])
    for field, value in vars(before[0]).items():
        np.testing.assert_array_equal(getattr(after[0], field), value)


# Conformal sets


@pytest.mark.parametrize("calibrated", [None, *METHODS])
@pytest.mark.parametrize("method", CONFORMAL_SCORES)
def test_sets_cover_their_own_data_in_batches_of_every_size(method, calibrated):
    model = make()
    labels = labels_of(model)
    if calibrated:
        model.calibrate((X, labels), calibrated)
    model.conformalize((X, labels), 0.2, method, **raps(method))
    assert model.conformal_sets.num_examples == 240
    least = np.ceil(241 * 0.8)
    for batch_size in (240, 32, 7):
        found = model.predict_uncertainty(X, batch_size=batch_size)
        held = found.prediction_sets[np.arange(240), labels]
        assert held.sum() >= least
        assert found.prediction_sets.dtype == bool
        assert found.prediction_sets.shape == (240, 3)
    assert found.prediction_sets.mean() < 0.95


def raps(method):
    return {"penalty": 0.01, "rank": 1} if method == "raps" else {}


def test_sets_of_a_model_cover_held_out_examples_of_a_real_network(shared_data):
    path = shared_data / "model_outputs" / "cifar10_test_probs.npz"
    if not path.is_file():
        pytest.skip(f"Needs the forecasts of a real network: no {path}.")
    with np.load(path) as data:
        logits, labels = np.log(data["probs"]), data["labels"]
    member = keras.Sequential(
        [keras.Input((10,)), layers.Dense(10, kernel_initializer="identity")]
    )
    model = DeepEnsemble([member])
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(10_000)
        first, second, rest = np.split(order, [2000, 5000])
        model.reset_calibration()
        model.calibrate((logits[first], labels[first]), batch_size=1000)
        assert model.calibrator.temperature == pytest.approx(1.47, abs=0.15)
        for alpha in (0.05, 0.2):
            second_set = logits[second], labels[second]
            model.conformalize(second_set, alpha, batch_size=1000)
            found = model.predict_uncertainty(logits[rest], batch_size=1000)
            held = found.prediction_sets[np.arange(5000), labels[rest]].sum()
            below = int(np.ceil(3001 * (1 - alpha) - 1e-9))
            law = stats.betabinom(5000, below, 3001 - below)
            assert law.ppf(1e-4) <= held <= law.ppf(1 - 1e-4)


# What takes it away


def test_training_removes_it_and_says_so():
    model = make()
    labels = labels_of(model)
    model.compile(keras.optimizers.SGD(0.0), LOSS, jit_compile=False)
    raw = model.predict(X, verbose=0)
    for train in (
        lambda: model.fit(X, labels, verbose=0),
        lambda: model.train_on_batch(X, labels),
    ):
        model.calibrate((X, labels))
        model.conformalize((X, labels))
        with pytest.warns(UserWarning, match="training removed"):
            train()
        assert model.calibrator is None and model.conformal_sets is None
        np.testing.assert_array_equal(model.predict(X, verbose=0), raw)
    model.fit(X, labels, verbose=0)  # and says it once


def test_calibration_removes_the_sets_and_says_so():
    model = make()
    labels = labels_of(model)
    model.conformalize((X, labels))
    with pytest.warns(UserWarning, match="`calibrate` removed.*sets"):
        model.calibrate((X, labels))
    assert model.conformal_sets is None and model.calibrator is not None


def test_another_output_kind_removes_it_and_says_so():
    model = make(units=1, kind="sigmoid_logits")
    model.calibrate((X, labels_of(model)))
    model.output_kind = "sigmoid_logits"
    assert model.calibrator is not None
    with pytest.warns(UserWarning, match="Another output kind removed"):
        model.output_kind = "regression"
    assert model.calibrator is None


def test_covariance_removes_it_and_says_so():
    model = keras_plex.plexify(
        make_stock(), last_blocks=1, head_options={"num_features": 8}, seed=0
    )
    model.fit_covariance(X)
    labels = labels_of(model)
    model.calibrate((X, labels))
    assert model.predict_uncertainty(X).variance is not None
    with pytest.warns(UserWarning, match="`fit_covariance` removed"):
        model.fit_covariance(X, validation_data=(X, labels))
    assert model.calibrator is None
    expected = model.predict_uncertainty(X).probabilities
    np.testing.assert_allclose(
        softmax(model.predict(X, verbose=0)), expected, atol=1e-6
    )


# Faults


def regression():
    return make(units=2, kind="regression")


def two_outputs():
    inputs = keras.Input((4,))
    x = layers.Dense(8, "relu")(inputs)
    outputs = [layers.Dense(3)(x), layers.Dense(2)(x)]
    stock = keras.Model(inputs, outputs)
    return keras_plex.plexify(stock, last_blocks=1, head="keep", seed=0)


def several_labels():
    return make(units=3, activation="sigmoid")


def not_finite():
    model = make()
    bias = model.layers[-1].bias
    bias.assign(np.full(bias.shape, np.nan))
    return model


Y = np.arange(240) % 3
FAULTS = {
    "regression": (regression, (X, Y), "are a regression"),
    "two outputs": (two_outputs, (X, Y), "has 2 outputs"),
    "several labels": (several_labels, (X, Y), "independent labels"),
    "no labels": (make, X, "has no labels"),
    "not finite": (not_finite, (X, Y), "must be finite"),
    "empty": (make, [], "Received: "),
    "out of range": (make, (X, Y + 1), "class indices 0 to 2"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named_and_leaves_the_model_as_it_was(fault):
    make_model, data, message = FAULTS[fault]
    model = make_model()
    with pytest.raises(ValueError, match=message):
        model.calibrate(data)
    with pytest.raises(ValueError, match=message):
        model.conformalize(data)
    assert model.calibrator is None and model.conformal_sets is None


def test_failed_attempts_leave_calibration_and_sets():
    model = make()
    labels = labels_of(model)
    model.calibrate((X, labels))
    model.conformalize((X, labels))
    before = model.calibrator, model.conformal_sets
    expected = model.predict(X, verbose=0)
    for fails, message in (
        (lambda: model.calibrate((X, labels), "platt"), "Unknown calibration"),
        (lambda: model.calibrate((X, 0 * labels), "vector"), "every class"),
        (lambda: model.calibrate((X, 0 * labels), "isotonic"), "every class"),
        (lambda: model.calibrate((X[:1], labels[:1])), "at least 2 examples"),
        (
            lambda: model.calibrate((X, labels), "vector", per_member=True),
            "opt",
        ),
        (lambda: model.conformalize((X[:5], labels[:5])), "at least 9"),
        (lambda: model.conformalize((X, labels), 2.0), "`alpha` must lie"),
        (lambda: model.conformalize((X, labels, 2 * labels)), "alike"),
    ):
        with pytest.raises(ValueError, match=message):
            fails()
    assert (model.calibrator, model.conformal_sets) == before
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)
    found = model.predict_uncertainty(X).probabilities
    np.testing.assert_allclose(softmax(expected), found, atol=2e-6)


# Files


def everything(model, x):
    found = dict(vars(model.predict_uncertainty(x)))
    found["call"] = ops.convert_to_numpy(model(x))
    found["predict"] = model.predict(x, verbose=0)
    return {k: v for k, v in found.items() if v is not None}


def calibrated(name, method, conformal_method):
    model = make(name)
    labels = labels_of(model)
    model.calibrate((X, labels), method)
    model.conformalize((X, labels), 0.2, conformal_method)
    return model


CASES = {
    "plexify": ("temperature", "raps"),
    "DeepEnsemble": ("isotonic", "lac"),
    "MCDropout": ("vector", "aps"),
}
SCRIPT = """
import pathlib, pickle, sys
import keras
import numpy as np
import keras_plex

folder = pathlib.Path(sys.argv[1])
x = np.load(folder / "x.npy")
found = {}
for path in sorted(folder.glob("*.keras")):
    model = keras.saving.load_model(path)
    fields = dict(vars(model.predict_uncertainty(x)))
    fields["call"] = keras.ops.convert_to_numpy(model(x))
    fields["predict"] = model.predict(x, verbose=0)
    found[path.stem] = {k: v for k, v in fields.items() if v is not None}
(folder / "found.pickle").write_bytes(pickle.dumps(found))
"""


@pytest.mark.slow
def test_fresh_process_loads_it_bit_for_bit(tmp_path):
    np.save(tmp_path / "x.npy", X)
    saved = {}
    for name, methods in CASES.items():
        model = calibrated(name, *methods)
        model.save(tmp_path / f"{name}.keras")
        saved[name] = everything(model, X)
        assert "prediction_sets" in saved[name]
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path],
        capture_output=True,
        env={**os.environ, "KERAS_BACKEND": keras.config.backend()},
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    loaded = pickle.loads((tmp_path / "found.pickle").read_bytes())
    for name, expected in saved.items():
        assert set(loaded[name]) == set(expected)
        for field, value in expected.items():
            np.testing.assert_array_equal(
                loaded[name][field], value, err_msg=f"{name} {field}"
            )


@pytest.mark.parametrize("name", CASES)
def test_copies_keep_it_and_do_not_share_it(name):
    model = calibrated(name, *CASES[name])
    expected = everything(model, X)
    twin = copy.deepcopy(model)
    assert twin.calibrator.get_config() == model.calibrator.get_config()
    model.reset_calibration()
    for field, value in everything(twin, X).items():
        np.testing.assert_array_equal(value, expected[field], err_msg=field)


def test_compiled_model_comes_back_calibrated_without_a_warning(tmp_path):
    model = make()
    model.compile("sgd", LOSS)
    labels = labels_of(model)
    model.calibrate((X, labels))
    expected = model.evaluate(X, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(X, labels, verbose=0) == expected


@pytest.mark.parametrize("name", MODELS)
def test_configuration_of_before_calibration_still_loads(name):
    model = make(name)
    model.calibrate((X, labels_of(model)))
    config = model.get_config()
    assert set(config) & DATA_KEYS == {"calibrator"}
    old = {k: v for k, v in config.items() if k not in DATA_KEYS}
    assert type(model).from_config(old).calibrator is None


# Graphs


def test_mixed_precision_is_calibrated_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = make()
    labels = labels_of(model)
    for method in METHODS:
        model.calibrate((X, labels), method)
        found = model.predict_uncertainty(X)
        np.testing.assert_allclose(found.probabilities.sum(-1), 1, atol=1e-5)
        dtype = keras.backend.standardize_dtype(model(X).dtype)
        assert dtype == "bfloat16"


@pytest.mark.parametrize("method", METHODS)
def test_compiled_pass_and_symbolic_pass_agree(method):
    model = make()
    labels = labels_of(model)
    model.compile(jit_compile=keras.config.backend() != "torch")
    model.calibrate((X, labels), method)
    model.conformalize((X, labels), 0.2, "aps")
    # The logarithm of nearly 0 is no number to compare.
    expected = softmax(ops.convert_to_numpy(model(X)))
    found = softmax(model.predict(X, batch_size=50, verbose=0))
    np.testing.assert_allclose(found, expected, atol=2e-5)
    inputs = keras.Input((4,))
    outer = keras.Model(inputs, model(inputs))
    found = softmax(outer.predict(X, verbose=0))
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert model.predict_uncertainty(X).prediction_sets.any(-1).all()


def test_output_that_no_member_reaches_is_one_member():
    model = make()
    labels = labels_of(model)
    model.calibrate((X, labels))
    alone = types.SimpleNamespace(
        calibrator=model.calibrator,
        conformal_sets=None,
        member_outputs=(False,),
        output_kinds=("softmax_logits",),
        output_kind="softmax_logits",
        covariance_head=None,
        ensemble_size=3,
        warn_if_unsure=lambda: None,
    )
    logits = RNG.normal(size=(5, 3)).astype("float32")
    found = returns.forecast(alone, ops.convert_to_tensor(logits))
    np.testing.assert_allclose(
        softmax(ops.convert_to_numpy(found)),
        softmax(logits / model.calibrator.temperature),
        atol=1e-6,
    )


@pytest.mark.parametrize("how", ["set_weights", "load_weights"])
def test_other_weights_remove_it_and_say_so(tmp_path, how):
    model, other = make(), make()
    labels = labels_of(model)
    model.calibrate((X, labels))
    model.conformalize((X, labels))
    other.save_weights(tmp_path / "other.weights.h5")
    given = {
        "set_weights": other.get_weights(),
        "load_weights": tmp_path / "other.weights.h5",
    }
    with pytest.raises(ValueError):
        model.set_weights(other.get_weights()[1:])
    assert model.calibrator is not None
    with pytest.warns(UserWarning, match="Other weights removed"):
        getattr(model, how)(given[how])
    assert model.calibrator is None and model.conformal_sets is None
    getattr(model, how)(given[how])  # and says it once
