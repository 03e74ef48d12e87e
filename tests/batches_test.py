"""Every kind of data gives the same batches."""

import keras
import numpy as np
import pytest

from keras_plex.batches import as_array
from keras_plex.batches import as_input
from keras_plex.batches import check_data
from keras_plex.batches import count_examples
from keras_plex.batches import is_arrays
from keras_plex.batches import is_texts
from keras_plex.batches import iterate_batches
from keras_plex.batches import lists_as_arrays

X = np.arange(20.0, dtype="float32").reshape(10, 2)
Y = np.arange(10)
W = np.arange(10.0, dtype="float32") / 10


class Sequence(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows], W[rows]


class Loader:
    """Lists of one batch each, as a PyTorch `DataLoader` yields them."""

    def __len__(self):
        return 3

    def __iter__(self):
        for start in (0, 4, 8):
            rows = slice(start, start + 4)
            yield [X[rows], Y[rows], W[rows]]


def tensorflow():
    return pytest.importorskip("tensorflow")


def tf_dataset():
    dataset = tensorflow().data.Dataset
    return dataset.from_tensor_slices((X, Y, W)).batch(4)


def unknown_size():
    return tf_dataset().filter(lambda x, y, w: True)


KINDS = {
    "arrays": lambda: (X, Y, W),
    "tensors": lambda: tuple(keras.ops.convert_to_tensor(a) for a in (X, Y, W)),
    "tf.data": tf_dataset,
    "tf.data of unknown size": unknown_size,
    "PyDataset": lambda: Sequence(workers=1),
    "DataLoader": Loader,
    "list of tuples": lambda: [tuple(batch) for batch in Loader()],
}


@pytest.mark.parametrize("kind", KINDS)
def test_kind_of_data_gives_its_examples_in_order(kind):
    batches = list(iterate_batches(KINDS[kind](), batch_size=4))
    assert [len(x) for x, _, _ in batches] == [4, 4, 2]
    x = [keras.ops.convert_to_numpy(x) for x, _, _ in batches]
    np.testing.assert_array_equal(np.concatenate(x), X)
    for i, expected in ((1, Y), (2, W)):
        parts = [batch[i] for batch in batches]
        assert all(isinstance(part, np.ndarray) for part in parts)
        np.testing.assert_array_equal(np.concatenate(parts), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_data_can_be_read_again(kind):
    data = KINDS[kind]()
    for _ in range(2):
        labels = [y for _, y, _ in iterate_batches(data)]
        np.testing.assert_array_equal(np.concatenate(labels), Y)


def test_arrays_come_32_at_a_time_by_default():
    sizes = [len(x) for x, _, _ in iterate_batches(np.zeros((70, 2)))]
    assert sizes == [32, 32, 6]


def test_inputs_alone_have_no_labels_and_no_weights():
    ((x, y, w),) = iterate_batches(X)
    assert y is None and w is None
    np.testing.assert_array_equal(x, X)


def test_labels_alone_leave_the_weights_out():
    for data in ((X, Y), (X, Y, None)):
        ((_, y, w),) = iterate_batches(data)
        np.testing.assert_array_equal(y, Y)
        assert w is None


def test_named_inputs_stay_named():
    data = ({"image": X, "age": Y}, Y)
    batches = list(iterate_batches(data, batch_size=6))
    assert [len(x["age"]) for x, _, _ in batches] == [6, 4]
    np.testing.assert_array_equal(batches[1][0]["image"], X[6:])
    ((x, y, _),) = iterate_batches({"image": X})
    assert list(x) == ["image"] and y is None


def test_list_of_arrays_is_one_model_input_with_several_parts():
    ((x, y, _),) = iterate_batches([X, X + 1])
    assert len(x) == 2 and y is None
    np.testing.assert_array_equal(x[1], X + 1)


@pytest.mark.parametrize(
    "x", [["one", "three", "two"], [b"one", b"three", b"two"], [1.0, 2.0, 3.0]]
)
def test_plain_lists_are_arrays(x):
    (first, y, _), (second, z, _) = iterate_batches((x, [0, 1, 2]), 2)
    assert [*first, *second] == x
    assert [*y, *z] == [0, 1, 2]


class Table:
    """What pandas says of its tables: an array, and rows by slices."""

    def __init__(self, rows):
        self.rows = rows

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.rows, dtype)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, rows):
        return Table(self.rows[rows])

    def __iter__(self):
        yield from ("names", "of", "columns")


def test_tables_that_say_they_are_arrays_are_some():
    table = Table(np.arange(6).reshape(3, 2))
    assert is_arrays(table)
    batches = [x for x, _, _ in iterate_batches(table, 2)]
    found = [as_input(x).tolist() for x in batches]
    assert found == [[[0, 1], [2, 3]], [[4, 5]]]


def test_unequal_lengths_are_an_error_that_names_them():
    with pytest.raises(ValueError, match=r"same number.*\[9, 10\]"):
        list(iterate_batches((X, Y[:9])))


@pytest.mark.parametrize("empty", [X[:0], (X[:0], Y[:0]), []])
def test_empty_data_is_an_error(empty):
    with pytest.raises(ValueError, match="holds no example"):
        list(iterate_batches(empty))


def test_empty_dataset_is_an_error():
    with pytest.raises(ValueError, match="holds no example"):
        list(iterate_batches(tf_dataset().take(0)))


def test_generator_is_an_error_that_names_the_argument():
    generator = (batch for batch in Loader())
    with pytest.raises(ValueError, match="`validation` can be read only once"):
        check_data(generator, "validation")
    with pytest.raises(ValueError, match="only once"):
        list(iterate_batches(generator))


def test_dataset_without_end_is_an_error():
    with pytest.raises(ValueError, match="`shifted` never ends.*`take`"):
        check_data(tf_dataset().repeat(), "shifted")


@pytest.mark.parametrize("kind", KINDS)
def test_finite_data_passes_the_check(kind):
    check_data(KINDS[kind](), "data")


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((3, 2)),
        keras.ops.zeros((3, 2)),
        ["a", "b", "c"],
        [np.zeros((3, 1)), np.zeros(3)],
        {"text": ["a", "b", "c"], "n": np.zeros(3)},
        ({"a": np.zeros((3, 5))}, ["x", "y", "z"]),
    ],
    ids=["array", "tensor", "texts", "list", "dict of texts", "nested"],
)
def test_examples_of_a_batch_are_counted(x):
    assert count_examples(x) == 3


def test_texts_are_told_from_lists_of_arrays():
    assert lists_as_arrays(["a", "b" * 1000]).nbytes < 100
    assert is_texts(["a"]) and is_texts((b"a", b"b"))
    assert not is_texts([]) and not is_texts([np.zeros(2)])
    assert not is_texts(np.array(["a"]))


def test_texts_and_tensors_become_arrays():
    assert as_array(["a", "b"]).tolist() == ["a", "b"]
    found = as_array(keras.ops.arange(3))
    assert isinstance(found, np.ndarray) and found.tolist() == [0, 1, 2]


class Counted(keras.utils.PyDataset):
    """Says how many batches there are as Keras lets it."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    @property
    def num_batches(self):
        return self.count

    def __getitem__(self, index):
        return X[:4], Y[:4]


def test_a_py_dataset_may_count_its_batches():
    assert len(list(iterate_batches(Counted(3)))) == 3
    assert len(list(iterate_batches(Counted(None), steps=2))) == 2
    with pytest.raises(ValueError, match="never ends"):
        iterate_batches(Counted(None)).__next__()


def test_a_label_alone_is_no_batch():
    with pytest.raises(ValueError, match="must give batches.*the label 7"):
        next(iterate_batches([(X[7], Y[7])]))
