"""A split of a named data set, as batches that a model takes."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_plex.batches import texts_as_array
from keras_plex.data.named.downloads import import_tfds
from keras_plex.data.named.image_batches import to_model_images
from keras_plex.data.named.model_inputs import ImageInputs
from keras_plex.data.named.named_data_set import FeatureReader
from keras_plex.data.named.named_data_set import Features
from keras_plex.data.named.named_data_set import NamedDataSet


@dataclasses.dataclass(frozen=True, eq=False)
class NamedBatches:
    """Batches `(x, y)` or `(x, y, groups)` of one split, from the disk.

    Each pass reads them anew, in the same order; one batch at a time is in
    memory.

    Args:
        row: of `DATA_SETS`.
        path: where it lies.
        split: as in `"test"` or `"train[:2000]"`.
        read_labels: what reads the labels; examples of label NaN are left out.
        read_groups: what reads the groups, if they are asked for.
        images: what the model takes; `None` for texts.
        one_text: whether pairs become one string, as in
            `"premise: ... hypothesis: ..."`. Defaults to `False`: a tuple.
        batch_size: how many examples at a time. Defaults to `32`.
        max_examples: the first ones only. Defaults to all.
    """

    row: NamedDataSet
    path: pathlib.Path
    split: str
    read_labels: FeatureReader
    read_groups: FeatureReader | None = None
    images: ImageInputs | None = None
    one_text: bool = False
    batch_size: int = 32
    max_examples: int | None = None

    def __post_init__(self):
        if not self.num_examples:
            raise ValueError(
                f"The split {self.split!r} of {self.row.name!r} is empty: "
                f"{str(self.path)!r} holds no example of it. Delete that "
                "and prepare it again."
            )

    def __iter__(self) -> Iterator[tuple]:
        is_file = self.row.tfds is None
        for features in self._rows() if is_file else self._records():
            parts = [self._feed(features), self.read_labels(features)]
            if self.read_groups is not None:
                parts.append(self.read_groups(features))
            if np.isnan(parts[1]).any():
                parts = _labelled(parts)
            if len(parts[1]):
                yield tuple(parts)

    def cardinality(self) -> int:
        """The number of batches."""
        return -(-self.num_examples // self.batch_size)

    @functools.cached_property
    def num_examples(self) -> int:
        """How many are read, those without a label among them."""
        if self.row.tfds is None:
            count = len(self._file["label"])
        else:
            count = self._count()
        return min(count, self.max_examples or count)

    def _count(self) -> int:
        splits = self._builder.info.splits
        try:
            return splits[self.split].num_examples
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"{self.row.name!r} has no split {self.split!r}: "
                f"{str(self.path)!r} holds {sorted(splits)}."
            ) from error

    def _rows(self) -> Iterator[Features]:
        for start in range(0, self.num_examples, self.batch_size):
            stop = min(start + self.batch_size, self.num_examples)
            yield {name: one[start:stop] for name, one in self._file.items()}

    def _records(self) -> Iterator[Features]:
        tfds = import_tfds()
        keys = {*self.row.inputs, *self.read_labels.keys}
        if self.read_groups is not None:
            keys |= set(self.read_groups.keys)
        data = self._builder.as_dataset(
            split=self.split,
            shuffle_files=False,
            # Others are neither read nor decoded.
            decoders=tfds.decode.PartialDecoding(dict.fromkeys(keys, True)),
            read_config=tfds.ReadConfig(
                interleave_cycle_length=1, try_autocache=False
            ),
        ).take(self.num_examples)
        resize = self._resize()
        if resize is not None:
            data = data.map(resize)
        for batch in data.ragged_batch(self.batch_size).prefetch(1):
            yield {name: _to_numpy(one) for name, one in batch.items()}

    def _resize(self) -> Callable[[Mapping], Mapping] | None:
        """Function of one example, where images are not of the right size."""
        if self.images is None:
            return None
        size = self.images.size
        height, width, _ = self._builder.info.features["image"].shape
        if size is None and None in (height, width):
            raise ValueError(
                f"The images of {self.row.name!r} have many sizes, and the "
                "model takes any: build it with the one that you want, as in "
                "`keras.Input((224, 224, 3))`."
            )
        if size in (None, (height, width)):
            return None
        # A layer of Keras works in `tf.data` whatever the backend.
        layer = keras.layers.Resizing(*size, **dict(self.images.resizing))
        return lambda example: {**example, "image": layer(example["image"])}

    def _feed(self, features: Features) -> Any:
        if self.images is not None:
            return to_model_images(features["image"], self.images)
        texts = tuple(_texts(features[name]) for name in self.row.inputs)
        if len(texts) == 1:
            return texts[0]
        return self._joined(texts) if self.one_text else texts

    def _joined(self, texts: tuple[np.ndarray, ...]) -> np.ndarray:
        named = [
            [f"{name}: {text}" for text in column]
            for name, column in zip(self.row.inputs, texts, strict=True)
        ]
        joined = [" ".join(parts) for parts in zip(*named, strict=True)]
        return texts_as_array(joined)

    @functools.cached_property
    def _builder(self) -> Any:
        return import_tfds().builder_from_directory(str(self.path))

    @functools.cached_property
    def _file(self) -> Features:
        if self.row.read_file is None:
            raise ValueError(f"{self.row.name!r} needs `read_file`.")
        return self.row.read_file(self.path)


def _labelled(parts: list) -> list:
    labels = parts[1]
    rows = ~np.isnan(labels).reshape(len(labels), -1).any(-1)
    return [keras.tree.map_structure(lambda leaf: leaf[rows], x) for x in parts]


def _to_numpy(values: Any) -> Any:
    # A ragged tensor becomes lists.
    return values.to_list() if hasattr(values, "to_list") else values.numpy()


def _texts(values: Any) -> np.ndarray:
    return texts_as_array(
        [x.decode() if isinstance(x, bytes) else str(x) for x in values]
    )
