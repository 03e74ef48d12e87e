"""The support is the same whatever the batches, and fewer are part of more."""

import numpy as np
import pytest

from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.few_shot import support as module
from keras_plex.tasks.few_shot.support import as_targets
from keras_plex.tasks.few_shot.support import check_shots
from keras_plex.tasks.few_shot.support import collect_support
from keras_plex.tasks.few_shot.support import ranks_in_classes
from tests.task_cases import TEST
from tests.task_cases import logits_model

X, Y = TEST


def support(data=TEST, model=None, **options):
    model = model or logits_model()
    return collect_support(model, DataSet(data), "train", **options)


@pytest.mark.parametrize("batch_size", [1, 7, 300])
def test_the_first_of_each_class_are_taken(batch_size):
    found = support(shots=3, batch_size=batch_size)
    rows = [i for i, y in enumerate(Y) if np.sum(Y[:i] == y) < 3]
    np.testing.assert_array_equal(found.values[:, 0], X[rows])
    np.testing.assert_array_equal(found.labels, Y[rows])


def test_any_order_of_classes_will_do():
    order = np.argsort(Y, kind="stable")
    found = support((X[order], Y[order]), shots=2)
    rows = np.concatenate([order[Y[order] == c][:2] for c in range(4)])
    np.testing.assert_array_equal(found.values[:, 0], X[rows])


@pytest.mark.parametrize("seed", [None, 5])
def test_fewer_shots_are_part_of_more(seed):
    few, many = (support(shots=k, seed=seed) for k in (2, 6))
    first = ranks_in_classes(many.labels) < 2
    np.testing.assert_array_equal(few.values, many.values[first])
    np.testing.assert_array_equal(few.labels, many.labels[first])


def test_a_seed_draws_from_all():
    found = support(shots=3, seed=1, batch_size=7)
    again = support(shots=3, seed=1, batch_size=64)
    other = support(shots=3, seed=2)
    np.testing.assert_array_equal(found.values, again.values)
    assert not np.array_equal(found.values, other.values)
    keys = np.random.default_rng(1).random(300)
    rows = [i for i, y in enumerate(Y) if np.sum(keys[Y == y] < keys[i]) < 3]
    rows = sorted(rows, key=lambda row: keys[row])
    np.testing.assert_array_equal(found.values[:, 0], X[rows])


def test_batches_without_a_chosen_example_are_not_passed(monkeypatch):
    passed = []
    predict = module.predict_features

    def counting(model, x):
        passed.append(len(x))
        return predict(model, x)

    monkeypatch.setattr(module, "predict_features", counting)
    calls = []
    support(
        shots=1,
        batch_size=50,
        on_progress=lambda *call: calls.append(call),
    )
    assert passed == [50] and len(set(Y[:50])) == 4
    assert calls[-1] == ("train", 300, 300)


def test_max_examples_are_the_first():
    found = support(shots=2, max_examples=40, batch_size=32)
    assert set(map(tuple, found.values[:, 0])) <= set(map(tuple, X[:40]))


def test_too_few_examples_name_the_class():
    keep = (Y != 2) | (np.cumsum(Y == 2) <= 3)
    with pytest.raises(ValueError, match="class 2 has 3, and 5 shots need 5"):
        support((X[keep], Y[keep]), shots=5)
    with pytest.raises(ValueError, match="class 7 has 1, and 2 shots"):
        check_shots(np.array([3, 3, 7]), 2)
    with pytest.raises(ValueError, match="at least two classes"):
        support((X, np.zeros(300)), shots=5)


def test_classes_need_not_be_counted_from_zero():
    assert as_targets(np.array([9, 4]), [4, 9], "test").tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"'test'.*\[5\].*\[4, 9\]"):
        as_targets(np.array([9, 5]), [4, 9], "test")


def test_empty_batches_change_nothing():
    batches = [(X[:0], Y[:0]), (X[:40], Y[:40]), (X[:0], Y[:0]), (X, Y)]
    found = support(batches, shots=3)
    expected = support(batches[1:2] + batches[3:], shots=3)
    np.testing.assert_array_equal(found.values, expected.values)
