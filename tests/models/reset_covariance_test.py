"""The callback that a loop of one's own uses, and `fit` adds by itself."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex.callbacks import ResetCovariance
from keras_plex.layers import RandomFeatureGP
from keras_plex.models.reset_covariance import covariance_heads

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def make_plex(**options):
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    model = keras_plex.plexify(
        stock,
        last_blocks=1,
        head_options={"num_features": 8, **options},
        seed=0,
    )
    model.compile(keras.optimizers.SGD(0.0), LOSS, run_eagerly=True)
    return model


def make_functional():
    """A model of the user's own around the layer, with no plexify."""
    inputs = keras.Input((4,))
    layer = RandomFeatureGP(3, num_features=8, seed=0)
    model = keras.Model(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(0.0), LOSS, run_eagerly=True)
    return model, layer


def sum_of_squares(phi):
    phi = ops.convert_to_numpy(phi).astype("float64")
    phi = phi.reshape(-1, phi.shape[-1])
    return phi.T @ phi


def expected_precision(model, x=X):
    features = model.predict_uncertainty(x, features=True).features
    return sum_of_squares(model.covariance_head.covariance_features(features))


def assert_ready(layer, expected):
    """The layer knows that precision, and its variance is up to date."""
    covariance = layer.covariance
    np.testing.assert_allclose(
        covariance.precision, expected, rtol=1e-4, atol=1e-5
    )
    size = len(expected)
    inverse = np.linalg.inv(np.eye(size) + expected)
    variance = covariance(np.eye(size, dtype="float32"))
    np.testing.assert_allclose(variance, np.diag(inverse), rtol=1e-3)


def test_loop_of_ones_own_has_each_epochs_covariance():
    model = make_plex()
    callback = ResetCovariance()
    callback.set_model(model)
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for start in (0, 4, 8):
            rows = slice(start, start + 4)
            model.train_on_batch(X[rows], Y[rows])
        callback.on_epoch_end(epoch)
    assert_ready(model.covariance_head, expected_precision(model))


def test_keras_callback_list_drives_it_in_a_loop():
    model = make_plex()
    callbacks = keras.callbacks.CallbackList([ResetCovariance()], model=model)
    callbacks.on_epoch_begin(0)
    model.train_on_batch(X, Y)
    model.train_on_batch(X[:4], Y[:4])
    callbacks.on_epoch_end(0)
    expected = expected_precision(model) + expected_precision(model, X[:4])
    assert_ready(model.covariance_head, expected)


def test_validation_in_mid_epoch_sees_the_rows_so_far():
    model = make_plex()
    callback = ResetCovariance()
    callback.set_model(model)
    callback.on_epoch_begin(0)
    model.train_on_batch(X[:4], Y[:4])
    callback.on_test_begin()
    assert_ready(model.covariance_head, expected_precision(model, X[:4]))


def test_epoch_that_begins_leaves_the_last_variance_in_use():
    model = make_plex()
    model.fit_covariance(X)
    before = model.predict_uncertainty(X).variance
    callback = ResetCovariance()
    callback.set_model(model)
    callback.on_epoch_begin(1)
    np.testing.assert_array_equal(model.predict_uncertainty(X).variance, before)


def test_model_of_ones_own_needs_no_plexify():
    model, layer = make_functional()
    callbacks = [ResetCovariance()]
    model.fit(X, Y, epochs=2, batch_size=5, callbacks=callbacks, verbose=0)
    assert_ready(layer, sum_of_squares(layer.covariance_features(X)))


def test_layers_are_found_however_deep():
    inner, layer = make_functional()
    inputs = keras.Input((4,))
    outer = keras.Model(inputs, keras.Sequential([inner])(inputs))
    assert covariance_heads(outer) == [layer]
    model = make_plex()
    assert covariance_heads(model) == [model.covariance_head]
    assert covariance_heads(keras.Sequential()) == []


def test_moving_average_is_not_reset():
    model = make_plex(momentum=0.5)
    model.fit(X, Y, epochs=2, batch_size=6, shuffle=False, verbose=0)
    # Means over the rows of both halves, 6 examples by 3 members each.
    halves = [expected_precision(model, x) / 18 for x in (X[:6], X[6:])]
    expected = 0.0
    for mean in halves * 2:
        expected = 0.5 * expected + 0.5 * mean
    assert_ready(model.covariance_head, expected)


def test_both_modules_give_the_same_class():
    assert keras_plex.callbacks.ResetCovariance is ResetCovariance


def test_model_without_covariance_heads_is_left_alone():
    stock = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    stock.compile("sgd", LOSS, run_eagerly=True)
    history = stock.fit(
        X, Y, callbacks=[ResetCovariance()], validation_data=(X, Y), verbose=0
    )
    assert np.isfinite(history.history["val_loss"][0])


@pytest.mark.parametrize("nan", [np.nan, np.inf])
def test_nan_in_a_training_batch_does_not_poison_it(nan):
    model, layer = make_functional()
    x = X.copy()
    x[2, 1] = nan
    model.optimizer.learning_rate = 0.0
    with pytest.warns(UserWarning, match="1 rows with NaN or infinite"):
        model.fit(x, Y, batch_size=4, callbacks=[ResetCovariance()], verbose=0)
    kept = np.delete(X, 2, axis=0)
    assert_ready(layer, sum_of_squares(layer.covariance_features(kept)))
