"""The table agrees with TensorFlow Datasets, and each row can be read."""

import numpy as np
import pytest

from keras_plex.data.named.batches import NamedBatches
from keras_plex.data.named.model_inputs import ImageInputs
from keras_plex.data.named.model_inputs import TextInputs
from keras_plex.data.named.named_data_set import MODALITIES
from keras_plex.data.named.table import DATA_SETS

tfds = pytest.importorskip("tensorflow_datasets")

# Of 75 that differ by their name alone, three.
CORRUPTED = [name for name in DATA_SETS if name.startswith("imagenet2012_c")]
ROWS = [name for name in DATA_SETS if name not in CORRUPTED] + CORRUPTED[::37]
FROM_TFDS = [name for name in ROWS if DATA_SETS[name].tfds]


def test_all_corruptions_are_there():
    assert len(CORRUPTED) == 75


@pytest.mark.parametrize("name", FROM_TFDS)
def test_row_agrees_with_its_builder(name, tmp_path):
    row = DATA_SETS[name]
    builder = tfds.builder(row.tfds, data_dir=str(tmp_path), try_gcs=False)
    assert builder.name == row.builder
    assert str(builder.version) == row.tfds.partition(":")[2]
    assert row.homepage == builder.info.homepage
    assert row.modality in MODALITIES
    features = builder.info.features
    readers = [*row.labels.values(), *([row.group] if row.group else [])]
    keys = {*row.inputs, *(key for one in readers for key in one.keys)}
    assert keys <= set(features), "no such features"
    for num_classes, reader in row.labels.items():
        feature = features[reader.keys[0]]
        known = getattr(feature, "num_classes", None)
        if known and num_classes != 2:
            assert known == num_classes


@pytest.mark.parametrize("name", FROM_TFDS)
def test_download_size_is_that_of_its_builder(name):
    row = DATA_SETS[name]
    infos = tfds.builder_cls(row.builder).url_infos or {}
    sizes = [
        int(info.size)
        for url, info in infos.items()
        if not any(file in url for file in row.manual)
        and (not row.urls or any(part in url for part in row.urls))
    ]
    if row.download_bytes is None:
        assert not sizes
    else:
        assert sum(sizes) == row.download_bytes


@pytest.mark.parametrize("name", ROWS)
def test_row_can_be_read(name, made_up):
    row = DATA_SETS[name]
    inputs = TextInputs()
    if row.modality == "image":
        inputs = ImageInputs((8, 8), 3, (0.0, 1.0))
    for num_classes, reader in row.labels.items():
        batches = NamedBatches(
            row,
            made_up[name],
            next(iter(row.splits)),
            read_labels=reader,
            read_groups=row.group,
            inputs=inputs,
            batch_size=5,
        )
        found = list(batches)
        assert len(found) == batches.cardinality() == 3
        for x, y, *groups in found:
            check_inputs(x, len(y), row)
            check_labels(y, num_classes)
            assert len(groups) == (row.group is not None)
            for one in groups:
                assert one.shape == (len(y),) and one.dtype.kind == "U"


def check_inputs(x, count, row):
    if row.modality == "image":
        assert x.shape == (count, 8, 8, 3) and x.dtype == "float32"
        assert 0 <= x.min() < x.max() <= 1
        return
    texts = x if row.modality == "text pair" else (x,)
    assert len(texts) == len(row.inputs)
    for one in texts:
        assert one.shape == (count,)
        assert all(isinstance(text, str) for text in one)


def check_labels(y, num_classes):
    if y.ndim == 2:
        assert y.shape[1] == num_classes
        np.testing.assert_allclose(y.sum(-1), 1, atol=1e-5)
    else:
        assert y.dtype == "int64"
        assert 0 <= y.min() and y.max() < num_classes


def test_label_spaces_that_do_not_match_are_named():
    with pytest.raises(ValueError, match="'mnli' have 3 or 2 classes.*has 10"):
        DATA_SETS["mnli"].label_reader(10)
    assert DATA_SETS["mnli"].num_classes == 3
