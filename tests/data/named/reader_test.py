"""The reader gives what the model takes, and one object for one split."""

import keras
import pytest

from keras_plex.data.named.benchmark import Part
from keras_plex.data.named.reader import Reader

CIFAR100 = Part("cifar100", "test")
GROUPED = Part("cifar100", "test", with_groups=True)
TEXTS = Part("trec", "test")


def image_model():
    return keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten()], name="plain"
    )


def test_split_is_read_once_for_all_who_ask(made_up):
    reader = Reader(image_model(), 20)
    paths = {"cifar100": made_up["cifar100"]}
    first = reader.read(CIFAR100, True, paths)
    assert reader.read(CIFAR100, True, paths) is first
    assert reader.read(CIFAR100, False, paths) is not first
    assert reader.read(GROUPED, True, paths) is not first


def test_labels_fit_the_model_or_are_the_data_sets_own(made_up):
    paths = {"cifar100": made_up["cifar100"]}
    reader = Reader(image_model(), 20)
    assert reader.read(CIFAR100, True, paths).read_labels.keys == (
        "coarse_label",
    )
    assert reader.read(CIFAR100, False, paths).read_labels.keys == ("label",)
    unknown = Reader(image_model(), None)
    assert unknown.read(CIFAR100, True, paths).read_labels.keys == ("label",)


def test_images_have_the_models_shape_and_range(made_up):
    reader = Reader(
        image_model(), 100, value_range=(-1, 1), batch_size=5, max_examples=7
    )
    data = reader.read(GROUPED, True, {"cifar100": made_up["cifar100"]})
    shapes = [x.shape for x, _, groups in data]
    assert shapes == [(5, 8, 8, 1), (2, 8, 8, 1)]
    x, _, groups = next(iter(data))
    assert -1 <= x.min() < 0 < x.max() <= 1
    assert groups.shape == (5,)


def test_parts_that_do_not_fit_are_refused():
    reader = Reader(image_model(), 7)
    with pytest.raises(ValueError, match="100 or 20 classes.*the model has 7"):
        reader.check([(CIFAR100, True)])
    reader.check([(CIFAR100, False)])
    with pytest.raises(ValueError, match="'plain' has none"):
        reader.check([(TEXTS, False)])
