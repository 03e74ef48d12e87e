"""Statistics of groups equal those of the metric of whole arrays."""

import keras
import numpy as np
import pytest

from keras_plex.metrics import subpopulation_accuracy
from keras_plex.tasks import SubpopulationShift
from tests.task_cases import GROUPS
from tests.task_cases import TEST
from tests.task_cases import logits_model
from tests.task_cases import softmax

X, Y = TEST
INDEX = np.unique(GROUPS, return_inverse=True)[1]


class Batches(keras.utils.PyDataset):
    """Batches of 40 with the group after the label."""

    def __len__(self):
        return -(-len(X) // 40)

    def __getitem__(self, index):
        rows = slice(40 * index, 40 * index + 40)
        return X[rows], Y[rows], GROUPS[rows]


@pytest.mark.parametrize(
    "data",
    [(X, Y, GROUPS), (X, Y, INDEX[:, None]), Batches()],
    ids=["names", "numbers", "batches"],
)
def test_numbers_are_those_of_the_metric(data):
    task = SubpopulationShift(data)
    measured = task.measure(task.predict(logits_model()))
    for statistic in ("worst", "p25", "median", "mean"):
        expected = subpopulation_accuracy(
            Y, softmax(X), INDEX, statistic=statistic
        )
        assert measured[f"accuracy_{statistic}"] == pytest.approx(expected)
    accuracy = np.mean(X.argmax(-1) == Y)
    assert measured["accuracy"] == pytest.approx(accuracy)
    gap = accuracy - measured["accuracy_worst"]
    assert measured["accuracy_gap"] == pytest.approx(gap)


def test_groups_follow_max_examples():
    task = SubpopulationShift((X, Y, GROUPS))
    evidence = task.predict(logits_model(), max_examples=5)
    assert evidence["test"]["group"].tolist() == ["a", "b", "c", "a", "b"]


def test_curve_names_the_groups():
    task = SubpopulationShift((X, Y, GROUPS))
    groups = task.curves(task.predict(logits_model()))["groups"]
    assert groups["names"] == ["a", "b", "c"]
    assert groups["weight"] == [100, 100, 100]


@pytest.mark.parametrize(
    "data, received", [((X, Y), "2 parts"), (X, "x alone")]
)
def test_groups_must_be_there(data, received):
    with pytest.raises(ValueError, match=f"x, y, groups.*Received: {received}"):
        SubpopulationShift(data)


def test_groups_must_be_there_in_batches():
    task = SubpopulationShift([(X[:5], Y[:5])])
    with pytest.raises(ValueError, match="needs groups"):
        task.predict(logits_model())


def test_each_example_has_a_group():
    with pytest.raises(ValueError, match="one number or name per example"):
        SubpopulationShift((X, Y, GROUPS[:7]))


def test_one_group_alone_has_no_gap():
    x, y = np.eye(4)[np.arange(7) % 3], np.arange(7) % 4
    task = SubpopulationShift((x, y, np.zeros(7)))
    measured = task.measure(task.predict(logits_model()))
    assert measured["accuracy_gap"] == 0.0
