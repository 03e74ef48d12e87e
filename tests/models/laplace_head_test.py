"""`plexify(model, head="laplace")`: sure of itself without training."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex.data.digits import load_digits
from keras_plex.layers import LaplaceDense
from keras_plex.metrics.arrays import expected_calibration_error
from keras_plex.metrics.arrays import negative_log_likelihood
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


@pytest.mark.slow
def test_real_digits_are_better_calibrated_without_training():
    data = load_digits(seed=0)
    keras.utils.set_random_seed(0)
    stock = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(data.num_classes),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    stock.compile(keras.optimizers.Adam(3e-3), loss)
    stock.fit(*data.train, epochs=60, batch_size=64, verbose=0)
    stock_says = {
        name: keras_plex.Predictions.from_outputs(
            stock.predict(x, verbose=0), "softmax_logits"
        )
        for name, (x, _) in (("test", data.test), ("noise", data.shifted))
    }
    model = keras_plex.plexify(stock, ensemble_size=1, head="laplace")
    model.fit_covariance(data.train[0], validation_data=data.validation)
    for name, (x, y) in (("test", data.test), ("noise", data.shifted)):
        before, after = stock_says[name], model.predict_uncertainty(x)
        np.testing.assert_array_equal(before.labels, after.labels)
        losses = [
            negative_log_likelihood(y, found.probabilities)
            for found in (before, after)
        ]
        assert losses[1] < losses[0]
    # The stock model is calibrated where it learned, not on noisy scans.
    errors = [
        expected_calibration_error(y, found.probabilities)
        for found in (before, after)
    ]
    assert errors[1] < 0.8 * errors[0]
