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
from keras_plex.data.named.model_inputs import ModelInputs
from keras_plex.data.named.model_inputs import model_inputs
from keras_plex.data.named.model_inputs import says_inputs
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
        inputs: what the model takes, images or texts.
        read_groups: what reads the groups, if they are asked for.
        value_range: black and white, where the caller said it.
        batch_size: how many examples at a time. Defaults to `32`.
        max_examples: the first ones only. Defaults to all.
    """

    row: NamedDataSet
    path: pathlib.Path
    split: str
    read_labels: FeatureReader
    inputs: ModelInputs
    read_groups: FeatureReader | None = None
    value_range: tuple[float, float] | None = None
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

    def check_model(self, model: keras.Model) -> None:
        """Raises for a model that takes other inputs than these."""
        modality, name = self.row.modality, self.row.name
        if not says_inputs(model, modality):
            return
        remedy = (
            f"{name!r} was loaded for another model than {model.name!r}: give "
            "`load_tasks` this one, evaluate each model on its own, and put "
            "the reports side by side with `Comparison.from_reports(reports)`."
        )
        try:
            found = model_inputs(model, modality, self.value_range)
        except ValueError as error:
            raise ValueError(f"{remedy} {error}") from error
        loaded = dataclasses.asdict(self.inputs)
        # Where a model takes any, what was loaded will do.
        differing = [
            f"{field}={value}, and {loaded[field]} was loaded"
            for field, value in dataclasses.asdict(found).items()
            if value not in (None, loaded[field])
        ]
        if differing:
            raise ValueError(f"{remedy} It takes {'; '.join(differing)}")

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
        if not isinstance(self.inputs, ImageInputs):
            return None
        size = self.inputs.size
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
        layer = keras.layers.Resizing(*size, **dict(self.inputs.resizing))
        return lambda example: {**example, "image": layer(example["image"])}

    def _feed(self, features: Features) -> Any:
        if isinstance(self.inputs, ImageInputs):
            return to_model_images(features["image"], self.inputs)
        texts = tuple(_texts(features[name]) for name in self.row.inputs)
        if len(texts) == 1:
            return texts[0]
        as_one = self.inputs.pairs_as_one_text
        return self._joined(texts) if as_one else texts

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
