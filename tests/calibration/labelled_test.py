"""What calibrators accept, and what each refusal says."""

import numpy as np
import pytest

from keras_plex.calibration.labelled import check_count
from keras_plex.calibration.labelled import check_every_class
from keras_plex.calibration.labelled import check_kind
from keras_plex.calibration.labelled import labelled_outputs

LOGITS = np.arange(12.0).reshape(4, 3)
ONE_HOT = np.eye(3)[[0, 1, 2, 0]]


def read(outputs=LOGITS, labels=(0, 1, 2, 0), weights=None, kind=None):
    kind = kind or "softmax_logits"
    return labelled_outputs(outputs, labels, weights, kind)


@pytest.mark.parametrize(
    "labels", [[0, 1, 2, 0], [[0], [1], [2], [0]], ONE_HOT, [0.0, 1.0, 2.0, 0]]
)
def test_labels_of_every_form_are_distributions(labels):
    found = read(labels=labels)
    np.testing.assert_array_equal(found.targets, ONE_HOT)
    assert found.outputs.shape == (4, 1, 3)
    assert found.outputs.dtype == found.targets.dtype == "float64"


def test_of_two_classes_a_fraction_is_the_probability_of_class_1():
    for units in (1, 2):
        kind = "sigmoid_logits" if units == 1 else "softmax_logits"
        found = read(np.zeros((3, units)), [0, 0.25, 1], kind=kind)
        np.testing.assert_array_equal(
            found.targets, [[1, 0], [0.75, 0.25], [0, 1]]
        )


def test_soft_labels_and_members_stay():
    soft = np.full((4, 3), 1 / 3)
    found = read(np.zeros((4, 2, 3)), soft)
    assert found.outputs.shape == (4, 2, 3)
    np.testing.assert_array_equal(found.targets, soft)


def test_weights_sum_to_one_and_zero_leaves_an_example_out():
    outputs = np.where(np.arange(4)[:, None] == 3, np.nan, LOGITS)
    found = read(outputs, weights=[[1], [2], [1], [0]])
    np.testing.assert_array_equal(found.weights, [0.25, 0.5, 0.25])
    np.testing.assert_array_equal(found.outputs[:, 0], LOGITS[:3])


P = np.full((4, 2), 0.5)
FAULTS = {
    "no example": (dict(outputs=np.zeros((0, 3)), labels=[]), "at least one"),
    "tokens": (dict(outputs=np.zeros((4, 2, 5, 3))), "one forecast per"),
    "vector": (dict(outputs=np.zeros(4)), "one forecast per example"),
    "labels": (dict(labels=[0, 1]), "one label per example"),
    "other classes": (dict(labels=np.eye(4)), "one label per example"),
    "negative": (dict(labels=[0, 1, 2, -1]), "indices 0 to 2. Received: -1"),
    "too large": (dict(labels=[0, 1, 2, 3]), "indices 0 to 2. Received: 3"),
    "fraction": (dict(labels=[0, 1, 2, 0.5]), "class indices"),
    "no label": (dict(labels=[0, 1, 2, np.nan]), "class indices"),
    "soft": (dict(labels=0.5 * ONE_HOT), "must sum to one over"),
    "negative soft": (dict(labels=2 * ONE_HOT - 1 / 3), "not be negative"),
    "weights": (dict(weights=[1, 1]), "one number per example"),
    "negative weight": (dict(weights=[1, 1, 1, -1]), "not negative"),
    "no weight": (dict(weights=[0, 0, 0, 0]), "not all zero"),
    "NaN weight": (dict(weights=[1, 1, 1, np.nan]), "must be finite"),
    "NaN": (dict(outputs=LOGITS * np.nan), "for 4 of 4 examples"),
    "infinite": (
        dict(outputs=np.where(LOGITS == 3, np.inf, LOGITS)),
        "for 1 of 4 examples",
    ),
    "one softmax unit": (
        dict(outputs=np.zeros((4, 1)), labels=[0, 1, 0, 1]),
        "softmax over one unit",
    ),
    "several labels": (dict(kind="sigmoid_logits"), "3 independent labels"),
    "logits": (dict(kind="probabilities"), "sum to one over the classes"),
    "sums": (
        dict(outputs=2 * P, labels=[0, 1, 0, 1], kind="probabilities"),
        "sums from 2 to 2",
    ),
    "below zero": (
        dict(outputs=[[1.5, -0.5]] * 2, labels=[0, 1], kind="probabilities"),
        "values from -0.5 to 1.5",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_named(name):
    arguments, message = FAULTS[name]
    with pytest.raises(ValueError, match=message):
        read(**arguments)


def test_kinds_are_those_of_classes():
    for kind in ("softmax_logits", "sigmoid_logits", "probabilities"):
        check_kind(kind)
    with pytest.raises(ValueError, match="are a regression"):
        check_kind("regression")
    with pytest.raises(ValueError, match="must be one of 'softmax_logits'"):
        check_kind("logits")


def test_every_class_needs_an_example():
    check_every_class(np.full((1, 3), 1 / 3), "It")
    with pytest.raises(ValueError, match="1 of 3 classes, such as class 2"):
        check_every_class(ONE_HOT[:2], "It")


def test_numbers_need_as_many_examples():
    check_count(6, 6, "It")
    with pytest.raises(ValueError, match="at least 6 examples. Received: 5"):
        check_count(5, 6, "It")
    with pytest.raises(ValueError, match="at least 2 examples. Received: 1"):
        check_count(1, 1, "It")
