"""Batches against what TensorFlow Datasets itself reads."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_plex.batches import check_data
from keras_plex.batches import iterate_batches
from keras_plex.data.named.batches import NamedBatches
from keras_plex.data.named.model_inputs import ImageInputs
from keras_plex.data.named.model_inputs import TextInputs
from keras_plex.data.named.named_data_set import FeatureReader
from keras_plex.data.named.table import DATA_SETS
from tests.named_data import prepare

tfds = pytest.importorskip("tensorflow_datasets")

RAW = ImageInputs(None, None, (0.0, 255.0))


def batches(made_up, name, split="test", **options):
    row = DATA_SETS[name]
    options = {"read_labels": row.labels[row.num_classes], **options}
    options.setdefault(
        "inputs", RAW if row.modality == "image" else TextInputs()
    )
    return NamedBatches(row, made_up[name], split, **options)


def joined(data):
    x, y, *_ = zip(*data, strict=True)
    return np.concatenate(x), np.concatenate(y)


def read(made_up, name, split="test"):
    builder = tfds.builder_from_directory(str(made_up[name]))
    return list(tfds.as_numpy(builder.as_dataset(split=split)))


def test_images_and_labels_are_those_of_tfds_in_its_order(made_up):
    x, y = joined(batches(made_up, "cifar10", batch_size=5))
    expected = read(made_up, "cifar10")
    np.testing.assert_array_equal(x, [one["image"] for one in expected])
    np.testing.assert_array_equal(y, [one["label"] for one in expected])


def test_each_pass_is_the_same_and_can_be_read_again(made_up):
    data = batches(made_up, "cifar10")
    first, second = joined(data), joined(data)
    np.testing.assert_array_equal(first[0], second[0])
    check_data(data, "data")
    x, y, third = next(iterate_batches(data))
    assert x.shape == (12, 32, 32, 3) and y.shape == (12,) and third is None


def test_batches_have_the_size_and_end_with_the_rest(made_up):
    data = batches(made_up, "cifar10", batch_size=5)
    assert [len(y) for _, y in data] == [5, 5, 2]
    assert data.num_examples == 12 and data.cardinality() == 3


def test_first_examples_only(made_up):
    data = batches(made_up, "cifar10", batch_size=5, max_examples=7)
    assert [len(y) for _, y in data] == [5, 2]
    assert data.num_examples == 7
    every = batches(made_up, "cifar10", max_examples=100)
    assert every.num_examples == 12


def test_part_of_a_split(made_up):
    name = "uc_merced"
    size = ImageInputs((8, 8), 3, (0.0, 1.0))
    first = joined(batches(made_up, name, "train[:8]", inputs=size))
    rest = joined(batches(made_up, name, "train[8:]", inputs=size))
    both = joined(batches(made_up, name, "train", inputs=size))
    assert (len(first[1]), len(rest[1])) == (8, 4)
    np.testing.assert_array_equal(np.concatenate([first[0], rest[0]]), both[0])


def test_images_of_many_sizes_are_resized_as_keras_does(made_up):
    size = ImageInputs((20, 20), 3, (0.0, 255.0))
    x, _ = joined(batches(made_up, "imagenet_a", inputs=size))
    layer = keras.layers.Resizing(20, 20, crop_to_aspect_ratio=True)
    expected = [
        keras.ops.convert_to_numpy(layer(one["image"].astype("float32")))
        for one in read(made_up, "imagenet_a")
    ]
    np.testing.assert_allclose(x, expected, atol=1e-3)


def test_bicubic_resizing_stays_in_the_range(made_up):
    resizing = (("interpolation", "bicubic"),)
    size = ImageInputs((64, 64), 3, (0.0, 1.0), resizing)
    x, _ = joined(batches(made_up, "cifar10", inputs=size))
    assert x.shape[1:] == (64, 64, 3) and x.min() == 0 and x.max() == 1


def test_many_sizes_and_a_model_that_takes_any_are_refused(made_up):
    data = batches(made_up, "imagenet_a")
    with pytest.raises(ValueError, match="'imagenet_a' have many sizes"):
        next(iter(data))


def test_soft_labels_are_shares(made_up):
    _, y = joined(batches(made_up, "cifar10h"))
    votes = np.array([one["soft_label"] for one in read(made_up, "cifar10h")])
    np.testing.assert_allclose(
        y, votes / votes.sum(-1, keepdims=True), atol=1e-6
    )


def test_images_without_a_label_are_left_out(made_up):
    name, size = "imagenet2012_real", ImageInputs((8, 8), 3, (0.0, 1.0))
    data = batches(made_up, name, "validation", inputs=size, batch_size=5)
    x, y = joined(data)
    kept = [
        one
        for one in read(made_up, name, "validation")
        if len(one["real_label"])
    ]
    assert len(x) == len(y) == len(kept) == 8
    for row, one in zip(y, kept, strict=True):
        assert set(np.flatnonzero(row)) == set(one["real_label"])


def test_batch_without_any_label_is_no_batch(made_up):
    none = FeatureReader(
        ("label",), lambda features: np.full(len(features["label"]), np.nan)
    )
    data = batches(made_up, "cifar10", read_labels=none)
    assert list(data) == []
    with pytest.raises(ValueError, match="holds no example"):
        next(iterate_batches(data))


def test_pairs_of_texts_are_a_tuple(made_up):
    [(x, y)] = batches(made_up, "mnli", "validation_matched")
    premises, hypotheses = x
    expected = read(made_up, "mnli", "validation_matched")
    assert premises.tolist() == [one["premise"].decode() for one in expected]
    assert hypotheses[0] == expected[0]["hypothesis"].decode()
    assert y.tolist() == [one["label"] for one in expected]


def test_pairs_can_be_one_text(made_up):
    data = batches(
        made_up, "mnli", "validation_matched", inputs=TextInputs(True)
    )
    [(x, _)] = data
    first = read(made_up, "mnli", "validation_matched")[0]
    premise, hypothesis = (
        first[name].decode() for name in ("premise", "hypothesis")
    )
    assert x[0] == f"premise: {premise} hypothesis: {hypothesis}"
    assert x.shape == (12,)


def test_other_inputs_than_a_model_takes_are_refused(made_up):
    def model(*shape):
        layers = [keras.Input(shape), keras.layers.Flatten()]
        return keras.Sequential(layers, name="other")

    data = batches(
        made_up, "cifar10", inputs=ImageInputs((8, 8), 3, (0.0, 1.0))
    )
    data.check_model(model(8, 8, 3))
    data.check_model(model(None, None, None))
    with pytest.raises(ValueError, match="takes channels=1, and 3 was loaded"):
        data.check_model(model(8, 8, 1))
    raw = batches(made_up, "cifar10", inputs=RAW)
    with pytest.raises(
        ValueError, match=r"value_range=\(0.0, 1.0\), and .*255"
    ):
        raw.check_model(model(8, 8, 3))
    texts = batches(made_up, "trec")
    with pytest.raises(
        ValueError, match="loaded for another .* must take them"
    ):
        texts.check_model(model(8, 8, 3))


def test_groups_come_third(made_up):
    row = DATA_SETS["clinc_oos"]
    [(x, y, groups)] = batches(made_up, "clinc_oos", read_groups=row.group)
    expected = read(made_up, "clinc_oos")
    assert groups.tolist() == [one["domain_name"].decode() for one in expected]
    assert len(x) == len(y) == 12


def test_file_is_read_in_batches(made_up):
    row = DATA_SETS["hans"]
    data = batches(
        made_up, "hans", "evaluation", read_groups=row.group, max_examples=7
    )
    [(x, y, groups)] = data
    assert len(x[0]) == len(x[1]) == len(y) == len(groups) == 7
    with pytest.raises(ValueError, match="'hans' needs `read_file`"):
        dataclasses.replace(data, row=dataclasses.replace(row, read_file=None))


def test_split_that_is_not_there_is_named(made_up):
    with pytest.raises(ValueError, match=r"no split 'tset': .*'test', 'train'"):
        batches(made_up, "cifar10", "tset")


def test_empty_split_is_an_error(tmp_path):
    path = prepare("mnist", tmp_path, num_examples=1)
    row = DATA_SETS["mnist"]
    with pytest.raises(ValueError, match="'train.1:.' of 'mnist' is empty"):
        NamedBatches(row, path, "train[1:]", row.labels[10], inputs=RAW)
