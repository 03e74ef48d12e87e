"""A benchmark lists its parts, and whose classes they have."""

import pytest

from keras_plex.data.named.benchmark import Benchmark
from keras_plex.data.named.benchmark import Part

KNOWN, UNKNOWN = Part("cifar10", "test"), Part("cifar100", "test")
TRAIN = Part("cifar10", "train")


def classes(kind):
    benchmark = Benchmark(kind, KNOWN, {"other": UNKNOWN}, train=TRAIN)
    return dict(benchmark.parts())


def test_shifted_data_have_the_models_classes():
    assert all(classes("covariate_shift").values())


def test_unknown_data_have_not():
    found = classes("open_set_recognition")
    assert found == {KNOWN: True, UNKNOWN: False, TRAIN: True}


def test_tasks_that_adapt_have_classes_of_their_own():
    assert not any(classes("few_shot_uncertainty").values())


def test_modality_is_that_of_the_test():
    assert Benchmark("calibration", KNOWN).modality == "image"


def test_unknown_data_set_is_named():
    with pytest.raises(ValueError, match="Unknown data set: 'cifra'"):
        Part("cifra", "test").row  # noqa: B018
