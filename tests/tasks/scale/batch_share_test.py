"""Shares are whole batches, and together they are the data set."""

import keras
import numpy as np
import pytest

from keras_plex.tasks.data_set import Corruption
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.scale.batch_share import BatchShare

X = np.arange(14, dtype="float32").reshape(7, 2)
Y = np.arange(7) % 3


class Sequence(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]


def shares(data, num_shards, **options):
    return [
        BatchShare(
            DataSet(data), 2, shard=number, num_shards=num_shards, **options
        )
        for number in range(num_shards)
    ]


@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        Sequence(),
        [(X[i : i + 2], Y[i : i + 2]) for i in range(0, 7, 2)],
    ],
    ids=["arrays", "sequence", "batches"],
)
@pytest.mark.parametrize("num_shards", [1, 2, 3])
def test_shares_together_are_the_whole(data, num_shards):
    found = np.full_like(X, np.nan)
    seen = []
    for share in shares(data, num_shards):
        x = np.concatenate([x for x, _, _ in share])
        found[share.rows()] = x
        seen += share.indices
    np.testing.assert_array_equal(found, X)
    assert sorted(seen) == list(range(7))


def test_batches_are_those_of_the_whole():
    first, second = shares((X, Y), 2)
    assert [len(x) for x, _, _ in first] == [2, 2]
    assert [len(x) for x, _, _ in second] == [2, 1]


def test_a_second_reading_begins_anew():
    [share] = shares((X, Y), 1)
    for _ in range(2):
        list(share)
        assert share.indices == list(range(7))


@pytest.mark.parametrize("max_examples, expected", [(None, 7), (3, 4)])
def test_each_share_counts_the_whole(max_examples, expected):
    for share in shares((X, Y), 3, max_examples=max_examples):
        list(share)
        assert share.num_examples == expected


def test_max_examples_end_after_the_batch_that_reaches_them():
    first, second = shares((X, Y), 2, max_examples=3)
    list(first), list(second)
    assert (first.indices, second.indices) == ([0, 1], [2, 3])


def test_a_share_without_a_batch_is_empty():
    assert [share.is_empty() for share in shares((X, Y), 6)] == [
        False,
        False,
        False,
        False,
        True,
        True,
    ]


def test_corruptions_are_those_of_the_whole():
    images = np.random.default_rng(0).random((7, 32, 32, 3)).astype("float32")
    corruption = Corruption("gaussian_noise", 3)
    whole = DataSet(images, needs_labels=False, corruption=corruption)
    expected = np.concatenate([x for x, _, _ in whole.batches(2)])
    for number in range(2):
        share = BatchShare(whole, 2, shard=number, num_shards=2)
        found = np.concatenate([x for x, _, _ in share])
        np.testing.assert_array_equal(found, expected[share.rows()])
