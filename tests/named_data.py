"""Named data sets with made-up examples, prepared without the network.

TensorFlow Datasets' own builders write them, features, versions and folders as
they are, but the examples come from here.
"""

import contextlib
import io
import pathlib
import socket
from unittest import mock

import numpy as np

from keras_plex.data.named.table import DATA_SETS

EXAMPLES = 12


def prepare(name, data_dir, num_examples=EXAMPLES):
    """Prepares one row of `DATA_SETS` in the directory."""
    import tensorflow_datasets as tfds

    row = DATA_SETS[name]
    if row.tfds is None:
        return write_hans(pathlib.Path(data_dir) / name / row.file)
    builder = tfds.builder(row.tfds, data_dir=str(data_dir), try_gcs=False)
    features = builder.info.features

    def examples(seed):
        for number in range(num_examples):
            generator = np.random.default_rng([seed, number])
            yield f"{number:05d}", make(features, "", generator, number, row)

    def split_generators(manager):
        return {split: examples(i) for i, split in enumerate(row.splits)}

    quiet = contextlib.redirect_stdout(io.StringIO())
    with (
        quiet,
        no_network(),
        mock.patch.object(builder, "_split_generators", split_generators),
    ):
        builder.download_and_prepare()
    return pathlib.Path(builder.data_path)


def make(feature, key, generator, number, row):
    """One example of a feature."""
    import tensorflow_datasets as tfds

    kinds = tfds.features
    if isinstance(feature, kinds.FeaturesDict):
        return {
            name: make(one, name, generator, number, row)
            for name, one in feature.items()
        }
    if isinstance(feature, kinds.Image):
        height, width, channels = feature.shape
        size = (height or 40 + number, width or 60, channels)
        return generator.integers(0, 256, size).astype("uint8")
    if isinstance(feature, kinds.ClassLabel):
        return number % feature.num_classes
    if isinstance(feature, kinds.Sequence):
        return [
            make(feature.feature, key, generator, number + i, row)
            for i in range(number % 3)
        ]
    if isinstance(feature, kinds.BBoxFeature):
        return kinds.BBox(0.0, 0.0, 1.0, 1.0)
    if key in ("intent", "domain"):
        return number % row.num_classes
    if np.issubdtype(feature.np_dtype, np.number):
        return generator.random(feature.shape).astype(feature.np_dtype)
    return f"folder/{'abc'[number % 3]}_{number} of {key}"


def write_hans(path):
    """A file like that of HANS, of two subcases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["gold_label\tsentence1\tsentence2\tpairID\tsubcase"]
    for number in range(EXAMPLES):
        label = ("entailment", "non-entailment")[number % 2]
        subcase = ("ln_passive", "sn_swap")[number // 6]
        lines.append(
            f'{label}\tThe "actor {number} ran .\tHe ran .\t{number}\t{subcase}'
        )
    path.write_text("\n".join(lines) + "\n")
    return path


@contextlib.contextmanager
def no_network():
    """Makes each connection fail at once, and the test with it."""

    def refuse(*arguments, **options):
        raise AssertionError(f"The network was used: {arguments}")

    with mock.patch.object(socket.socket, "connect", refuse):
        yield
