"""What is wrong is said before the first pass, with what to do."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.tasks import Calibration
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks import SubpopulationShift
from keras_plex.tasks.checks import classifier_kind
from keras_plex.tasks.checks import count_missing
from keras_plex.tasks.checks import num_classes_of
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import linear_model
from tests.task_cases import logits_model

X, Y = TEST


def make_model(units, activation=None):
    layer = keras.layers.Dense(units, activation)
    return keras.Sequential([keras.Input((4,)), layer])


@pytest.mark.parametrize(
    "data, message",
    [
        (X, "needs labels"),
        ((X, Y, np.ones(len(X))), "ignore sample weights"),
        ((X, Y + 1), "class indices 0 to 3.*Received: 4"),
        ((X, np.eye(5)[Y]), "shape=\\(300, 5\\)"),
        ((X, Y - 1), "Received: -1"),
        ((X, Y.astype(str)), "must be numbers.*dtype=<U"),
        ((X, Y[:7]), "same number of examples"),
        ((X[:0], Y[:0]), "holds no example"),
        ([(X[:5], Y[:5] + 9)], "class indices 0 to 3"),
    ],
)
def test_data_that_do_not_fit_are_refused_before_any_pass(data, message):
    model = logits_model()

    def fail(x):
        raise AssertionError("a pass")

    model.predict_on_batch = fail
    with pytest.raises(ValueError, match=f"'calibration: test'.*{message}"):
        Calibration(data).predict(model)


def test_a_wrong_label_in_a_later_batch_is_found_when_it_comes():
    batches = [(X[:5], Y[:5]), (X[5:9], Y[5:9] + 4)]
    with pytest.raises(ValueError, match="class indices 0 to 3"):
        Calibration(batches).predict(logits_model())


def test_outputs_must_be_finite():
    model = linear_model(np.full((4, 4), np.nan))
    with pytest.raises(ValueError, match="must be finite.*diverged"):
        Calibration(TEST).predict(model)


def test_missing_numbers_that_a_relu_hides_are_warned_of():
    inputs = keras.Input((4,))
    # What a ReLU makes of NaN depends on the processor.
    positive = keras.layers.Activation(lambda x: ops.where(x > 0, x, 0.0))
    hidden = positive(inputs)
    model = keras.Model(inputs, keras.layers.Dense(4)(hidden))
    x = X.copy()
    x[[2, 7], [0, 3]] = np.nan
    with pytest.warns(UserWarning, match="'calibration: test'.* 2 examples"):
        Calibration((x, Y)).predict(model, batch_size=5)


@pytest.mark.parametrize(
    ("x", "count"),
    [
        (np.array([[[0.0, np.nan]], [[np.nan, np.nan]], [[1.0, 2.0]]]), 2),
        ({"a": np.array([np.nan, 0.0]), "b": np.array([[np.nan], [1.0]])}, 1),
        ([np.zeros((3, 2)), np.array([[0.0], [np.nan], [0.0]])], 1),
        (np.array([[1, 2], [3, 4]]), 0),
        (["a text", "another"], 0),
        (np.array(["a text", "another"]), 0),
    ],
)
def test_examples_with_missing_numbers_are_counted(x, count):
    assert count_missing(x) == count


def test_a_regression_model_is_refused():
    model = make_model(1)
    model.compile(loss="mse")
    with pytest.raises(ValueError, match="regression model.*BinaryCross"):
        classifier_kind(model)


def test_several_labels_per_example_are_refused():
    with pytest.raises(ValueError, match="3 independent labels"):
        classifier_kind(make_model(3, "sigmoid"))


def test_what_is_no_model_is_refused():
    with pytest.raises(ValueError, match="Received: str.*load_model"):
        classifier_kind("model.keras")


def test_one_unit_is_two_classes():
    assert num_classes_of(make_model(1, "sigmoid")) == 2
    assert num_classes_of(make_model(3)) == 3


def test_a_subclassed_model_may_not_know_its_classes():
    class Model(keras.Model):
        def call(self, x):
            return keras.ops.softmax(x)

    assert num_classes_of(Model()) is None
    measured = Calibration((X, Y))
    model = Model()
    model.compile(loss="sparse_categorical_crossentropy")
    assert measured.predict(model)["test"]["nll"].shape == (len(X),)


def test_groups_of_batches_are_checked_as_those_of_arrays():
    batches = [(X[:5], Y[:5], np.eye(5))]
    with pytest.raises(ValueError, match="one number or name.*\\(5, 5\\)"):
        SubpopulationShift(batches).predict(logits_model(), max_examples=3)


def test_one_example_is_no_batch():
    model = logits_model()
    for data in ([(X[0], Y[0])], [(X[0],)]):
        task = OpenSetRecognition(data, NEAR)
        with pytest.raises(ValueError, match="must give batches"):
            task.predict(model)


def test_a_list_of_arrays_is_several_inputs():
    task = OpenSetRecognition(X, [X + 1, X + 2])
    with pytest.raises(ValueError, match="list of arrays is several"):
        task.predict(logits_model())
