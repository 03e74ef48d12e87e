"""A row is what its fields say, and stays so."""

import dataclasses

import numpy as np
import pytest

from keras_plex.data.named.labels import class_index
from keras_plex.data.named.named_data_set import FeatureReader
from keras_plex.data.named.table import DATA_SETS


def test_reader_calls_its_function():
    reader = FeatureReader(("a",), lambda features: features["a"] + 1)
    assert reader({"a": np.array([1])}).tolist() == [2]


def test_builder_is_the_name_without_configuration_and_version():
    assert DATA_SETS["mnli"].builder == "glue"
    assert DATA_SETS["cifar10h"].builder == "cifar10_h"
    assert DATA_SETS["hans"].builder == "hans"


def test_first_labels_are_its_own():
    row = DATA_SETS["cifar100"]
    assert row.num_classes == 100
    coarse = row.label_reader(20)
    assert coarse({"coarse_label": np.array([19])}).tolist() == [19]


def test_row_cannot_be_changed():
    row = DATA_SETS["cifar10"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.name = "other"
    with pytest.raises(TypeError):
        row.labels[3] = class_index("label")


def test_other_number_of_classes_is_refused_with_both_named():
    with pytest.raises(ValueError, match="'cifar10' have 10 classes.*has 7"):
        DATA_SETS["cifar10"].label_reader(7)
