"""Other data, or the same in another order, have another fingerprint."""

import keras
import numpy as np

from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.reports.fingerprint import fingerprint
from keras_plex.tasks.reports.fingerprint import fingerprints

X = np.random.default_rng(0).normal(size=(500, 3)).astype("float32")
Y = np.arange(500)


def test_a_copy_is_known_again():
    mark = fingerprint((X, Y))
    assert mark == fingerprint((X.copy(), Y.copy()))
    assert mark == fingerprint((keras.ops.convert_to_tensor(X), Y))


def test_others_are_told_apart():
    marks = {
        fingerprint(data)
        for data in (X, (X, Y), (X[::-1], Y), (X, Y[::-1]), (X[:-1], Y[:-1]))
    }
    assert len(marks) == 5


def test_texts_have_one_too():
    texts = [f"text {i}" for i in range(1000)]
    mark = fingerprint(texts)
    assert mark == fingerprint(list(texts)) != fingerprint(texts[::-1])
    assert fingerprint(np.array(texts)) == fingerprint(np.array(texts))


def test_batches_have_none():
    assert fingerprint([(X, Y)]) is None
    sets = {"a": DataSet((X, Y)), "b": DataSet([(X, Y)])}
    assert fingerprints(sets) == {"a": fingerprint((X, Y))}
