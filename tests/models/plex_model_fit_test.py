"""`fit` keeps the covariance up to date, whatever one passes it."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex.callbacks import ResetCovariance
from tests.other_backends import run_tests

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
EAGER = {"run_eagerly": True}


def make_plex(learning_rate=0.0, compile_options=EAGER, **options):
    keras.utils.set_random_seed(0)
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
        head_options={"num_features": 8, "mean_field_factor": 2.0, **options},
        seed=0,
    )
    optimizer = keras.optimizers.SGD(learning_rate)
    model.compile(optimizer, LOSS, **compile_options)
    return model


def sum_over(model, x=X):
    """`sum phi phi^T` over the examples and members, in float64."""
    features = model.predict_uncertainty(x, features=True).features
    phi = ops.convert_to_numpy(
        model.covariance_head.covariance_features(features)
    )
    phi = phi.reshape(-1, 8).astype("float64")
    return phi.T @ phi


def assert_ready(model, expected):
    """The head knows that precision, and its variance is up to date."""
    covariance = model.covariance_head.covariance
    np.testing.assert_allclose(
        covariance.precision, expected, rtol=1e-4, atol=1e-5
    )
    inverse = np.linalg.inv(np.eye(8) + expected)
    variance = covariance(np.eye(8, dtype="float32"))
    np.testing.assert_allclose(variance, np.diag(inverse), rtol=1e-3)


def tf_dataset():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows]


def positional(model):
    # x, y, batch_size, epochs, verbose, callbacks, ..., validation_data
    model.fit(X, Y, 4, 2, 0, None, 0.0, (X, Y))


FITS = {
    "two epochs": lambda model: model.fit(X, Y, epochs=2, verbose=0),
    "uneven batches": lambda model: model.fit(X, Y, batch_size=5, verbose=0),
    "validation_data": lambda model: model.fit(
        X, Y, epochs=2, validation_data=(X[:5], Y[:5]), verbose=0
    ),
    "validation_freq": lambda model: model.fit(
        X, Y, epochs=3, validation_data=(X, Y), validation_freq=2, verbose=0
    ),
    "initial_epoch": lambda model: model.fit(
        X, Y, epochs=3, initial_epoch=2, verbose=0
    ),
    "fit again": lambda model: [
        model.fit(X[:7], Y[:7], verbose=0),
        model.fit(X, Y, verbose=0),
    ],
    "fit after fit_covariance": lambda model: [
        model.fit_covariance(X),
        model.fit(X, Y, verbose=0),
    ],
    "tf.data": lambda model: model.fit(tf_dataset(), verbose=0),
    "PyDataset": lambda model: model.fit(
        Batches(workers=1), epochs=2, verbose=0
    ),
    "positional arguments": positional,
    "sample weights": lambda model: model.fit(
        X, Y, sample_weight=np.arange(12.0), verbose=0
    ),
}


@pytest.mark.parametrize("name", FITS)
def test_covariance_is_that_of_exactly_one_epoch(name):
    model = make_plex()
    FITS[name](model)
    assert_ready(model, sum_over(model))


@pytest.mark.parametrize(
    "options",
    [
        {"jit_compile": True},
        {"jit_compile": False, "steps_per_execution": 2},
    ],
    ids=["XLA", "two steps per execution"],
)
def test_covariance_is_the_same_in_a_compiled_graph(options):
    model = make_plex(compile_options=options)
    model.fit(X, Y, batch_size=3, epochs=2, verbose=0)
    assert_ready(model, sum_over(model))


def test_steps_per_epoch_decide_which_examples_count():
    model = make_plex()
    model.fit(tf_dataset().repeat(), epochs=2, steps_per_epoch=2, verbose=0)
    # Steps 3 and 4 of batches 0, 1, 2, 0, 1, ...
    expected = sum_over(model, X[8:]) + sum_over(model, X[:4])
    assert_ready(model, expected)


def test_validation_examples_do_not_count():
    model = make_plex()
    model.fit(X, Y, validation_split=0.25, verbose=0)
    assert_ready(model, sum_over(model, X[:9]))


def test_moving_average_goes_on_from_epoch_to_epoch():
    model = make_plex(momentum=0.75)
    model.fit(X, Y, batch_size=12, epochs=2, verbose=0)
    mean = sum_over(model) / 36
    assert_ready(model, (0.75 * 0.25 + 0.25) * mean)


# Callbacks


class Watch(keras.callbacks.Callback):
    """Notes what a user's callback sees when an epoch ends."""

    def __init__(self):
        super().__init__()
        self.variances, self.weights = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.variances.append(self.model.predict_uncertainty(X).variance)
        self.weights.append(self.model.get_weights())


def assert_saw_this_epoch(watch, model):
    variance = model.predict_uncertainty(X).variance
    assert variance.max() < 0.9  # the prior's is about 1
    assert len(watch.variances) == 2
    for seen in watch.variances:
        np.testing.assert_allclose(seen, variance, rtol=1e-5)


CALLBACKS = {
    "in a list": lambda watch, model: [watch],
    "before one's own ResetCovariance": lambda watch, model: [
        watch,
        ResetCovariance(),
    ],
    "in a CallbackList": lambda watch, model: keras.callbacks.CallbackList(
        [watch], add_history=True, model=model, epochs=2, steps=1
    ),
    "in a CallbackList before ResetCovariance": lambda watch, model: (
        keras.callbacks.CallbackList(
            [watch, ResetCovariance()],
            add_history=True,
            model=model,
            epochs=2,
            steps=1,
        )
    ),
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_users_callback_sees_this_epochs_covariance(name):
    model, watch = make_plex(), Watch()
    callbacks = CALLBACKS[name](watch, model)
    model.fit(X, Y, epochs=2, callbacks=callbacks, verbose=0)
    assert_saw_this_epoch(watch, model)
    assert_ready(model, sum_over(model))


def test_list_of_callbacks_is_not_changed():
    model, watch = make_plex(), Watch()
    callbacks = [watch]
    model.fit(X, Y, callbacks=callbacks, verbose=0)
    assert callbacks == [watch]


def test_validation_within_fit_equals_evaluate_after_it():
    model = make_plex(learning_rate=0.5)
    losses = []
    for _ in range(2):
        data = (X[:7], Y[:7])
        history = model.fit(
            X, Y, epochs=2, batch_size=4, validation_data=data, verbose=0
        ).history
        found = model.evaluate(*data, verbose=0)
        np.testing.assert_allclose(history["val_loss"][-1], found, rtol=1e-6)
        losses += history["val_loss"]
    assert len(set(losses)) == 4  # it moves


def test_restored_weights_come_with_their_own_covariance():
    model, watch = make_plex(learning_rate=0.5), Watch()
    stop = keras.callbacks.EarlyStopping(
        # The loss falls: its largest value is that of the first epoch.
        monitor="val_loss",
        mode="max",
        patience=1,
        restore_best_weights=True,
    )
    data = (X, Y)
    history = model.fit(
        X,
        Y,
        epochs=9,
        batch_size=4,
        validation_data=data,
        callbacks=[stop, watch],
        verbose=0,
    ).history["val_loss"]
    assert len(history) == 2 and history[0] > history[1]
    for ours, first in zip(model.get_weights(), watch.weights[0], strict=True):
        np.testing.assert_array_equal(ours, first)
    np.testing.assert_array_equal(
        model.predict_uncertainty(X).variance, watch.variances[0]
    )
    assert np.any(watch.variances[1] != watch.variances[0])
    found = model.evaluate(*data, verbose=0)
    np.testing.assert_allclose(found, history[0], rtol=1e-6)


def test_checkpoint_of_an_epoch_holds_its_covariance(tmp_path):
    model, watch = make_plex(learning_rate=0.5), Watch()
    path = str(tmp_path / "{epoch}.keras")
    save = keras.callbacks.ModelCheckpoint(path)
    model.fit(X, Y, epochs=2, callbacks=[save, watch], verbose=0)
    for epoch in range(2):
        loaded = keras.saving.load_model(tmp_path / f"{epoch + 1}.keras")
        variance = loaded.predict_uncertainty(X).variance
        np.testing.assert_array_equal(variance, watch.variances[epoch])


# The pass after the last epoch


def convert_with_dropout(compile_options=EAGER, **arguments):
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(8, "relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(3),
    ]
    stock = keras.Sequential([keras.Input((4,)), *layers])
    model = keras_plex.plexify(stock, seed=0, **arguments)
    model.compile(keras.optimizers.SGD(0.5), LOSS, **compile_options)
    return model


def make_dropout_plex(**options):
    options = {"num_features": 8, **options}
    return convert_with_dropout(last_blocks=1, head_options=options)


HELD_OUT = (X[:4], Y[:4])


@pytest.mark.parametrize(
    "arguments",
    [
        {"x": X, "y": Y},
        {"x": X, "y": Y, "batch_size": 5, "epochs": 2},
        {"x": X, "y": Y, "steps_per_epoch": 2},
    ],
)
def test_covariance_is_that_of_the_final_weights_without_dropout(arguments):
    model = make_dropout_plex()
    model.fit(**arguments, validation_data=HELD_OUT, verbose=0)
    assert_ready(model, sum_over(model))


@pytest.mark.parametrize("compile_options", [EAGER, {}], ids=str)
def test_tf_batches_give_the_covariance_of_the_final_weights(compile_options):
    options = {"num_features": 8}
    model = convert_with_dropout(
        compile_options, last_blocks=1, head_options=options
    )
    data = tf_dataset()
    model.fit(data, validation_data=data, shuffle=False, verbose=0)
    precision = model.covariance_head.covariance.precision
    np.testing.assert_allclose(precision, sum_over(model), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="It starts the other."
)
def test_jax_passes_over_tf_batches_too():
    run_tests("jax", __file__, "-k", "tf_batches")


@pytest.mark.parametrize(
    "options, validation",
    [
        ({}, None),
        ({"mean_field_factor": 2.0}, HELD_OUT),
        ({"momentum": 0.9}, HELD_OUT),
    ],
    ids=["no validation data", "a given factor", "a moving average"],
)
def test_else_it_stays_that_of_the_last_epoch(options, validation):
    model, watch = make_dropout_plex(**options), Watch()
    model.fit(X, Y, validation_data=validation, callbacks=[watch], verbose=0)
    variance = model.predict_uncertainty(X).variance
    np.testing.assert_array_equal(variance, watch.variances[-1])


def test_validation_split_is_not_among_what_the_covariance_saw():
    model = make_dropout_plex()
    model.fit(X, Y, validation_split=0.25, verbose=0)
    assert_ready(model, sum_over(model, X[:9]))


def test_data_without_an_end_keep_the_covariance_of_the_last_epoch():
    model, watch = make_dropout_plex(), Watch()
    model.fit(
        tf_dataset().repeat(),
        steps_per_epoch=3,
        validation_data=HELD_OUT,
        callbacks=[watch],
        verbose=0,
    )
    variance = model.predict_uncertainty(X).variance
    np.testing.assert_array_equal(variance, watch.variances[-1])


def test_laplace_head_is_passed_over_again_too():
    model = convert_with_dropout(ensemble_size=1, head="laplace")
    model.fit(X, Y, validation_data=HELD_OUT, verbose=0)
    ours = ops.convert_to_numpy(model.covariance_head.covariance.precision)
    model.fit_covariance(X)
    again = model.covariance_head.covariance.precision
    np.testing.assert_allclose(ours, again, rtol=1e-5, atol=1e-6)


def test_data_that_cannot_be_read_again_warn_and_lose_nothing():
    model, watch = make_dropout_plex(), Watch()

    class Closing(Batches):
        """Gives no batch when training is done."""

        is_open = True

        def __getitem__(self, index):
            if not self.is_open:
                raise OSError("the connection is closed")
            return super().__getitem__(index)

    data = Closing()
    close = keras.callbacks.LambdaCallback(
        on_train_end=lambda logs: setattr(data, "is_open", False)
    )
    with pytest.warns(UserWarning, match="(?s)once more.*connection is closed"):
        history = model.fit(
            data,
            validation_data=HELD_OUT,
            callbacks=[watch, close],
            verbose=0,
        )
    assert len(history.history["loss"]) == 1
    variance = model.predict_uncertainty(X).variance
    np.testing.assert_array_equal(variance, watch.variances[-1])


@pytest.mark.parametrize("verbose", [0, 1, 2, "auto"])
def test_pass_shows_progress_where_the_epochs_do(verbose, capsys):
    model = make_dropout_plex()
    model.fit(X, Y, 4, validation_data=HELD_OUT, verbose=verbose)
    shown = capsys.readouterr().out
    assert ("Covariance" in shown) == (verbose in (1, "auto"))
    assert ("3/" in shown.split("Covariance")[-1]) == bool(verbose)


# Arguments


def test_history_is_that_of_keras():
    model = make_plex()
    history = model.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0)
    assert isinstance(history, keras.callbacks.History)
    assert history.epoch == [0, 1]
    assert set(history.history) == {"loss", "val_loss"}


def test_unknown_argument_is_an_error_that_names_it():
    with pytest.raises(TypeError, match="epoch_count"):
        make_plex().fit(X, Y, epoch_count=2)


def test_validation_split_of_a_data_set_is_keras_own_error():
    with pytest.raises(ValueError, match="validation_split"):
        make_plex().fit(tf_dataset(), validation_split=0.5, verbose=0)


def test_validation_data_is_forgotten_after_fit_even_if_it_fails():
    model = make_plex()
    seen = []

    class Fail(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.fit_validation_data)
            raise RuntimeError("stop here")

    data = (X, Y)
    with pytest.raises(RuntimeError, match="stop here"):
        model.fit(X, Y, validation_data=data, callbacks=[Fail()], verbose=0)
    assert seen[0] is data
    assert model.fit_validation_data is None


@pytest.mark.parametrize("head", ["keep", "batch_ensemble"])
def test_other_heads_get_no_callback(head):
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    model = keras_plex.plexify(stock, last_blocks=1, head=head)
    model.compile("sgd", LOSS, run_eagerly=True)
    callbacks = keras.callbacks.CallbackList(
        [], add_history=True, model=model, epochs=1, steps=1
    )
    model.fit(X, Y, callbacks=callbacks, validation_data=(X, Y), verbose=0)
    found = [type(callback) for callback in callbacks.callbacks]
    assert ResetCovariance not in found
