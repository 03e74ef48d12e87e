"""What the user passed to `fit`, by position or by name."""

import keras
import numpy as np
import pytest

from keras_plex.callbacks import ResetCovariance
from keras_plex.models.fit_arguments import FitArguments

X = np.arange(24.0).reshape(12, 2)
Y = np.arange(12)
MODEL = keras.Sequential()


def bind(*args, **kwargs):
    return FitArguments.bind(MODEL.fit, args, kwargs)


class TaskLike:
    """A `fit` that hands what it does not name on, as a KerasHub task's."""

    def fit(self, x=None, y=None, **kwargs):
        pass


def bind_to_task(*args, **kwargs):
    return FitArguments.bind(TaskLike().fit, args, kwargs)


def test_argument_is_found_by_position_and_by_name():
    assert bind(X, Y, 32, 5).get("epochs") == 5
    assert bind(X, Y, epochs=5).get("epochs") == 5
    assert bind_to_task(X, Y, epochs=5).get("epochs") == 5
    assert bind_to_task(X, Y).get("epochs") is None


@pytest.mark.parametrize("bind", [bind, bind_to_task])
def test_changed_argument_is_handed_on(bind):
    arguments = bind(X, Y, epochs=5)
    arguments.set("callbacks", ["mine"])
    arguments.set("epochs", 6)
    assert arguments.get("callbacks") == ["mine"]
    called = bind(*arguments.args, **arguments.kwargs)
    assert called.get("callbacks") == ["mine"]
    assert called.get("epochs") == 6
    assert called.get("x") is X and called.get("y") is Y


def test_only_what_was_passed_is_handed_on():
    arguments = bind(X, Y, epochs=5)
    assert len(arguments.args) + len(arguments.kwargs) <= 4
    assert "shuffle" not in arguments.kwargs


@pytest.mark.parametrize("bind", [bind, bind_to_task])
@pytest.mark.parametrize("given", [None, []])
def test_reset_covariance_is_added(bind, given):
    arguments = bind(X, callbacks=given)
    arguments.put_first_reset_covariance(MODEL)
    (callback,) = arguments.get("callbacks")
    assert isinstance(callback, ResetCovariance)


@pytest.mark.parametrize("wrap", [list, tuple])
def test_reset_covariance_comes_before_the_users_callbacks(wrap):
    users = [keras.callbacks.EarlyStopping(), keras.callbacks.CSVLogger("log")]
    arguments = bind(X, callbacks=wrap(users))
    arguments.put_first_reset_covariance(MODEL)
    first, *others = arguments.get("callbacks")
    assert isinstance(first, ResetCovariance) and others == users


def test_single_callback_needs_no_list():
    user = keras.callbacks.EarlyStopping()
    arguments = bind(X, callbacks=user)
    arguments.put_first_reset_covariance(MODEL)
    assert arguments.get("callbacks")[1:] == [user]


def test_users_own_reset_covariance_is_moved_not_doubled():
    user, own = keras.callbacks.EarlyStopping(), ResetCovariance()
    arguments = bind(X, callbacks=[user, own])
    arguments.put_first_reset_covariance(MODEL)
    assert arguments.get("callbacks") == [own, user]


def test_callback_list_gets_it_once_and_first():
    user = keras.callbacks.EarlyStopping()
    callbacks = keras.callbacks.CallbackList([user], model=MODEL)
    for _ in range(2):
        arguments = bind(X, callbacks=callbacks)
        arguments.put_first_reset_covariance(MODEL)
        assert arguments.get("callbacks") is callbacks
    first, *others = callbacks.callbacks
    assert isinstance(first, ResetCovariance) and first.model is MODEL
    assert others == [user]


def test_callback_list_has_its_own_reset_covariance_moved_to_the_front():
    user, own = keras.callbacks.EarlyStopping(), ResetCovariance()
    callbacks = keras.callbacks.CallbackList([user, own], model=MODEL)
    bind(X, callbacks=callbacks).put_first_reset_covariance(MODEL)
    assert callbacks.callbacks == [own, user]


@pytest.mark.parametrize("bind", [bind, bind_to_task])
def test_validation_data_is_what_was_passed(bind):
    data = (X, Y)
    arguments = bind(X, Y, validation_data=data, validation_split=0.5)
    assert arguments.validation_data() is data
    assert bind(X, Y).validation_data() is None
    assert bind(X, Y, validation_split=0.0).validation_data() is None


@pytest.mark.parametrize("share, start", [(0.25, 9), (0.3, 8), (0.5, 6)])
def test_validation_split_takes_the_last_examples_as_keras_does(share, start):
    weights = np.arange(12.0) / 12
    arguments = bind(X, Y, validation_split=share, sample_weight=weights)
    expected = (X[start:], Y[start:], weights[start:])
    found = arguments.validation_data()
    for part, rows in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, rows)


def test_validation_split_goes_into_named_inputs():
    x = {"a": X, "b": [X, X + 1]}
    found, labels = bind(x, Y, validation_split=0.25).validation_data()
    np.testing.assert_array_equal(found["a"], X[9:])
    np.testing.assert_array_equal(found["b"][1], X[9:] + 1)
    np.testing.assert_array_equal(labels, Y[9:])


def test_a_list_is_not_split():
    arguments = bind(["a", "b"], Y[:2], validation_split=0.5)
    assert arguments.training_data() is None
    assert arguments.validation_data() is None


def test_validation_split_of_inputs_alone_has_no_labels():
    (found,) = bind(X, validation_split=0.5).validation_data()
    np.testing.assert_array_equal(found, X[6:])


def test_validation_steps_are_found():
    assert bind(X, validation_steps=3).validation_steps() == 3
    assert bind(X).validation_steps() is None


# Training data


def test_training_data_are_the_arrays_of_fit():
    x, y = bind(X, Y).training_data()
    assert x is X and y is Y
    assert bind(X).training_data() is X


def test_training_data_and_validation_split_are_all_of_the_arrays():
    arguments = bind(X, Y, validation_split=0.3)
    parts = arguments.training_data(), arguments.validation_data()
    for i, whole in enumerate((X, Y)):
        np.testing.assert_array_equal(
            np.concatenate([p[i] for p in parts]), whole
        )
    assert len(parts[0][0]) == 8


def test_training_data_may_be_batches():
    batches = [(X[:6], Y[:6]), (X[6:], Y[6:])]
    assert bind(batches).training_data() is batches


@pytest.mark.parametrize("name", ["generator", "endless", "steps_per_epoch"])
def test_training_data_without_an_end_are_none(name):
    class Endless:
        def __iter__(self):
            return iter([])

        def cardinality(self):
            return -1

    data = {"generator": iter([(X, Y)]), "endless": Endless()}.get(
        name, [(X, Y)]
    )
    steps = 5 if name == "steps_per_epoch" else None
    assert bind(data, steps_per_epoch=steps).training_data() is None
