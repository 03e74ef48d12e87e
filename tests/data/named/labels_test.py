"""Labels by arithmetic that a reader can do in the head."""

import numpy as np

from keras_plex.data.named.labels import at_least
from keras_plex.data.named.labels import class_index
from keras_plex.data.named.labels import merged_classes
from keras_plex.data.named.labels import several_classes
from keras_plex.data.named.labels import soft_label
from keras_plex.data.named.table import DATA_SETS


def test_classes_are_read_as_they_stand():
    read = class_index("label")
    assert read.keys == ("label",)
    assert read({"label": np.array([2, 0])}).tolist() == [2, 0]


def test_classes_are_merged():
    read = merged_classes("label", (0, 0, 1))
    assert read({"label": np.array([2, 1, 0])}).tolist() == [1, 0, 0]


def test_half_of_the_annotators_are_enough():
    shares = {"toxicity": np.array([0.0, 0.4999, 0.5, 1.0], "float32")}
    assert at_least("toxicity", 0.5)(shares).tolist() == [0, 0, 1, 1]


def test_votes_become_shares_that_sum_to_one():
    found = soft_label("votes")({"votes": np.array([[47, 4], [1, 1]])})
    np.testing.assert_allclose(found, [[47 / 51, 4 / 51], [0.5, 0.5]])
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-6)


def test_several_classes_share_one_and_none_is_nan():
    found = several_classes("real", 4)({"real": [[3, 3], [], [0, 1, 2]]})
    third = np.float32(1 / 3)
    expected = [[0, 0, 0, 1], [np.nan] * 4, [third, third, third, 0]]
    np.testing.assert_array_equal(found, np.array(expected, "float32"))


def test_binary_labels_follow_the_reference():
    entailment = DATA_SETS["mnli"].labels[2]
    assert entailment({"label": np.arange(3)}).tolist() == [1, 0, 0]
    referable = DATA_SETS["diabetic_retinopathy"].labels[2]
    assert referable({"label": np.arange(5)}).tolist() == [0, 0, 1, 1, 1]
