"""`plexify(model, head="laplace")`: sure of itself without training."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex.layers import LaplaceDense
from tests import cases

X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
Y = np.random.default_rng(1).integers(0, cases.CLASSES, size=60)


def numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32"))


@pytest.fixture
def mlp():
    return cases.make("mlp")


@pytest.mark.parametrize("name", cases.CLASSIFIERS)
def test_the_converted_model_is_the_stock_model(name):
    stock = cases.make(name)
    x = cases.examples(stock)
    model = keras_plex.plexify(stock, head="laplace")
    p, q = cases.to_numpy(model(x)), cases.to_numpy(stock(x))
    if model.output_kind == "softmax_logits":
        p, q = numpy(ops.softmax(p)), numpy(ops.softmax(q))
    np.testing.assert_allclose(p, q, atol=1e-5)
    assert isinstance(model.covariance_head, LaplaceDense)
    assert model.predict_members(x).shape[:2] == (4, 3)


def test_only_the_output_layer_is_converted(mlp):
    model = keras_plex.plexify(mlp, head="laplace")
    assert [type(layer).__name__ for layer in model.conversion.converted] == [
        "LaplaceDense"
    ]


def test_one_pass_over_data_keeps_every_label(mlp):
    model = keras_plex.plexify(mlp, head="laplace")
    model.fit_covariance(X)
    before, after = mlp.predict(X, verbose=0), model.predict(X, verbose=0)
    np.testing.assert_array_equal(before.argmax(-1), after.argmax(-1))
    found = model.predict_uncertainty(X)
    assert np.all(found.variance > 0)
    confidence = numpy(ops.softmax(before)).max(-1)
    assert np.all(found.confidence < confidence)
    np.testing.assert_array_equal(found.disagreement, 0)


def test_the_posterior_does_not_depend_on_the_ensemble_size(mlp):
    variances = []
    for size in (1, 3):
        model = keras_plex.plexify(mlp, size, head="laplace")
        model.fit_covariance(X)
        variances.append(model.predict_uncertainty(X).variance)
    np.testing.assert_allclose(*variances, rtol=1e-4)


def test_validation_data_choose_the_prior(mlp):
    model = keras_plex.plexify(mlp, head="laplace")
    model.fit_covariance(X)
    evidence = float(model.covariance_head.fitted_prior)
    by_evidence = model.predict(X, verbose=0)
    model.fit_covariance(X, validation_data=(X, Y))
    assert float(model.covariance_head.fitted_prior) != evidence
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    fitted = float(loss(Y, model.predict(X, verbose=0)))
    assert fitted < float(loss(Y, by_evidence))


def test_what_is_given_is_not_fitted(mlp):
    options = {"prior_precision": 2.0, "mean_field_factor": 0.5}
    model = keras_plex.plexify(mlp, head="laplace", head_options=options)
    with pytest.raises(ValueError, match="fixed"):
        model.fit_covariance(X, validation_data=(X, Y))
    model.fit_covariance(X)
    assert float(model.covariance_head.fitted_prior) == 2.0
    assert float(model.covariance_head.mean_field) == 0.5
    free = keras_plex.plexify(
        mlp, head="laplace", head_options={"prior_precision": 2.0}
    )
    free.fit_covariance(X, validation_data=(X, Y))
    assert float(free.covariance_head.fitted_prior) == 2.0
    assert float(free.covariance_head.mean_field) != pytest.approx(np.pi / 8)


def test_a_file_holds_the_posterior(mlp, tmp_path):
    model = keras_plex.plexify(mlp, head="laplace")
    model.fit_covariance(X, validation_data=(X, Y))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(X, verbose=0), model.predict(X, verbose=0)
    )
    assert loaded.conversion.settings == model.conversion.settings


def test_training_goes_on_and_renews_the_posterior(mlp):
    model = keras_plex.plexify(
        mlp, head="laplace", fast_weight_stddev=0.3, last_blocks=1, seed=0
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    model.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0)
    found = model.predict_uncertainty(X)
    assert np.all(found.variance > 0)
    assert found.mutual_information.max() > 0


def test_a_regression_is_refused():
    model = keras_plex.plexify(cases.make("regression"), head="laplace")
    with pytest.raises(ValueError, match='are a regression.*head="gp"'):
        model.fit_covariance(X)


def test_a_sigmoid_head_is_logistic():
    x = keras.Input((4,))
    outputs = keras.layers.Dense(2, "sigmoid")(keras.layers.Dense(5)(x))
    model = keras_plex.plexify(keras.Model(x, outputs), head="laplace")
    assert model.covariance_head.likelihood == "binary_logistic"
    model.fit_covariance(X)
    assert np.all(model.predict_details(X)["variance"] > 0)
