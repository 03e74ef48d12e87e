"""Data sets are told apart by identity, and read in batches."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_plex.data import corrupt_images
from keras_plex.data import corrupt_texts
from keras_plex.tasks.data_set import Corruption
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.data_set import grouped_arrays
from keras_plex.tasks.data_set import plain_groups

X, Y = np.zeros((5, 2)), np.arange(5)
IMAGES = np.random.default_rng(0).random((4, 28, 28, 1)).astype("float32")


def test_two_tuples_of_the_same_arrays_are_one_set():
    assert DataSet((X, Y)).key == DataSet((X, Y)).key
    assert DataSet((X, Y)).key != DataSet((X.copy(), Y)).key
    assert DataSet((X, Y)).key != DataSet((X, Y + 1)).key


def test_groups_of_arrays_leave_the_set_what_it_is():
    assert grouped_arrays((X, Y, Y)).key == DataSet((X, Y)).key


def test_other_data_are_themselves():
    batches = [(X, Y)]
    assert DataSet(batches).key == DataSet(batches).key
    assert DataSet(batches).key != DataSet([(X, Y)]).key


def test_each_corruption_is_a_set_of_its_own():
    clean = DataSet((X, Y))
    keys = {
        dataclasses.replace(clean, corruption=Corruption(name, severity)).key
        for name in ("fog", "snow")
        for severity in (1, 2)
    }
    assert len(keys | {clean.key}) == 5


def test_number_of_arrays_is_known():
    assert DataSet((X, Y)).num_examples() == 5
    assert DataSet({"a": X}).num_examples() == 5
    assert DataSet((["one", "two", "three"], [0, 1, 2])).num_examples() == 3
    assert DataSet([(X, Y)]).num_examples() is None


def test_batches_of_any_size_are_corrupted_alike():
    data_set = DataSet(IMAGES, corruption=Corruption("shot_noise", 3))
    expected = corrupt_images(IMAGES, "shot_noise", 3)
    for size in (1, 3, 4):
        found = [x for x, _, _ in data_set.batches(size)]
        np.testing.assert_array_equal(np.concatenate(found), expected)


def test_tensors_and_other_ranges_are_corrupted_too():
    corruption = Corruption("contrast", 3, (-1.0, 1.0))
    tensor = keras.ops.convert_to_tensor(2 * IMAGES - 1)
    found = corruption(tensor, 0)
    expected = corrupt_images(
        2 * IMAGES - 1, "contrast", 3, value_range=(-1, 1)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_texts_come_as_bytes_or_as_strings():
    corruption = Corruption("casing", 5)
    for texts in (["one two"], np.array([b"one two"]), ["one two"] * 1):
        assert corruption(texts, 0)[0].lower() == "one two"


def test_structured_inputs_cannot_be_corrupted():
    with pytest.raises(ValueError, match="pass them as `shifted`.*dict"):
        Corruption("fog", 1)({"a": IMAGES}, 0)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_corrupted_texts_keep_their_shape(shape):
    texts = np.array(["one text", "another text", "a third one"])
    data_set = DataSet(texts.reshape(shape), corruption=Corruption("typos", 5))
    [(x, _, _)] = data_set.batches(3)
    assert x.shape == shape
    assert x.ravel().tolist() == corrupt_texts(texts.tolist(), "typos", 5)


@pytest.mark.parametrize("x", [IMAGES, np.arange(12).reshape(3, 4)])
def test_numbers_are_no_texts(x):
    with pytest.raises(ValueError, match=f"'typos' is one of texts.*{x.dtype}"):
        Corruption("typos", 1)(x, 0)


@pytest.mark.parametrize("data", [None, ()])
def test_no_data_are_refused(data):
    with pytest.raises(ValueError, match="must be arrays, as `\\(x, y\\)`"):
        DataSet(data)


@pytest.mark.parametrize(
    "groups, message",
    [
        (np.eye(5), "shape=\\(5, 5\\)"),
        (np.array(["a", None, "b", "a", "b"], dtype=object), "NoneType"),
        (np.array(["a", 1, "b", "a", "b"], dtype=object), "'int', 'str'"),
        (np.array(["a", np.nan, "b", "a", "b"], dtype=object), "'float'"),
    ],
)
def test_groups_must_be_numbers_or_names(groups, message):
    with pytest.raises(ValueError, match=message):
        grouped_arrays((X, Y, groups))
    names = np.array(["a", "b", "a", "b", "a"], dtype=object)
    assert grouped_arrays((X, Y, names)).groups.tolist() == names.tolist()


def as_bytes(one):
    return str(one).encode()


@pytest.mark.parametrize("kind", [np.str_, np.int64, bool, as_bytes])
def test_an_array_of_objects_may_hold_groups_of_any_kind(kind):
    groups = np.array([kind(one) for one in (1, 0, 1, 0, 1)], dtype=object)
    assert grouped_arrays((X, Y, groups)).groups.tolist() == groups.tolist()


@pytest.mark.parametrize(
    "groups, dtype",
    [
        ([0.0, np.nan, 1.0, np.nan, 1.0], None),
        ([0.0, np.nan, 1.0, np.nan, 1.0], object),
        (["a", None, "a", "b", "b"], None),
    ],
)
def test_a_missing_group_is_none_of_its_own(groups, dtype):
    with pytest.raises(ValueError, match="`groups`.*Received: (2.*NaN|.*None)"):
        grouped_arrays((X, Y, np.array(groups, dtype)))


@pytest.mark.parametrize(
    "groups, plain",
    [
        ([1, 2.5], [1.0, 2.5]),
        (["a", "bc"], ["a", "bc"]),
        ([2**70, 2**70 + 1], [str(2**70), str(2**70 + 1)]),
        ([1.5, 2**53, 2**53 + 1], ["1.5", str(2**53), str(2**53 + 1)]),
    ],
)
def test_groups_that_are_objects_become_plain_and_stay_apart(groups, plain):
    found = plain_groups(np.array(groups, object))
    assert found.dtype.kind != "O" and found.tolist() == plain


def test_groups_need_labels():
    with pytest.raises(ValueError, match="need labels.*y=None"):
        grouped_arrays((X, None, Y))


def test_batches_without_an_example_are_passed_over():
    batches = [(X[:0], Y[:0]), (X[:2], Y[:2]), (X[2:2], Y[2:2]), (X[2:], Y[2:])]
    found = [y.tolist() for _, y, _ in DataSet(batches).batches(32)]
    assert found == [[0, 1], [2, 3, 4]]
    with pytest.raises(ValueError, match="all batches are empty"):
        list(DataSet([(X[:0], Y[:0])]).batches(32))
