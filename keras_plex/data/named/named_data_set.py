"""What is known of a named data set before a byte of it is read."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

# Feature name -> an array with one row per example; ragged ones are lists.
Features = Mapping[str, Any]

MODALITIES = ("image", "text", "text pair")


@dataclasses.dataclass(frozen=True)
class FeatureReader:
    """A function of some features of a batch.

    Args:
        keys: the features that it reads.
        function: from features to an array with one row per example.
    """

    keys: tuple[str, ...]
    function: Callable[[Features], np.ndarray]

    def __call__(self, features: Features) -> np.ndarray:
        return self.function(features)


@dataclasses.dataclass(frozen=True)
class NamedDataSet:
    """A row of `DATA_SETS`.

    Args:
        name: what users call it.
        tfds: its name, configuration and version in TensorFlow Datasets, as in
            `"glue/mnli:2.0.0"`; `None` for a data set that is one `file`.
        modality: one of `MODALITIES`.
        splits: name -> number of examples, `None` where that is unknown.
        labels: number of classes of the model -> what reads the
            labels. The first is the data set's own; others merge classes.
        inputs: the features that the model sees.
        group: what reads each example's group.
        download_bytes: what TensorFlow Datasets fetches, `None` where unknown.
        urls: parts of the addresses that it fetches, where these are not all
            that its builder knows.
        manual: files or folders that you must fetch yourself.
        file: the name of the file, where it does not come through TensorFlow
            Datasets.
        read_file: function of the path that gives its features.
        homepage: of its authors.
        licence: in their words; `None` where they state none that we found.
        citation: authors and year.
    """

    name: str
    tfds: str | None
    modality: str
    splits: Mapping[str, int | None]
    labels: Mapping[int, FeatureReader]
    homepage: str
    citation: str
    licence: str | None = None
    inputs: tuple[str, ...] = ("image",)
    group: FeatureReader | None = None
    download_bytes: int | None = None
    urls: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    file: str | None = None
    read_file: Callable | None = None

    def __post_init__(self):
        for field in ("splits", "labels"):
            frozen = MappingProxyType(dict(getattr(self, field)))
            object.__setattr__(self, field, frozen)

    @property
    def num_classes(self) -> int:
        """The number of classes of its own labels."""
        return next(iter(self.labels))

    @property
    def builder(self) -> str:
        """The name of its builder in TensorFlow Datasets."""
        return (self.tfds or self.name).partition(":")[0].partition("/")[0]

    def label_reader(self, num_classes: int) -> FeatureReader:
        """What reads the labels for a model of so many classes.

        Raises:
            ValueError: names both where they do not match.
        """
        if num_classes not in self.labels:
            known = " or ".join(map(str, self.labels))
            raise ValueError(
                f"The labels of {self.name!r} have {known} classes, and the "
                f"model has {num_classes}. Give the model a head of that size "
                "(`plexify(model, num_classes=...)`) and train it, or choose "
                "another benchmark."
            )
        return self.labels[num_classes]
