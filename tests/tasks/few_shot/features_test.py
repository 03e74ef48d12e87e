"""Features come from one pass, with their labels, and are shared on request."""

import keras
import numpy as np
import pytest

from keras_plex.models import DeepEnsemble
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.few_shot.features import check_output_layer
from keras_plex.tasks.few_shot.features import extract_features
from keras_plex.tasks.few_shot.features import labelled_batches
from keras_plex.tasks.few_shot.features import shared_features
from tests.task_cases import TEST
from tests.task_cases import logits_model

X, Y = TEST


def hidden_model(seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, "tanh"),
            keras.layers.Dense(3),
        ]
    )


def test_features_are_the_inputs_of_the_output_layer():
    model = hidden_model()
    found = extract_features(model, DataSet((X, Y)), "test", batch_size=70)
    kernel, bias = model.layers[0].get_weights()
    assert found.values.shape == (300, 1, 6) and found.seconds > 0
    expected = np.tanh(X @ kernel + bias)
    np.testing.assert_allclose(found.values[:, 0], expected, atol=1e-5)
    np.testing.assert_array_equal(found.labels, Y)


def test_each_member_has_its_own():
    members = [hidden_model(seed) for seed in (1, 2)]
    found = extract_features(DeepEnsemble(members), DataSet((X, Y)), "test")
    for number, member in enumerate(members):
        alone = extract_features(member, DataSet((X, Y)), "test")
        np.testing.assert_allclose(
            found.values[:, number], alone.values[:, 0], atol=1e-6
        )


@pytest.mark.parametrize("batch_size", [3, 32])
def test_max_examples_are_the_first(batch_size):
    calls = []
    found = extract_features(
        logits_model(),
        DataSet((X, Y)),
        "here",
        batch_size=batch_size,
        max_examples=10,
        on_progress=lambda *call: calls.append(call),
    )
    np.testing.assert_array_equal(found.values[:, 0], X[:10])
    np.testing.assert_array_equal(found.labels, Y[:10])
    assert calls[-1] == ("here", 10, 10)


def test_labels_are_read_only_where_they_are_needed():
    data_set = DataSet(X, needs_labels=False)
    found = extract_features(logits_model(), data_set, "test")
    assert not len(found.labels) and len(found.values) == 300


def test_labels_come_in_any_form():
    one_hot = np.eye(4)[Y]
    for labels in (Y[:, None], one_hot, Y.astype("float32")):
        batches = labelled_batches(DataSet([(X, labels)]), 32)
        [(_, found, count)] = batches
        np.testing.assert_array_equal(found, Y)
        assert count == 300


def test_texts_are_counted():
    data_set = DataSet([(["a", "b"], np.array([0, 1]))])
    [(x, labels, count)] = labelled_batches(data_set, 32)
    assert x == ["a", "b"] and count == 2 and labels.tolist() == [0, 1]


def test_passes_are_shared_within_the_block_alone():
    model, counts = logits_model(), []
    ask = {"on_progress": lambda *call: counts.append(call[1])}
    with shared_features():
        first = extract_features(model, DataSet((X, Y)), "a", **ask)
        again = extract_features(model, DataSet((X, Y)), "b", **ask)
        assert again is first and counts[-1] == 300
        passed = len(counts)
        extract_features(logits_model(), DataSet((X, Y)), "c", **ask)
        extract_features(model, DataSet((X[:5], Y[:5])), "d", **ask)
        assert len(counts) == 2 * passed + 1
    assert extract_features(model, DataSet((X, Y)), "a") is not first


@pytest.mark.parametrize(
    "data, message",
    [
        (X, "'here'.*needs labels"),
        ((X, Y, np.ones(300)), "sample weights"),
        ((X, Y - 1), "class indices 0, 1, 2"),
    ],
)
def test_data_that_cannot_be_measured_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        extract_features(logits_model(), DataSet(data), "here")


def test_a_model_without_an_output_layer_is_refused():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Softmax()])
    with pytest.raises(ValueError, match="'sequential.*Let the model end in"):
        check_output_layer(model)
    with pytest.raises(ValueError, match="'here'.*(?s:.*)no `Dense` output"):
        extract_features(model, DataSet((X, Y)), "here")
    check_output_layer(logits_model())


def test_features_that_are_no_numbers_are_refused():
    x = np.where(np.arange(300)[:, None] == 7, np.nan, X)
    with pytest.raises(ValueError, match="features must be finite"):
        extract_features(logits_model(), DataSet((x, Y)), "here")
