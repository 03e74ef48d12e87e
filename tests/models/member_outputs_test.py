"""Converted, side by side, or with dropout left on: one contract."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

import keras_plex
from keras_plex.callbacks import ReliabilityMonitor
from keras_plex.models import DeepEnsemble
from keras_plex.models import MCDropout
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import predict_data
from tests import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
LOGITS_LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


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
pytestmark = pytest.mark.parametrize("name", MODELS)


def make(name, units=3, activation=None, loss=None):
    model = MODELS[name](make_stock(units, activation))
    if loss is not None:
        model.compile("sgd", loss, metrics=["accuracy"], run_eagerly=True)
    return model


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def identity(x):
    return x


KINDS = {
    "softmax_logits": (3, None, LOGITS_LOSS, softmax),
    "sigmoid_logits": (
        1,
        None,
        keras.losses.BinaryCrossentropy(from_logits=True),
        sigmoid,
    ),
    "regression": (2, None, "mse", identity),
    "probabilities": (
        3,
        "softmax",
        "sparse_categorical_crossentropy",
        identity,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_forecast_is_the_mean_of_what_members_forecast(name, kind):
    units, activation, loss, link = KINDS[kind]
    model = make(name, units, activation, loss)
    assert model.output_kind == kind and model.output_kinds == (kind,)
    members = model.predict_members(X)
    assert members.shape == (12, 3, units)
    assert np.abs(members - members.mean(1, keepdims=True)).max() > 1e-2
    expected = link(members.astype("float64")).mean(1)
    for found in (ops.convert_to_numpy(model(X)), model.predict(X, verbose=0)):
        assert found.shape == (12, units)
        np.testing.assert_allclose(link(found), expected, atol=1e-5)


def test_members_do_not_depend_on_the_batch(name):
    model = make(name)
    assert isinstance(model, MemberOutputs) and model.ensemble_size == 3
    together = model.predict_members(X)
    found = model.predict_members(X, batch_size=5)
    np.testing.assert_allclose(found, together, atol=1e-6)
    found = model.predict_members(X[7:8])
    np.testing.assert_allclose(found, together[7:8], atol=1e-6)


def test_uncertainty_and_features_are_the_members(name):
    model = make(name, loss=LOGITS_LOSS)
    found = model.predict_uncertainty(X, features=True)
    probabilities = softmax(model.predict_members(X))
    np.testing.assert_allclose(
        found.member_probabilities, probabilities, atol=1e-6
    )
    assert found.features.shape == (12, 3, 8)
    assert found.variance is None
    assert np.all(found.mutual_information >= 0)
    assert np.ptp(found.mutual_information) > 1e-3


def test_evaluation_is_that_of_the_forecast(name):
    model = make(name, loss=LOGITS_LOSS)
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    forecast = softmax(model.predict(X, verbose=0).astype("float64"))
    expected = -np.log(forecast[np.arange(12), Y]).mean()
    assert loss == pytest.approx(expected, rel=1e-5)
    assert accuracy == pytest.approx(np.mean(forecast.argmax(-1) == Y))


def test_measurements_take_it(name):
    model = make(name, loss=LOGITS_LOSS)
    found, labels = predict_data(model, (X, Y), batch_size=5)
    assert found.member_probabilities.shape == (12, 3, 3)
    measured = measure_forecasts(found, labels)
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    assert measured["nll"] == pytest.approx(loss, rel=1e-4)
    assert measured["accuracy"] == pytest.approx(accuracy)


def test_fit_finds_its_validation_data_for_the_monitor(name):
    model = make(name, loss=LOGITS_LOSS)
    history = model.fit(
        X,
        Y,
        epochs=2,
        validation_split=0.5,
        callbacks=[ReliabilityMonitor(ood={"far": 9 * X})],
        verbose=0,
    ).history
    assert len(history["val_ece"]) == len(history["ood/far/msp_auroc"]) == 2
    assert history["val_nll"] == pytest.approx(history["val_loss"], rel=1e-4)
    assert model.fit_validation_data is None


def test_validation_data_is_forgotten_when_fit_fails(name):
    model = make(name, loss=LOGITS_LOSS)

    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert self.model.fit_validation_data is not None
            raise KeyError

    with pytest.raises(KeyError):
        model.fit(X, Y, validation_data=(X, Y), callbacks=[Fails()], verbose=0)
    assert model.fit_validation_data is None


def test_training_in_graphs_moves_the_forecast(name):
    model = MODELS[name](make_stock())
    model.compile(keras.optimizers.SGD(0.1), LOGITS_LOSS)
    before = model.predict(X, verbose=0)
    losses = model.fit(X, Y, epochs=10, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses))
    assert np.abs(model.predict(X, verbose=0) - before).max() > 1e-2


def test_output_kind_can_be_set_and_changes_every_forecast(name):
    model = make(name)
    model.output_kind = "regression"
    mean = model.predict_members(X).mean(1)
    np.testing.assert_allclose(model.predict(X, verbose=0), mean, atol=1e-6)
    with pytest.raises(ValueError, match="softmax_logits"):
        model.output_kind = "logits"
    assert model.output_kind == "regression"


def test_model_is_one_layer_of_another(name):
    model = make(name)
    inputs = keras.Input((4,))
    outer = keras.Model(inputs, 1.0 - model(2.0 * inputs))
    expected = 1.0 - ops.convert_to_numpy(model(2.0 * X))
    np.testing.assert_allclose(outer.predict(X, verbose=0), expected, atol=1e-6)


def test_plexify_asks_for_the_stock_model(name):
    with pytest.raises(ValueError, match="has members of its own"):
        keras_plex.plexify(make(name))


@pytest.mark.slow
def test_server_answers_as_the_model_does(name, tmp_path):
    pytest.importorskip("tensorflow")
    if keras.config.backend() != "tensorflow":
        pytest.skip("Serving needs TensorFlow.")
    from keras_plex.export import answer_request
    from keras_plex.export import export_for_serving

    model = make(name)
    export_for_serving(model, tmp_path)
    found = model.predict_uncertainty(X, features=True)
    answer = answer_request(tmp_path, X)
    for field in ("probabilities", "mutual_information"):
        expected = getattr(found, field)
        np.testing.assert_allclose(answer[field], expected, atol=1e-5)
    for signature, field in (
        ("members", "member_probabilities"),
        ("features", "features"),
    ):
        answer = answer_request(tmp_path, X, signature)[field]
        np.testing.assert_allclose(answer, getattr(found, field), atol=1e-5)
